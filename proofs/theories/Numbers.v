(* Numbers.v -- the rational numbers the checker computes with: Coq's Q, reduced after every
   operation, and their values in R. *)
Require Import Reals ZArith QArith Qreals Lra Lia List Bool.
Import ListNotations.

Definition num := Q.
(* Z.gcd is extracted to Zarith's; Coq's own Qred walks through the bits. *)
Definition reduce (q : Q) : Q :=
  match Z.gcd (Qnum q) (Zpos (Qden q)) with
  | Zpos g => Qmake (Qnum q / Zpos g) (Z.to_pos (Zpos (Qden q) / Zpos g))
  | _ => q
  end.
Definition zero : num := 0%Q.
Definition one : num := 1%Q.
Definition add (a b : num) : num := reduce (a + b)%Q.
Definition mul (a b : num) : num := reduce (a * b)%Q.
Definition opp (a : num) : num := (- a)%Q.
Definition sub (a b : num) : num := add a (opp b).
Definition inv (a : num) : num := (/ a)%Q.
Definition leb (a b : num) : bool := Qle_bool a b.
Definition ltb (a b : num) : bool := negb (leb b a).
Definition eqb (a b : num) : bool := leb a b && leb b a.
Definition nonneg (a : num) : bool := leb zero a.
Definition positive (a : num) : bool := ltb zero a.
Definition of_Z (z : Z) : num := inject_Z z.
Definition of_nat (n : nat) : num := inject_Z (Z.of_nat n).
Fixpoint power (a : num) (n : nat) : num := match n with O => one | S n' => mul a (power a n') end.

Definition toR (a : num) : R := Q2R a.
Notation "# a" := (toR a) (at level 1, format "# a").
Open Scope R_scope.

Lemma reduce_eq q : Qeq (reduce q) q.
Proof.
  unfold reduce. destruct (Z.gcd (Qnum q) (Zpos (Qden q))) as [|g|g] eqn:G; try reflexivity.
  unfold Qeq. cbn [Qnum Qden].
  destruct (Z.gcd_divide_l (Qnum q) (Zpos (Qden q))) as [a A].
  destruct (Z.gcd_divide_r (Qnum q) (Zpos (Qden q))) as [b B]. rewrite G in A, B.
  assert (BP : (0 < b)%Z) by nia.
  rewrite A at 1. rewrite Z.div_mul by lia.
  assert (E : (Z.pos (Qden q) / Z.pos g)%Z = b) by (rewrite B; apply Z.div_mul; lia).
  rewrite E, Z2Pos.id by lia. rewrite A, B. ring.
Qed.

Lemma toR_0 : #zero = 0. Proof. apply RMicromega.Q2R_0. Qed.
Lemma toR_1 : #one = 1. Proof. apply RMicromega.Q2R_1. Qed.
Lemma toR_reduce q : #(reduce q) = Q2R q. Proof. apply Qeq_eqR, reduce_eq. Qed.
Lemma toR_add a b : #(add a b) = #a + #b.
Proof. unfold add. rewrite toR_reduce. apply Q2R_plus. Qed.
Lemma toR_mul a b : #(mul a b) = #a * #b.
Proof. unfold mul. rewrite toR_reduce. apply Q2R_mult. Qed.
Lemma toR_opp a : #(opp a) = - #a. Proof. apply Q2R_opp. Qed.
Lemma toR_sub a b : #(sub a b) = #a - #b.
Proof. unfold sub. rewrite toR_add, toR_opp. ring. Qed.
Lemma leb_le a b : leb a b = true -> #a <= #b.
Proof. intros H. apply Qle_Rle, Qle_bool_iff, H. Qed.
Lemma leb_gt a b : leb a b = false -> #b < #a.
Proof.
  intros H. apply Qlt_Rlt. unfold leb in H. destruct (Qlt_le_dec b a) as [L|L]; auto.
  apply Qle_bool_iff in L. congruence.
Qed.
Lemma ltb_lt a b : ltb a b = true -> #a < #b.
Proof. unfold ltb. intros H. apply negb_true_iff in H. apply leb_gt, H. Qed.
Lemma eqb_eq a b : eqb a b = true -> #a = #b.
Proof.
  unfold eqb. intros H. apply andb_prop in H. destruct H as [H1 H2].
  apply leb_le in H1. apply leb_le in H2. lra.
Qed.
Lemma nonneg_ok a : nonneg a = true -> 0 <= #a.
Proof. intros H. apply leb_le in H. rewrite toR_0 in H. auto. Qed.
Lemma positive_ok a : positive a = true -> 0 < #a.
Proof. intros H. apply ltb_lt in H. rewrite toR_0 in H. auto. Qed.
Lemma toR_inv a : #a <> 0 -> #(inv a) = / #a.
Proof. intros H. apply Q2R_inv. intros E. apply H. rewrite <- RMicromega.Q2R_0. apply Qeq_eqR, E. Qed.
Lemma toR_of_Z z : #(of_Z z) = IZR z.
Proof. unfold toR, of_Z, inject_Z, Q2R. simpl. field. Qed.
Lemma toR_of_nat n : #(of_nat n) = INR n.
Proof. unfold of_nat. change (#(of_Z (Z.of_nat n)) = INR n). rewrite toR_of_Z. symmetry. apply INR_IZR_INZ. Qed.
Lemma toR_power a n : #(power a n) = #a ^ n.
Proof. induction n; simpl; [apply toR_1|]. rewrite toR_mul, IHn. auto. Qed.

#[export] Hint Rewrite toR_0 toR_1 toR_add toR_mul toR_opp toR_sub toR_of_Z toR_of_nat toR_power : num.
Ltac num := autorewrite with num in *.
(* splits conjunctions of tests and turns each into its meaning in R *)
Ltac tests := repeat match goal with
  | H : _ && _ = true |- _ => apply andb_prop in H; destruct H
  | H : nonneg _ = true |- _ => apply nonneg_ok in H
  | H : positive _ = true |- _ => apply positive_ok in H
  | H : leb _ _ = true |- _ => apply leb_le in H
  | H : leb _ _ = false |- _ => apply leb_gt in H
  | H : ltb _ _ = true |- _ => apply ltb_lt in H
  | H : eqb _ _ = true |- _ => apply eqb_eq in H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  end.
