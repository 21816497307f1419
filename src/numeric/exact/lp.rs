//! Linear programs by way of a float vertex.
//!
//! A float solver names a vertex; which variables are positive there survives rounding. The exact
//! simplex method starts with those as its basis, and so usually at the end: what is left to it is to
//! see that the vertex is optimal. Where floats mislead it simply goes on, or starts again.
use super::simplex::{self, Outcome, Program};
use crate::numeric::two_layer::to_f64;
use good_lp::solvers::WithTimeLimit;
use good_lp::{
    Expression, ProblemVariables, Solution, SolverModel, Variable, constraint, microlp, variable,
};
use maxmargin_kernel::number::Rational;

/// A variable below this, relative to the largest, is taken to be 0.
const TOLERANCE: f64 = 1e-9;
/// Seconds after which the float solver is given up: it takes milliseconds, unless it goes round in
/// circles.
const SECONDS: f64 = 0.5;
/// Rows times columns up to which the exact method alone is as fast.
const SMALL: usize = 1000;

/// Solves a program exactly. The outcome holds exactly.
///
/// # Panics
/// If the sizes of `a`, `b`, `c` and `free` do not match.
pub fn minimise(program: &Program) -> Outcome {
    match program.b.len() * program.c.len() {
        0..=SMALL => simplex::minimise(program),
        _ => simplex::minimise_from(program, &support(program).unwrap_or_default()),
    }
}

/// A solution of `A x = b`, `x ≥ 0` where not free, or the Farkas vector.
///
/// # Errors
/// The Farkas vector `y`: `Aᵀy ≤ 0` (`= 0` on free variables) and `b·y > 0`.
pub fn feasible(
    a: Vec<Vec<Rational>>,
    b: Vec<Rational>,
    free: Vec<bool>,
) -> Result<Vec<Rational>, Vec<Rational>> {
    match minimise(&Program::feasibility(a, b, free)) {
        Outcome::Optimal { x, .. } | Outcome::Unbounded { x, .. } => Ok(x),
        Outcome::Infeasible { y } => Err(y),
    }
}

/// The variables that are positive at an optimal vertex, the largest first, according to floats;
/// `None` if they find no vertex.
pub fn support(program: &Program) -> Option<Vec<usize>> {
    let x = vertex(program)?;
    let largest = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let mut used: Vec<usize> = (0..x.len()).filter(|&j| x[j] > TOLERANCE * largest).collect();
    used.sort_by(|&i, &j| x[j].total_cmp(&x[i]));
    Some(used)
}

/// The float solution; `None` if there is none, or numbers have no finite float.
fn vertex(program: &Program) -> Option<Vec<f64>> {
    let mut variables = ProblemVariables::new();
    // Free variables as differences: this solver often goes round in circles over free ones.
    let mut new = |exists: &bool| exists.then(|| variables.add(variable().min(0)));
    let plus: Vec<Option<Variable>> = program.free.iter().map(|_| new(&true)).collect();
    let minus: Vec<Option<Variable>> = program.free.iter().map(new).collect();
    let sum = |coefficients: &[Rational], factor: f64| {
        let mut total = Expression::with_capacity(coefficients.len());
        for (j, c) in coefficients.iter().enumerate() {
            let c = to_f64(c) * factor;
            c.is_finite().then_some(())?;
            if c != 0.0 {
                plus[j].into_iter().for_each(|v| total.add_mul(c, v));
                minus[j].into_iter().for_each(|v| total.add_mul(-c, v));
            }
        }
        Some(total)
    };
    let objective = sum(&program.c, 1.0)?;
    let mut model = variables.minimise(objective).using(microlp).with_time_limit(SECONDS);
    for (row, b) in program.a.iter().zip(&program.b) {
        // Rows of like size: the solver's tolerances are absolute.
        let largest = row.iter().map(|a| to_f64(a).abs()).fold(0.0, f64::max);
        let factor = if largest > 0.0 { 1.0 / largest } else { 1.0 };
        let right = to_f64(b) * factor;
        right.is_finite().then_some(())?;
        model.add_constraint(constraint::eq(sum(row, factor)?, right));
    }
    let solved = model.solve().ok()?;
    let value = |v: &Option<Variable>| v.map_or(0.0, |v| solved.value(v));
    Some(plus.iter().zip(&minus).map(|(p, m)| value(p) - value(m)).collect())
}
