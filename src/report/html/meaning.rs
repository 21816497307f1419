//! What claims and rules mean, for someone who has not read the theory.
use maxmargin_kernel::claim::{Claim, Region, Scope};

/// The claim's meaning in a sentence or two.
pub(super) fn claim(claim: &Claim) -> &'static str {
    match claim {
        Claim::Kkt { .. } => {
            "Multipliers λ ≥ 0 on the active constraints balance θ: the first-order conditions of the \
             max-margin problem hold, which is what gradient flow converges to. By itself this says \
             nothing about optimality."
        }
        Claim::NotKkt { .. } => {
            "There is a direction that shortens θ and lowers no active margin to first order: θ is not \
             even a KKT point, hence not a local optimum."
        }
        Claim::LocalOptimum { .. } => {
            "No network close enough to θ has a larger normalised margin. Further away there may be \
             better ones."
        }
        Claim::NotLocalOptimum { .. } => {
            "Arbitrarily close to θ there are networks of the same architecture with a larger \
             normalised margin."
        }
        Claim::GlobalOptimum { scope: Scope::All } => {
            "No network of this architecture has a larger normalised margin."
        }
        Claim::GlobalOptimum { .. } => {
            "With the other layers as they are, no choice of this layer is better."
        }
        Claim::NotGlobalOptimum { .. } => {
            "A network with a larger normalised margin exists; the certificate contains it."
        }
        Claim::KktResidual { .. } => {
            "How far θ is from being a KKT point: its distance from the cone of gradients of the nearly \
             active constraints, relative to |θ|; 0 means KKT, 1 means as far as can be. A trained \
             network never reaches exactly 0."
        }
        Claim::MarginAtMost { scope: Scope::Layer(_), region, .. } => match region {
            Region::Cell => {
                "With the other layers as they are, no choice of this layer for which every unit of it and \
                 above keeps the sign of its response to every sample has a larger margin, relative to \
                 the norm of this layer, than this. It is no bound for ν, which is relative to all layers."
            }
            _ => {
                "With the other layers as they are, no choice of this layer in the region has a larger \
                 margin, relative to the norm of this layer, than this. It is no bound for ν, which is \
                 relative to all layers."
            }
        },
        Claim::MarginAtMost { region, .. } => match region {
            Region::Cell => {
                "No network in which every neuron keeps the sign of its response to every training \
                 sample has a larger normalised margin than this."
            }
            Region::Near(_) => {
                "The same, where neurons may also cross the samples that they almost touch (within \
                 δ): training drives networks onto these kinks, so the best point nearby lies there."
            }
            Region::Everywhere => "No network of this architecture has a larger one, near or far.",
            Region::AnyWidth => {
                "No network of this depth without shared weights has a larger one, however many neurons it \
                 may have, if each of them reads only inputs that some neuron here may read."
            }
        },
        Claim::MarginAtLeast { scope: Scope::Layer(_), .. } => {
            "With the other layers as they are, some choice of this layer in the region has at least this \
             margin relative to the norm of this layer: θ itself, or one that the certificate contains."
        }
        Claim::MarginAtLeast { .. } => {
            "A network of this region with at least this normalised margin exists: θ itself, or one \
             that the certificate contains."
        }
    }
}

/// The rule's number in the theory, and its idea.
pub(super) fn rule(name: &str) -> (&'static str, &'static str) {
    match name {
        "stationarity" => {
            ("3.1, 3.2", "exact multipliers, with slopes or limiting gradients at kinks")
        }
        "descent" => ("3.3", "a direction that lowers the norm and no active margin"),
        "curve" => {
            ("3.4", "a polynomial curve of better points, evaluated at an infinitely small ε")
        }
        "convex_cell" => ("3.5a", "inside its activation cell the problem is convex"),
        "local_cover" => {
            ("3.5b", "the dual bound is attained in every direction a neuron can turn")
        }
        "second_order" => ("3.5c, d", "a positive definite second-order form"),
        "layer_cover" => ("3.5e", "the dual bound of one layer, attained"),
        "linear" => ("3.6", "the dual bound of linear networks"),
        "dual_bound" => ("3.7", "a dual bound, with a tree that covers all directions of a neuron"),
        "width_tree" => ("3.7", "a dual bound in each part of the parameter space"),
        "layer_cell" => ("3.8", "the layer's own dual bound in its activation cell"),
        "norm_bound" => ("3.10", "the shortest sample and the closest pair of different label"),
        "kkt_residual" => ("3.11", "multipliers from above, a direction from below"),
        "point" => ("2", "an explicit network, evaluated exactly"),
        _ => ("", ""),
    }
}
