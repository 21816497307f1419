//! Gradient flow of the exponential loss, for every network of the class.
//!
//! `L(θ) = Σ_k exp(−q_k(θ))` over the constraints (with several outputs, over every wrong class of
//! every sample: what cross-entropy tends to), and
//!
//! ```text
//! dθ/dt = −∇L/L = ∇ log(1/L) = Σ_k p_k ∇q_k,    p = softmax(−q).
//! ```
//!
//! The time is that of the flow on `L` divided by `L`: the same path, run through at a speed that does
//! not die out. Everything is computed from `q`, never from `exp(−q)`, so the path goes on long after
//! `L` itself would be 0 in floats. At depth 2 the norm grows exponentially in this time, at greater
//! depth it is infinite after a finite time; the number of steps is about proportional to
//! `log(1/L)` in both cases, because that is how stiff `p` becomes.
//!
//! The direction converges (K. Lyu, J. Li, *Gradient descent maximizes the margin of homogeneous neural
//! networks*, ICLR 2020; Z. Ji, M. Telgarsky, *Directional convergence and alignment in deep learning*,
//! NeurIPS 2020), slowly: what is still to come decreases like a power of `1/log(1/L)`.
//!
//! Conventions: σ'(0) is α, the slope for negative inputs, as automatic differentiation has it; so a
//! unit that is exactly on a kink stays there for that sample. A path that runs *along* a kink, usual
//! on real data, is followed by crossing it in short steps, which takes long.
//!
//! Integrator: J. R. Dormand, P. J. Prince, *A family of embedded Runge–Kutta formulae*, J. Comput.
//! Appl. Math. 1980, orders 5 and 4.

mod field;
mod runge_kutta;
pub mod snap;
#[cfg(test)]
mod tests;

use crate::budget::Budget;
use crate::numeric::two_layer::{dot, length};
use field::Field;
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::Problem;
use runge_kutta::{Step, step};

/// When to stop.
#[derive(Clone, Debug)]
pub struct Options {
    /// Normalised time to stop at.
    pub time: f64,
    /// Value of `log(1/L)` to stop at; the steps needed are about proportional to it.
    pub log_inverse_loss: f64,
    /// The direction has converged when it turned by no more than this angle while `log(1/L)`
    /// doubled.
    pub angle: f64,
    /// Largest error of one step, relative to `|θ|`.
    pub tolerance: f64,
    /// Most steps.
    pub steps: usize,
    /// When to stop in any case.
    pub budget: Budget,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: f64::INFINITY,
            log_inverse_loss: 1e6,
            angle: 1e-7,
            tolerance: 1e-9,
            steps: 2_000_000,
            budget: Budget::default(),
        }
    }
}

/// Why the flow stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The time asked for.
    Time,
    /// The loss asked for.
    Loss,
    /// The direction stands still.
    Converged,
    /// The gradient is 0: nothing moves, and nothing ever will.
    Stationary,
    /// The number of steps, or the time allowed.
    Limit,
    /// Numbers past what floats hold, or no step small enough.
    Overflow,
}

/// Where the flow got to.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Parameters, layer after layer, each coordinate once.
    pub theta: Vec<f64>,
    /// Normalised time.
    pub time: f64,
    /// `log L`.
    pub log_loss: f64,
    /// `min_k q_k`.
    pub margin: f64,
    /// `ν(θ)`.
    pub nu: f64,
    /// Angle between θ and its velocity: 0 at a limit direction.
    pub misalignment: f64,
    /// Steps that were accepted.
    pub steps: usize,
    /// Why it stopped.
    pub stopped: Stopped,
    lengths: Vec<usize>,
}

/// Follows the flow from the network of `problem`, which need not classify its data.
pub fn flow(problem: &Problem, options: &Options) -> Flow {
    let field = Field::new(problem);
    let mut theta = field.start(problem);
    let mut time = 0.0;
    let mut steps = 0;
    let mut velocity = field.velocity(&theta);
    let mut h = 1e-3 * length(&theta) / length(&velocity).max(f64::MIN_POSITIVE);
    // Direction and log(1/L) when the direction was last looked at.
    let mut mark: Option<(Vec<f64>, f64)> = None;
    let stopped = loop {
        let speed = length(&velocity);
        if speed == 0.0 {
            break Stopped::Stationary;
        }
        if time >= options.time {
            break Stopped::Time;
        }
        let depth = -field.log_loss(&theta);
        if depth >= options.log_inverse_loss {
            break Stopped::Loss;
        }
        // Early on the path may rest beside saddles: convergence counts only once L is small.
        match &mark {
            Some((direction, then)) if depth >= 2.0 * then => {
                if angle(direction, &theta) <= options.angle {
                    break Stopped::Converged;
                }
                mark = Some((theta.clone(), depth));
            }
            None if depth >= 20.0 => mark = Some((theta.clone(), depth)),
            _ => {}
        }
        if steps >= options.steps || (steps % 256 == 255 && options.budget.expired()) {
            break Stopped::Limit;
        }
        let last = time + h >= options.time;
        let try_h = if last { options.time - time } else { h };
        match step(&field, &theta, &velocity, try_h, options.tolerance) {
            Step::Accepted { theta: next, velocity: then, next_h } => {
                (theta, velocity) = (next, then);
                time = if last { options.time } else { time + try_h };
                h = next_h;
                steps += 1;
            }
            Step::Refused { next_h } => {
                h = next_h;
                if time + h <= time || !h.is_normal() {
                    break Stopped::Overflow;
                }
            }
        }
    };
    let margin = field.margins(&theta).into_iter().fold(f64::INFINITY, f64::min);
    Flow {
        time,
        log_loss: field.log_loss(&theta),
        margin,
        nu: margin / length(&theta).powi(field.depth() as i32),
        misalignment: angle(&theta, &velocity),
        steps,
        stopped,
        lengths: field.lengths(),
        theta,
    }
}

impl Flow {
    /// `θ/|θ|`.
    pub fn direction(&self) -> Vec<f64> {
        let norm = length(&self.theta);
        self.theta.iter().map(|x| x / norm).collect()
    }

    /// The network with these parameters and the architecture of `template`; `None` unless they fit
    /// and are finite.
    pub fn network(&self, template: &Network, parameters: &[f64]) -> Option<Network> {
        let exact: Vec<_> =
            parameters.iter().map(|x| ScaledVec::from_f64s(&[*x]).ok()).collect::<Option<_>>()?;
        let rationals: Vec<_> = exact.iter().map(|x| x.get(0)).collect();
        self.exact_network(template, &rationals)
    }

    /// The same for exact parameters.
    pub fn exact_network(
        &self,
        template: &Network,
        parameters: &[maxmargin_kernel::number::Rational],
    ) -> Option<Network> {
        let mut rest = parameters;
        let mut layers = Vec::with_capacity(template.depth());
        for (layer, &length) in template.layers().iter().zip(&self.lengths) {
            let (own, later) = rest.split_at_checked(length)?;
            layers.push(layer.with_parameters(ScaledVec::from_rationals(own))?);
            rest = later;
        }
        Network::new(template.activation().clone(), layers).ok()
    }
}

/// The angle between two vectors, accurate when it is small.
pub fn angle(a: &[f64], b: &[f64]) -> f64 {
    let (la, lb) = (length(a), length(b));
    let minus: Vec<f64> = a.iter().zip(b).map(|(x, y)| x / la - y / lb).collect();
    let plus: Vec<f64> = a.iter().zip(b).map(|(x, y)| x / la + y / lb).collect();
    2.0 * length(&minus).atan2(length(&plus))
}

/// The cosine of [`angle`].
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    dot(a, b) / (length(a) * length(b))
}
