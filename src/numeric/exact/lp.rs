//! Linear programs by a float vertex and one exact solve.
//!
//! A float solver names a vertex; which variables are positive there, and which dual constraints are
//! tight, are integers-only facts that survive rounding. The exact solution of those equations is
//! then verified in full; wherever that fails, [`simplex`](super::simplex) decides.
use super::linear::{Solutions, solve, transpose};
use super::simplex::{self, Outcome, Program};
use crate::numeric::two_layer::to_f64;
use good_lp::solvers::WithTimeLimit;
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, constraint,
    microlp, variable,
};
use maxmargin_kernel::number::Rational;
use num_traits::{One, Zero};

/// How far from a bound a float may be and still be taken to lie on it, relative to the sizes of the
/// numbers compared.
const TOLERANCE: f64 = 1e-7;
/// Seconds after which the float solver is given up: problems here take it milliseconds.
const SECONDS: f64 = 5.0;

/// Solves a program exactly, the fast way if that succeeds. The outcome holds exactly.
///
/// # Panics
/// If the sizes of `a`, `b`, `c` and `free` do not match.
pub fn minimise(program: &Program) -> Outcome {
    fast(program).unwrap_or_else(|| simplex::minimise(program))
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

/// The outcome by way of floats, verified exactly; `None` if the floats do not lead to one.
pub fn fast(program: &Program) -> Option<Outcome> {
    let floats = Floats::new(program)?;
    let outcome = match floats.primal() {
        Ok(x) => {
            let largest = x.iter().fold(1.0f64, |m, x| m.max(x.abs()));
            let used = |j: &usize| program.free[*j] || x[*j] > TOLERANCE * largest;
            let x = on_support(program, &(0..x.len()).filter(used).collect::<Vec<_>>())?;
            let costs_nothing = program.c.iter().all(Zero::is_zero);
            let y = match costs_nothing {
                true => vec![Rational::zero(); program.b.len()],
                false => tight(program, &floats, &floats.dual(false)?, false)?,
            };
            Outcome::Optimal { x, y }
        }
        Err(ResolutionError::Infeasible) => {
            Outcome::Infeasible { y: tight(program, &floats, &floats.dual(true)?, true)? }
        }
        Err(_) => return None,
    };
    outcome.holds(program).then_some(outcome)
}

/// The exact solution of `A x = b` with `x = 0` outside of `support`.
fn on_support(program: &Program, support: &[usize]) -> Option<Vec<Rational>> {
    let pick = |row: &Vec<Rational>| support.iter().map(|&j| row[j].clone()).collect();
    let columns: Vec<Vec<Rational>> = program.a.iter().map(pick).collect();
    let Solutions { point, .. } = solve(&columns, &program.b, support.len())?;
    let mut x = vec![Rational::zero(); program.c.len()];
    for (&j, value) in support.iter().zip(point) {
        x[j] = value;
    }
    Some(x)
}

/// The exact `y` on the dual constraints that are tight at the float `y`.
fn tight(program: &Program, floats: &Floats, y: &[f64], ray: bool) -> Option<Vec<Rational>> {
    let m = program.b.len();
    let columns = transpose(&program.a, program.c.len());
    let (mut equations, mut right) = (Vec::new(), Vec::new());
    for (j, column) in columns.into_iter().enumerate() {
        let cost = if ray { 0.0 } else { floats.c[j] };
        let terms = (0..m).map(|r| floats.a[r][j] * y[r]);
        let (slack, size) =
            terms.fold((cost, cost.abs()), |(s, size), t| (s - t, size.max(t.abs())));
        if program.free[j] || slack.abs() <= TOLERANCE * size.max(TOLERANCE) {
            equations.push(column);
            right.push(if ray { Rational::zero() } else { program.c[j].clone() });
        }
    }
    // The ray is cut off by the box |y_r| ≤ 1: the sides it ends on fix its length.
    for r in (0..m).filter(|&r| ray && y[r].abs() >= 1.0 - TOLERANCE) {
        let mut unit = vec![Rational::zero(); m];
        unit[r] = Rational::one();
        equations.push(unit);
        right.push(Rational::from_integer(if y[r] > 0.0 { 1 } else { -1 }.into()));
    }
    Some(solve(&equations, &right, m)?.point)
}

/// A program in floats.
struct Floats {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    c: Vec<f64>,
    free: Vec<bool>,
}

impl Floats {
    /// `None` if some number has no finite float.
    fn new(program: &Program) -> Option<Self> {
        let list = |v: &Vec<Rational>| v.iter().map(to_f64).collect::<Vec<_>>();
        let floats = Self {
            a: program.a.iter().map(list).collect(),
            b: list(&program.b),
            c: list(&program.c),
            free: program.free.clone(),
        };
        let mut all = floats.a.iter().flatten().chain(&floats.b).chain(&floats.c);
        all.all(|x| x.is_finite()).then_some(floats)
    }

    fn primal(&self) -> Result<Vec<f64>, ResolutionError> {
        let mut variables = ProblemVariables::new();
        let new = |free: &bool| variables.add(if *free { variable() } else { variable().min(0) });
        let x: Vec<Variable> = self.free.iter().map(new).collect();
        let rows = self.a.iter().zip(&self.b);
        let constraints = rows.map(|(row, b)| constraint::eq(sum(row, &x), *b)).collect();
        run(variables, sum(&self.c, &x), constraints, &x)
    }

    /// `max b·y` over `Aᵀy ≤ c`, or, for a Farkas vector, over `Aᵀy ≤ 0` in the box `|y_r| ≤ 1`.
    fn dual(&self, ray: bool) -> Option<Vec<f64>> {
        let mut variables = ProblemVariables::new();
        let new = |_| variables.add(if ray { variable().min(-1).max(1) } else { variable() });
        let y: Vec<Variable> = self.b.iter().map(new).collect();
        let column = |j: usize| self.a.iter().map(|row| row[j]).collect::<Vec<_>>();
        let side = |j: usize| {
            let (left, right) = (sum(&column(j), &y), if ray { 0.0 } else { self.c[j] });
            if self.free[j] { constraint::eq(left, right) } else { constraint::leq(left, right) }
        };
        let constraints = (0..self.c.len()).map(side).collect();
        run(variables, -sum(&self.b, &y), constraints, &y).ok()
    }
}

fn sum(coefficients: &[f64], variables: &[Variable]) -> Expression {
    let mut total = Expression::with_capacity(variables.len());
    for (c, v) in coefficients.iter().zip(variables).filter(|(c, _)| **c != 0.0) {
        total.add_mul(*c, *v);
    }
    total
}

fn run(
    variables: ProblemVariables,
    objective: Expression,
    constraints: Vec<good_lp::Constraint>,
    asked: &[Variable],
) -> Result<Vec<f64>, ResolutionError> {
    let mut model = variables.minimise(objective).using(microlp).with_time_limit(SECONDS);
    for constraint in constraints {
        model.add_constraint(constraint);
    }
    let solved = model.solve()?;
    Ok(asked.iter().map(|v| solved.value(*v)).collect())
}
