//! Search for rule 3.10: the shortest sample, or the closest two of different label.
use super::round_up;
use crate::numeric::two_layer::{dot, to_f64s};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::norm_bound::NormBound;

/// Most samples for which all pairs are compared.
const MAX_PAIRS: usize = 4000;

/// The claim `ν ≤ B` everywhere, for every network and depth.
pub fn prove(problem: &Problem) -> Option<Entry> {
    let x: Vec<Vec<f64>> = problem.data().samples().iter().map(to_f64s).collect();
    let norms: Vec<f64> = x.iter().map(|x| dot(x, x)).collect();
    let shortest = (0..x.len()).min_by(|a, b| norms[*a].total_cmp(&norms[*b]))?;
    let mut best = (norms[shortest], vec![shortest]);
    let y = problem.data().labels();
    let considered = x.len().min(MAX_PAIRS);
    for i in 0..considered {
        for j in 0..i {
            if y[i] != y[j] {
                let quarter = (norms[i] + norms[j] - 2.0 * dot(&x[i], &x[j])) / 4.0;
                if quarter < best.0 {
                    best = (quarter, vec![j, i]);
                }
            }
        }
    }
    let proof = NormBound { samples: best.1 };
    let square = proof.square(problem).ok()?;
    let region =
        if problem.network().has_sharing() { Region::Everywhere } else { Region::AnyWidth };
    // The root may be rational: then the bound is exact. Else round it up.
    let (_, root) = maxmargin_kernel::number::root::sqrt_bounds(&square, 60)?;
    let bound = if &root * &root == square { Number(root) } else { round_up(&root, 50) };
    let claim = Claim::MarginAtMost { scope: Scope::All, region, bound };
    proof.check(problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::NormBound(proof) })
}
