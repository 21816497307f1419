(* Check.v -- the checker: claims, witnesses, one boolean, and the theorem that it is right. *)
Require Import Reals QArith List Bool.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Exact MaxMargin.Curve MaxMargin.Point.
Require Import MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.Layout MaxMargin.Serving MaxMargin.Regions MaxMargin.DepthClaims MaxMargin.AtLeast MaxMargin.Residual MaxMargin.Descent MaxMargin.LayerKkt MaxMargin.OutputCells MaxMargin.LinearOutputs MaxMargin.SecondOrder.
Import ListNotations.

(* the claims for which a rule is proved, with rational bounds *)
Inductive qclaim :=
| QKkt (s : scope)
| QNotKkt (s : scope)
| QKktResidual (lo hi delta epsilon : num)
| QNotLocalOptimum (s : scope)
| QNotGlobalOptimum (s : scope)
| QLocalOptimum (s : scope)
| QGlobalOptimum (s : scope)
| QMarginAtMost (k : qregion) (B : num)
| QMarginAtLeast (k : qregion) (B : num).
Inductive witness :=
| ByTerms (l : list term)           (* rules 3.1, 3.2 *)
| BySlopes (l : list slope_term) (d : list (list num))   (* rule 3.11 *)
| ByDirection (d : list (list num))   (* rule 3.3 *)
| ByCurve (m : moves)               (* rule 3.4 *)
| ByPoint (us : list (list num))    (* an explicit point, scaled to theta's margin *)
| ByNetwork (w : point)             (* an explicit point *)
| BySamples (ks : list nat)         (* rule 3.10 *)
| ByLinear (lam : list num)         (* rule 3.6, one output *)
| ByCells (l : list cell_item)      (* rules 3.5a and 3.6, several outputs *)
| ByMatrix (l : list cell_item)     (* rule 3.6, several outputs, any depth *)
| BySecondOrder (c : num) (lam : list (nat * num))   (* rule 3.5c *)
| ByMultipliers (lam : list (nat * num))   (* rule 3.5a, one layer *)
| ByCovers (M : multipliers) (cs : list cover).   (* rules 3.7, 3.5b *)

Definition claimR (c : qclaim) : claim :=
  match c with
  | QKkt s => Kkt s
  | QNotKkt s => NotKkt s
  | QKktResidual lo hi delta eps => KktResidual (toR lo) (toR hi) (toR delta) (toR eps)
  | QNotLocalOptimum s => NotLocalOptimum s
  | QNotGlobalOptimum s => NotGlobalOptimum s
  | QLocalOptimum s => LocalOptimum s
  | QGlobalOptimum s => GlobalOptimum s
  | QMarginAtMost k B => MarginAtMost (regionR k) (toR B)
  | QMarginAtLeast k B => MarginAtLeast (regionR k) (toR B)
  end.
(* [own] is the margin of a well-formed problem that theta classifies: computed once for all claims *)
Definition check_with (own : option num) (p : qproblem) (c : qclaim) (w : witness) : bool :=
  match c, w with
  | QKkt s, ByTerms l => check_kkt_in own p s l
  | QNotKkt s, ByDirection d => check_not_kkt own p s d
  | QKktResidual lo hi delta eps, BySlopes l d => check_residual own p lo hi delta eps l d
  | QNotLocalOptimum s, ByCurve m => check_curve own p s m
  | QNotGlobalOptimum s, ByPoint us => check_better own p s us
  | QLocalOptimum All, ByCovers M cs => check_optimum own p false M cs
  | QGlobalOptimum All, ByCovers M cs => check_optimum own p true M cs
  | QLocalOptimum All, ByCells l => check_cells own p false l
  | QGlobalOptimum All, ByCells l => check_cells own p true l
  | (QLocalOptimum All | QGlobalOptimum All), ByMatrix l => check_matrix_optimum own p l
  | QLocalOptimum All, BySecondOrder c lam => check_second_order own p c lam
  | QLocalOptimum (Layer l), ByMultipliers lam => check_layer own p false l lam
  | QGlobalOptimum (Layer l), ByMultipliers lam => check_layer own p true l lam
  | QMarginAtMost k B, ByCovers M cs => check_at_most own p k B M cs
  | QMarginAtMost k B, BySamples ks => check_norm own p k B ks
  | QMarginAtMost k B, ByCells l => check_cells_bound own p k B l
  | QMarginAtMost k B, ByMatrix l => check_matrix own p k B l
  | QMarginAtMost k B, ByLinear lam => check_linear own p k B lam
  | QGlobalOptimum All, ByLinear lam => check_linear_global own p lam
  | QMarginAtLeast k B, ByNetwork w => check_at_least own p k B w
  | _, _ => false
  end.
Definition check (p : qproblem) (c : qclaim) (w : witness) : bool := check_with (classified p) p c w.

Theorem check_sound (p : qproblem) (c : qclaim) (w : witness) :
  check p c w = true -> holds (problemR p) (claimR c).
Proof.
  unfold check. destruct c as [s|s|lo hi delta eps|s|s|s|s|k B|k B], w; intros H; try discriminate H; try (destruct s; discriminate H).
  - exact (kkt_in_sound _ _ _ H).
  - exact (not_kkt_sound _ _ _ H).
  - exact (residual_sound _ _ _ _ _ _ _ H).
  - exact (curve_sound _ _ _ H).
  - exact (better_sound _ _ _ H).
  - destruct s; [exact (cells_sound p false _ H)|discriminate H].
  - destruct s; [exact (matrix_optimum_sound p _ _ H (or_intror eq_refl))|discriminate H].
  - destruct s; [exact (second_order_sound _ _ _ H)|discriminate H].
  - destruct s; [discriminate H|exact (layer_sound p false _ _ H)].
  - destruct s; [exact (optimum_sound p false _ _ H)|discriminate H].
  - destruct s; [exact (linear_global_sound _ _ H)|discriminate H].
  - destruct s; [exact (cells_sound p true _ H)|discriminate H].
  - destruct s; [exact (matrix_optimum_sound p _ _ H (or_introl eq_refl))|discriminate H].
  - destruct s; [discriminate H|exact (layer_sound p true _ _ H)].
  - destruct s; [exact (optimum_sound p true _ _ H)|discriminate H].
  - exact (norm_sound _ _ _ _ H).
  - exact (linear_sound _ _ _ _ H).
  - exact (cells_bound_sound _ _ _ _ H).
  - exact (matrix_sound _ _ _ _ H).
  - exact (at_most_sound _ _ _ _ _ H).
  - exact (at_least_sound _ _ _ _ H).
Qed.
