(* Fixtures.v -- runs of the checker inside Coq, with no extraction: the two inputs that `make check` also
   gives to the native program (point A of docs/theory.md section 4). *)
Require Import QArith List.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Exact MaxMargin.Curve MaxMargin.Point MaxMargin.Check.
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
Example own_margin : check dead_neuron (QMarginAtLeast (1 # 8)) (ByPoint []) = true.
Proof. vm_compute. reflexivity. Qed.
Example above_its_margin : check dead_neuron (QMarginAtLeast (63 # 500)) (ByPoint []) = false.
Proof. vm_compute. reflexivity. Qed.

(* and what the first run therefore means *)
Corollary dead_neuron_is_not_a_local_optimum : holds (problemR dead_neuron) (NotLocalOptimum All).
Proof. exact (check_sound _ _ _ accepted). Qed.
