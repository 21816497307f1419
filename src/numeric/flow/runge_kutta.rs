//! One step of Dormand and Prince's method, with its error estimate.
use super::Field;
use crate::numeric::two_layer::length;

/// What became of a step.
pub(super) enum Step {
    /// The error is small enough.
    Accepted {
        /// θ after the step.
        theta: Vec<f64>,
        /// The velocity there.
        velocity: Vec<f64>,
        /// Size of the next step.
        next_h: f64,
    },
    /// It is not.
    Refused {
        /// Size to try next.
        next_h: f64,
    },
}

/// Coefficients of the stages after the first.
const A: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    // The last stage is the step itself: its velocity is the first stage of the next one.
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// Order 5 minus order 4.
const ERROR: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

/// Length of a step, relative to `|θ|`, that is short enough to cross a kink with. The velocity jumps
/// there, so no step is as accurate as elsewhere; and where both sides lead to the kink, the path runs
/// along it and would be cut into ever shorter steps.
const CROSSING: f64 = 1e-4;

/// One step of size `h` from `theta`, where the velocity is known.
pub(super) fn step(field: &Field, theta: &[f64], velocity: &[f64], h: f64, tolerance: f64) -> Step {
    let mut stages: Vec<Vec<f64>> = vec![velocity.to_vec()];
    let mut point = theta.to_vec();
    let mut points = Vec::with_capacity(A.len());
    for row in A {
        point = theta.to_vec();
        for (a, k) in row.iter().zip(&stages) {
            point.iter_mut().zip(k).for_each(|(p, k)| *p += h * a * k);
        }
        stages.push(field.velocity(&point));
        points.push(point.clone());
    }
    let mut error = vec![0.0; theta.len()];
    for (e, k) in ERROR.iter().zip(&stages) {
        error.iter_mut().zip(k).for_each(|(s, k)| *s += h * e * k);
    }
    let ratio = length(&error) / (tolerance * length(&point));
    if !ratio.is_finite() || !point.iter().all(|p| p.is_finite()) {
        return Step::Refused { next_h: h / 10.0 };
    }
    // The usual controller of order 5: safety 0.9, at most a factor 5 either way.
    let next_h = h * (0.9 * ratio.max(1e-10).powf(-0.2)).clamp(0.2, 5.0);
    let short = h * length(velocity) <= CROSSING * length(theta);
    let crosses = || {
        let here = field.cell(theta);
        points.iter().any(|p| field.cell(p) != here)
    };
    if ratio > 1.0 && short && crosses() {
        let velocity = stages.pop().unwrap_or_default();
        return Step::Accepted { theta: point, velocity, next_h: h };
    }
    match (ratio <= 1.0, stages.pop()) {
        (true, Some(velocity)) => Step::Accepted { theta: point, velocity, next_h },
        _ => Step::Refused { next_h },
    }
}
