//! An exact linear program solver.
//!
//! `min c·x` subject to `A x = b`, `x_j ≥ 0` except where `x_j` is free. Two phases on one integer
//! tableau with a common denominator. Free variables are eliminated first: basic, they never leave;
//! not basic, they matter only to other free variables. Artificial variables are never stored: once
//! out of the basis they cannot come back, and duals are solved for on the final basis.
//!
//! Pivots follow the largest reduced cost until one makes no progress, then R. G. Bland's rule (*New
//! finite pivoting rules for the simplex method*, 1977) until one does: progress is strict and Bland's
//! rule does not cycle, so the method ends.
use super::linear::{solve, transpose};
use super::{dot, integral, pivot};
use maxmargin_kernel::number::{BigInt, Rational};
use num_traits::{One, Signed, Zero};

/// A linear program: `min c·x`, `A x = b`, `x_j ≥ 0` unless `free[j]`.
#[derive(Clone, Debug)]
pub struct Program {
    /// `A` by rows.
    pub a: Vec<Vec<Rational>>,
    /// `b`, one entry per row.
    pub b: Vec<Rational>,
    /// `c`, one entry per variable.
    pub c: Vec<Rational>,
    /// Which variables may be negative.
    pub free: Vec<bool>,
}

/// What is true of a [`Program`], with the vectors that show it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `x` is feasible, `c − Aᵀy` is `≥ 0` (`= 0` on free variables) and `c·x = b·y`.
    Optimal {
        /// An optimal vertex.
        x: Vec<Rational>,
        /// Optimal duals, one per row.
        y: Vec<Rational>,
    },
    /// `Aᵀy ≤ 0` (`= 0` on free variables) and `b·y > 0`: no `x` is feasible.
    Infeasible {
        /// The Farkas vector, one entry per row.
        y: Vec<Rational>,
    },
    /// `x` is feasible, `A r = 0`, `r ≥ 0` but on free variables, and `c·r < 0`.
    Unbounded {
        /// A feasible point.
        x: Vec<Rational>,
        /// The ray `r`.
        ray: Vec<Rational>,
    },
}

impl Outcome {
    /// Whether the vectors show what is claimed, exactly.
    pub fn holds(&self, program: &Program) -> bool {
        let Program { a, b, c, .. } = program;
        match self {
            Self::Optimal { x, y } => {
                program.is_feasible(x)
                    && program.slacks(c, y).is_some_and(|s| program.is_nonnegative(&s, true))
                    && dot(c, x) == dot(b, y)
            }
            Self::Infeasible { y } => {
                let zero = vec![Rational::zero(); c.len()];
                let slacks = program.slacks(&zero, y);
                slacks.is_some_and(|s| program.is_nonnegative(&s, true)) && dot(b, y).is_positive()
            }
            Self::Unbounded { x, ray } => {
                program.is_feasible(x)
                    && program.is_nonnegative(ray, false)
                    && a.iter().all(|row| dot(row, ray).is_zero())
                    && dot(c, ray).is_negative()
            }
        }
    }
}

impl Program {
    /// The question whether `A x = b` has a solution that is `≥ 0` where not free.
    pub fn feasibility(a: Vec<Vec<Rational>>, b: Vec<Rational>, free: Vec<bool>) -> Self {
        let c = vec![Rational::zero(); free.len()];
        Self { a, b, c, free }
    }

    /// Whether `x` satisfies all constraints.
    pub fn is_feasible(&self, x: &[Rational]) -> bool {
        self.is_nonnegative(x, false) && self.a.iter().zip(&self.b).all(|(r, b)| dot(r, x) == *b)
    }

    /// `c − Aᵀy`; `None` if `y` has the wrong length.
    pub fn slacks(&self, c: &[Rational], y: &[Rational]) -> Option<Vec<Rational>> {
        let mut slacks = c.to_vec();
        for (row, y) in self.a.iter().zip(y).filter(|(_, y)| !y.is_zero()) {
            slacks.iter_mut().zip(row).filter(|(_, a)| !a.is_zero()).for_each(|(s, a)| *s -= a * y);
        }
        (y.len() == self.b.len()).then_some(slacks)
    }

    /// Whether `v ≥ 0` where not free (and, if asked, `= 0` where free).
    fn is_nonnegative(&self, v: &[Rational], free_is_zero: bool) -> bool {
        let sign = |(v, free): (&Rational, &bool)| match (free, free_is_zero) {
            (false, _) => !v.is_negative(),
            (true, zero) => !zero || v.is_zero(),
        };
        v.len() == self.free.len() && v.iter().zip(&self.free).all(sign)
    }
}

/// Solves a program.
///
/// # Panics
/// If the sizes of `a`, `b`, `c` and `free` do not match.
pub fn minimise(program: &Program) -> Outcome {
    minimise_from(program, &[])
}

/// Solves a program, starting where the variables of `support` are basic as far as they can be: near
/// the end, if they are those of a good vertex. Any list is right.
///
/// # Panics
/// If the sizes of `a`, `b`, `c` and `free` do not match.
pub fn minimise_from(program: &Program, support: &[usize]) -> Outcome {
    let (rows, columns) = (program.b.len(), program.c.len());
    assert!(program.a.len() == rows && program.free.len() == columns);
    assert!(program.a.iter().all(|row| row.len() == columns));
    let mut table = Tableau::new(program);
    table.enter((0..columns).filter(|&c| program.free[c]));
    if !support.is_empty() {
        table.enter(support.iter().copied().filter(|&c| c < columns && !program.free[c]));
        if !table.is_nonnegative() {
            return minimise_from(program, &[]);
        }
    }
    table.orient();
    table.price(Phase::One);
    // Phase one is bounded below by 0.
    let _ = table.descend();
    if !table.rows[rows][columns].is_zero() {
        return Outcome::Infeasible { y: table.duals(Phase::One) };
    }
    table.expel_artificials();
    table.price(Phase::Two);
    match table.descend() {
        None => Outcome::Optimal { x: table.point(), y: table.duals(Phase::Two) },
        Some(column) => Outcome::Unbounded { x: table.point(), ray: table.ray(column) },
    }
}

/// Which costs count.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// 1 on artificial variables.
    One,
    /// `c`.
    Two,
}

/// Row `r < m` states `common·x_basis[r] + … = last entry`; row `m` holds the reduced costs.
struct Tableau<'a> {
    program: &'a Program,
    rows: Vec<Vec<BigInt>>,
    common: BigInt,
    /// The variable of each row; `None` is its artificial one.
    basis: Vec<Option<usize>>,
    /// Factors of the rows of `A`, signed such that the artificial variables start at `≥ 0`.
    factors: Vec<Rational>,
    costs: Vec<BigInt>,
    columns: usize,
}

impl<'a> Tableau<'a> {
    fn new(program: &'a Program) -> Self {
        let columns = program.c.len();
        let mut rows = Vec::with_capacity(program.b.len() + 1);
        let mut factors = Vec::with_capacity(program.b.len());
        for (a, b) in program.a.iter().zip(&program.b) {
            let mut whole = a.clone();
            whole.push(b.clone());
            let (mut row, mut factor) = integral(&whole);
            if row[columns].is_negative() {
                row.iter_mut().for_each(|e| *e = -std::mem::take(e));
                factor = -factor;
            }
            rows.push(row);
            factors.push(factor);
        }
        let basis = vec![None; rows.len()];
        rows.push(vec![BigInt::zero(); columns + 1]);
        let costs = integral(&program.c).0;
        Self { program, rows, common: BigInt::one(), basis, factors, costs, columns }
    }

    fn pivot(&mut self, row: usize, column: usize) {
        self.common = pivot(&mut self.rows, row, column, &self.common);
        self.basis[row] = Some(column);
    }

    /// Makes these variables basic in place of artificial ones, where they can be.
    fn enter(&mut self, columns: impl Iterator<Item = usize>) {
        for c in columns {
            let open = (0..self.basis.len()).filter(|&r| self.basis[r].is_none());
            let open = open.filter(|&r| !self.rows[r][c].is_zero());
            if let Some(r) = open.min_by_key(|&r| self.rows[r][c].bits()) {
                self.pivot(r, c);
            }
        }
    }

    /// Whether the basic variables that must not be negative are not.
    fn is_nonnegative(&self) -> bool {
        let fine = |(row, j): (&Vec<BigInt>, &Option<usize>)| {
            j.is_none_or(|j| self.program.free[j] || !row[self.columns].is_negative())
        };
        self.rows.iter().zip(&self.basis).all(fine)
    }

    /// Gives artificial variables the sign with which they start at `≥ 0`.
    fn orient(&mut self) {
        for r in (0..self.basis.len()).filter(|&r| self.basis[r].is_none()) {
            if self.rows[r][self.columns].is_negative() {
                self.rows[r].iter_mut().for_each(|e| *e = -std::mem::take(e));
                self.factors[r] = -self.factors[r].clone();
            }
        }
    }

    /// Sets the reduced costs of a phase, times the common denominator.
    fn price(&mut self, phase: Phase) {
        let m = self.basis.len();
        let mut costs = vec![BigInt::zero(); self.columns + 1];
        if phase == Phase::Two {
            for (slot, c) in costs.iter_mut().zip(&self.costs) {
                *slot = c * &self.common;
            }
        }
        for r in 0..m {
            let weight = match (phase, self.basis[r]) {
                (Phase::One, None) => BigInt::one(),
                (Phase::Two, Some(c)) => self.costs[c].clone(),
                _ => continue,
            };
            if !weight.is_zero() {
                costs.iter_mut().zip(&self.rows[r]).for_each(|(c, e)| *c -= &weight * e);
            }
        }
        // Artificial variables keep their own unit cost out of every stored column.
        self.rows[m] = costs;
    }

    /// Pivots to an optimum; the entering variable of a ray if there is none.
    fn descend(&mut self) -> Option<usize> {
        let (m, last) = (self.basis.len(), self.columns);
        let mut careful = false;
        loop {
            let negative = |&j: &usize| {
                let cost = &self.rows[m][j];
                if self.program.free[j] { !cost.is_zero() } else { cost.is_negative() }
            };
            let mut entering = (0..last).filter(negative);
            let column = if careful {
                entering.next()
            } else {
                entering.min_by(|&i, &j| self.rows[m][i].cmp(&self.rows[m][j]).then(i.cmp(&j)))
            }?;
            if self.program.free[column] {
                return Some(column);
            }
            let Some(row) = self.leaving(column) else { return Some(column) };
            careful = self.rows[row][last].is_zero();
            self.pivot(row, column);
        }
    }

    /// The row with the smallest ratio, of these the variable that comes first; artificial
    /// variables count as coming before all others.
    fn leaving(&self, column: usize) -> Option<usize> {
        let last = self.columns;
        let bounded = |&r: &usize| {
            self.rows[r][column].is_positive()
                && self.basis[r].is_none_or(|j| !self.program.free[j])
        };
        (0..self.basis.len()).filter(bounded).min_by(|&r, &s| {
            let left = &self.rows[r][last] * &self.rows[s][column];
            let right = &self.rows[s][last] * &self.rows[r][column];
            left.cmp(&right).then(self.basis[r].cmp(&self.basis[s])).then(r.cmp(&s))
        })
    }

    /// After phase one artificial variables are 0: exchanges them for others where their row has
    /// an entry to pivot on; the other such rows say 0 = 0.
    fn expel_artificials(&mut self) {
        for r in 0..self.basis.len() {
            if self.basis[r].is_none() {
                let entry = (0..self.columns).find(|&c| !self.rows[r][c].is_zero());
                if let Some(c) = entry {
                    self.pivot(r, c);
                }
            }
        }
    }

    fn ratio(&self, n: &BigInt) -> Rational {
        Rational::new(n.clone(), self.common.clone())
    }

    fn point(&self) -> Vec<Rational> {
        let mut x = vec![Rational::zero(); self.columns];
        for (row, j) in self.rows.iter().zip(&self.basis) {
            if let Some(j) = j {
                x[*j] = self.ratio(&row[self.columns]);
            }
        }
        x
    }

    /// The ray along which `column` grows, or, if it is free and its cost is positive, falls.
    fn ray(&self, column: usize) -> Vec<Rational> {
        let falls = self.rows[self.basis.len()][column].is_positive();
        let signed = |v: Rational| if falls { -v } else { v };
        let mut ray = vec![Rational::zero(); self.columns];
        ray[column] = signed(Rational::one());
        for (row, j) in self.rows.iter().zip(&self.basis) {
            if let Some(j) = j {
                ray[*j] = signed(-self.ratio(&row[column]));
            }
        }
        ray
    }

    /// The `y` with `y·(column of every basic variable) = its cost`.
    fn duals(&self, phase: Phase) -> Vec<Rational> {
        let m = self.basis.len();
        let columns = transpose(&self.program.a, self.columns);
        let (mut equations, mut right) = (Vec::with_capacity(m), Vec::with_capacity(m));
        for (r, j) in self.basis.iter().enumerate() {
            match (j, phase) {
                (Some(j), Phase::One) => {
                    equations.push(columns[*j].clone());
                    right.push(Rational::zero());
                }
                (Some(j), Phase::Two) => {
                    equations.push(columns[*j].clone());
                    right.push(self.program.c[*j].clone());
                }
                // The artificial variable of row r stands in row r of factors·A, with cost 1.
                (None, _) => {
                    let mut unit = vec![Rational::zero(); m];
                    unit[r] = Rational::one();
                    equations.push(unit);
                    let cost = if phase == Phase::One { 1 } else { 0 };
                    right.push(&self.factors[r] * Rational::from_integer(cost.into()));
                }
            }
        }
        solve(&equations, &right, m).map_or(Vec::new(), |s| s.point)
    }
}
