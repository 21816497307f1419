(* Check.v -- the checker: claims, witnesses, one boolean, and the theorem that it is right. *)
Require Import Reals QArith List Bool.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Exact MaxMargin.Curve MaxMargin.Point.
Import ListNotations.

(* the claims for which a rule is proved, with rational bounds *)
Inductive qclaim :=
| QNotLocalOptimum (s : scope)
| QNotGlobalOptimum (s : scope)
| QMarginAtLeast (B : num).         (* region everywhere *)
Inductive witness :=
| ByCurve (m : moves)               (* rule 3.4 *)
| ByPoint (us : list (list num)).   (* an explicit point *)

Definition claimR (c : qclaim) : claim :=
  match c with
  | QNotLocalOptimum s => NotLocalOptimum s
  | QNotGlobalOptimum s => NotGlobalOptimum s
  | QMarginAtLeast B => MarginAtLeast Everywhere (toR B)
  end.
Definition check (p : qproblem) (c : qclaim) (w : witness) : bool :=
  match c, w with
  | QNotLocalOptimum s, ByCurve m => check_curve p s m
  | QNotGlobalOptimum s, ByPoint us => check_better p s us
  | QMarginAtLeast B, ByPoint us => check_at_least p B us
  | _, _ => false
  end.

Theorem check_sound (p : qproblem) (c : qclaim) (w : witness) :
  check p c w = true -> holds (problemR p) (claimR c).
Proof.
  destruct c, w; simpl; intros H; try discriminate.
  - apply (curve_sound _ _ _ H).
  - apply (better_sound _ _ _ H).
  - apply (at_least_sound _ _ _ H).
Qed.
