(* Fixtures.v -- runs of the checker inside Coq, with no extraction: the two inputs that `make check` also
   gives to the native program (point A of docs/theory.md section 4). *)
Require Import ZArith QArith List.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Exact MaxMargin.Curve MaxMargin.Cover MaxMargin.Layout MaxMargin.Serving MaxMargin.AtLeast MaxMargin.Residual MaxMargin.OutputCells MaxMargin.Check.
Import ListNotations.
Open Scope Q_scope.

Definition dead_neuron : qproblem :=
  mkQ 0
    [([0; 2; 0; 0], [[Some 0%nat; Some 1%nat]; [Some 2%nat; Some 3%nat]]);
     ([2; 0], [[Some 0%nat; Some 1%nat]])]
    [([1; 1 # 4], Positive); ([-(1); 1 # 4], Positive)].
Definition escape (fourth : list Q) : witness :=
  ByCurve [[[0; -(1 # 4)] ++ fourth; [0; -(1 # 2)]; [11 # 10]]; [[0; -(1 # 2)]; [1]]].

Example accepted : check dead_neuron (QNotLocalOptimum All) (escape [0; -(1 # 16)]) = true.
Proof. vm_compute. reflexivity. Qed.
(* sample 2 misses its margin by eps^4/16 *)
Example refused : check dead_neuron (QNotLocalOptimum All) (escape []) = false.
Proof. vm_compute. reflexivity. Qed.
Example own_margin : check dead_neuron (QMarginAtLeast QEverywhere (1 # 8)) (ByNetwork (Parameters [])) = true.
Proof. vm_compute. reflexivity. Qed.
Example above_its_margin : check dead_neuron (QMarginAtLeast QEverywhere (63 # 500)) (ByNetwork (Parameters [])) = false.
Proof. vm_compute. reflexivity. Qed.


(* kinks at the dead neuron: the gradients are limits along curves that move it to its inactive side *)
Definition terms (second : Q) : witness :=
  ByTerms [(0%nat, 2, [[[]; []; [-(1)]; [-(1 # 4)]]; []]); (1%nat, second, [[[]; []; [1]; [-(1 # 4)]]; []])].
Example stationary : check dead_neuron (QKkt All) (terms 2) = true.
Proof. vm_compute. reflexivity. Qed.
Example not_stationary : check dead_neuron (QKkt All) (terms 3) = false.
Proof. vm_compute. reflexivity. Qed.

(* lambda = (1, 1), T = 33/32: a tree of seven nodes, and one *)
Fixpoint nodes_of (l : list node) : nodes := match l with [] => Stop | n :: l' => More n (nodes_of l') end.
Definition entry_of (x : list Z) : option entry := Some (mkEntry x 0 None 33 0).
Definition cover_of (s : bool) (l : list node) : cover :=
  mkCover s [true; true] [entry_of [4; 1]%Z; entry_of [-4; 1]%Z] 33 (length l) (fun _ => nodes_of l).
Definition covers : witness :=
  ByCovers (mkMultipliers 1 (1 # 32) 8 1 [1; 1]%Z)
    [cover_of true [Split 0; Split 1; CloseLeaf 1 [1; 1]; CloseLeaf 1 [1; 0]; Split 1; CloseLeaf 1 [0; 1]; CloseLeaf 1 [0; 0]]%Z;
     cover_of false [CloseLeaf 1 [0; 0]%Z]].
Example bounded : check dead_neuron (QMarginAtMost QAnyWidth (33 # 128)) covers = true.
Proof. vm_compute. reflexivity. Qed.
Example bounded_by_less : check dead_neuron (QMarginAtMost QAnyWidth (1 # 4)) covers = false.
Proof. vm_compute. reflexivity. Qed.

(* w = (0, 2), v = 1: the cone holds the multiples of (0, 1, 2), at a distance of 3/5 |theta| *)
Definition unbalanced : qproblem :=
  mkQ 0
    [([0; 2; 0; 0], [[Some 0%nat; Some 1%nat]; [Some 2%nat; Some 3%nat]]);
     ([1; 0], [[Some 0%nat; Some 1%nat]])]
    [([1; 1 # 4], Positive); ([-(1); 1 # 4], Positive)].
Definition by_slopes (d : Q) : witness :=
  BySlopes [(0%nat, 8 # 5, [None; None]); (1%nat, 8 # 5, [None; Some (1 # 2)])] [[d; 2; 0; 0]; [-(1); 0]].
Example residual : check unbalanced (QKktResidual (3 # 5) (3 # 5) 0 0) (by_slopes 0) = true.
Proof. vm_compute. reflexivity. Qed.
Example residual_not_more : check unbalanced (QKktResidual (601 # 1000) 1 0 0) (by_slopes 0) = false.
Proof. vm_compute. reflexivity. Qed.
Example residual_not_less : check unbalanced (QKktResidual 0 (599 # 1000) 0 0) (by_slopes 0) = false.
Proof. vm_compute. reflexivity. Qed.
Example not_polar : check unbalanced (QKktResidual (1 # 2) 1 0 0) (by_slopes 1) = false.
Proof. vm_compute. reflexivity. Qed.

(* so it is no Karush-Kuhn-Tucker point, though each layer by itself is one: (0, 2) = 4 (1, 1/4) + 4 (-1, 1/4) *)
Example not_kkt : check unbalanced (QNotKkt All) (ByDirection [[0; -(2); 0; 0]; [1; 0]]) = true.
Proof. vm_compute. reflexivity. Qed.
Example falls : check unbalanced (QNotKkt All) (ByDirection [[1; -(2); 0; 0]; [1; 0]]) = false.
Proof. vm_compute. reflexivity. Qed.
Example not_a_descent : check unbalanced (QNotKkt All) (ByDirection [[]; []]) = false.
Proof. vm_compute. reflexivity. Qed.
Definition layer_terms (second : Q) : witness :=
  ByTerms [(0%nat, 4, [[[]; []; [-(1)]; [-(1 # 4)]]; []]); (1%nat, second, [[[]; []; [1]; [-(1 # 4)]]; []])].
Example first_layer : check unbalanced (QKkt (Layer 0)) (layer_terms 4) = true.
Proof. vm_compute. reflexivity. Qed.
Example not_the_first_layer : check unbalanced (QKkt (Layer 0)) (layer_terms 3) = false.
Proof. vm_compute. reflexivity. Qed.
Example not_its_descent : check unbalanced (QNotKkt (Layer 0)) (ByDirection [[0; -(2); 0; 0]; []]) = false.
Proof. vm_compute. reflexivity. Qed.

(* two classes, one neuron for each *)
Definition classes (slope : Q) : qproblem :=
  mkQ slope
    [([1; 1; -(1); -(1)], [[Some 0%nat; Some 1%nat]; [Some 2%nat; Some 3%nat]]);
     ([1; -(1); -(1); 1], [[Some 0%nat; Some 1%nat]; [Some 2%nat; Some 3%nat]])]
    [([1; 1], Class 0); ([-(1); -(1)], Class 1)].
Definition cells (a b : Q) : witness := ByCells [(0%nat, [a], [None; None]); (1%nat, [b], [None; None])].
Example cell_of_classes : check (classes 0) (QLocalOptimum All) (cells (1 # 2) (1 # 2)) = true.
Proof. vm_compute. reflexivity. Qed.
Example unequal_multipliers : check (classes 0) (QLocalOptimum All) (cells (1 # 2) (1 # 3)) = false.
Proof. vm_compute. reflexivity. Qed.
Example linear_classes : check (classes 1) (QGlobalOptimum All) (cells (1 # 4) (1 # 4)) = true.
Proof. vm_compute. reflexivity. Qed.
Example linear_bound : check (classes 1) (QMarginAtMost QEverywhere 1) (cells (1 # 2) (1 # 2)) = true.
Proof. vm_compute. reflexivity. Qed.
Example below_the_margin : check (classes 1) (QMarginAtMost QEverywhere (99 # 100)) (cells (1 # 2) (1 # 2)) = false.
Proof. vm_compute. reflexivity. Qed.
Definition matrix (a b : Q) : witness := ByMatrix [(0%nat, [a], []); (1%nat, [b], [])].
Example any_width_bound : check (classes 1) (QMarginAtMost QAnyWidth 1) (matrix (1 # 2) (1 # 2)) = true.
Proof. vm_compute. reflexivity. Qed.
Example any_width_below : check (classes 1) (QMarginAtMost QAnyWidth (99 # 100)) (matrix (1 # 2) (1 # 2)) = false.
Proof. vm_compute. reflexivity. Qed.
Definition one_layer : qproblem :=
  mkQ 0 [([1; 0; 0; 1], [[Some 0%nat; Some 1%nat]; [Some 2%nat; Some 3%nat]])] [([1; 0], Class 0); ([0; 1], Class 1)].
Example one_layer_frobenius : check one_layer (QMarginAtMost QEverywhere 1) (matrix 1 1) = true.
Proof. vm_compute. reflexivity. Qed.
Example one_layer_below : check one_layer (QMarginAtMost QEverywhere (99 # 100)) (matrix 1 1) = false.
Proof. vm_compute. reflexivity. Qed.
Example not_everywhere : check (classes 0) (QGlobalOptimum All) (cells (1 # 2) (1 # 2)) = false.
Proof. vm_compute. reflexivity. Qed.

(* three layers of one weight each: I - H + c G G^T has the eigenvalues 3 c - 1, 2, 2 *)
Definition path : qproblem :=
  mkQ 0 [([1], [[Some 0%nat]]); ([1], [[Some 0%nat]]); ([1], [[Some 0%nat]])] [([1], Positive)].
Example strict_minimum : check path (QLocalOptimum All) (BySecondOrder 1 [(0%nat, 1)]) = true.
Proof. vm_compute. reflexivity. Qed.
Example singular : check path (QLocalOptimum All) (BySecondOrder (1 # 3) [(0%nat, 1)]) = false.
Proof. vm_compute. reflexivity. Qed.
Example other_multiplier : check path (QLocalOptimum All) (BySecondOrder 1 [(0%nat, 2)]) = false.
Proof. vm_compute. reflexivity. Qed.

(* and what the first run therefore means *)
Corollary dead_neuron_is_not_a_local_optimum : holds (problemR dead_neuron) (NotLocalOptimum All).
Proof. exact (check_sound _ _ _ accepted). Qed.
