(* Integers.v -- vectors of integers: dot products, sums, and the real vectors they stand for. *)
Require Import Reals ZArith List Lra Lia.
Require Import MaxMargin.Statement MaxMargin.Vectors.
Import ListNotations.
Open Scope Z_scope.

Fixpoint zdot (a b : list Z) : Z :=
  match a, b with x :: a', y :: b' => x * y + zdot a' b' | _, _ => 0 end.
Fixpoint zaxpy (k : Z) (a b : list Z) : list Z :=   (* k a + b *)
  match a, b with
  | x :: a', y :: b' => (k * x + y) :: zaxpy k a' b'
  | [], _ => b
  | _, [] => map (Z.mul k) a
  end.


Open Scope R_scope.
Definition zR (a : list Z) : vec := map IZR a.

Lemma zdot_ok a : forall b, IZR (zdot a b) = dot (zR a) (zR b).
Proof. induction a; intros [|y b]; simpl; auto. rewrite plus_IZR, mult_IZR, IHa; auto. Qed.
Lemma zaxpy_ok k a : forall b, zR (zaxpy k a b) = axpy (IZR k) (zR a) (zR b).
Proof.
  induction a; intros [|y b]; simpl; auto.
  - rewrite mult_IZR. f_equal. unfold zR. rewrite !map_map. apply map_ext. intros; apply mult_IZR.
  - rewrite plus_IZR, mult_IZR, IHa; auto.
Qed.
