(* Vectors.v -- linear algebra of finitely supported real sequences (a missing entry is 0): bilinearity
   of the dot product, Cauchy-Schwarz, and the activation. *)
Require Import Reals List Lra Psatz.
Require Import MaxMargin.Network MaxMargin.Statement.
Import ListNotations.
Open Scope R_scope.

Fixpoint axpy (k : R) (a b : vec) : vec :=   (* k a + b *)
  match a, b with
  | x :: a', y :: b' => (k * x + y) :: axpy k a' b'
  | [], _ => b
  | _, [] => map (Rmult k) a
  end.
Definition scal (k : R) (a : vec) : vec := map (Rmult k) a.

Lemma dot_nil_r a : dot a [] = 0. Proof. destruct a; reflexivity. Qed.
Lemma dot_comm a : forall b, dot a b = dot b a.
Proof. induction a; destruct b; simpl; auto. rewrite IHa; ring. Qed.
Lemma dot_scal_l k a : forall b, dot (scal k a) b = k * dot a b.
Proof. induction a; destruct b; simpl; try ring. unfold scal in IHa. rewrite IHa; ring. Qed.
Lemma dot_scal_r k a b : dot a (scal k b) = k * dot a b.
Proof. rewrite dot_comm, dot_scal_l, dot_comm; ring. Qed.
Lemma dot_axpy_l k a : forall b c, dot (axpy k a b) c = k * dot a c + dot b c.
Proof.
  induction a; intros [|y b] [|z c]; simpl; try ring.
  - change (map (Rmult k) a0) with (scal k a0). rewrite dot_scal_l. ring.
  - rewrite IHa; ring.
Qed.
Lemma dot_axpy_r k a b c : dot c (axpy k a b) = k * dot c a + dot c b.
Proof. rewrite dot_comm, dot_axpy_l, (dot_comm a), (dot_comm b); ring. Qed.
Lemma dot_nonneg a : 0 <= dot a a.
Proof. induction a; simpl; nra. Qed.
Lemma dot_self0 a : dot a a = 0 -> forall b, dot a b = 0.
Proof.
  induction a; simpl; intros H b; auto. destruct b; auto.
  pose proof (dot_nonneg a0). assert (a * a = 0) by nra. assert (a = 0) by nra.
  subst. rewrite IHa; lra.
Qed.
Lemma cauchy a b : dot a b * dot a b <= dot a a * dot b b.
Proof.
  pose proof (dot_nonneg (axpy (- dot a b) b (scal (dot b b) a))) as H.
  rewrite dot_axpy_l, !dot_axpy_r, !dot_scal_r, !dot_scal_l, !(dot_comm b a) in H.
  rewrite ?dot_scal_r in H.
  pose proof (dot_nonneg b) as Hb.
  destruct (Req_dec (dot b b) 0) as [E|E].
  - rewrite (dot_comm a b), (dot_self0 b E a), E; lra.
  - assert (0 < dot b b) by lra.
    apply Rmult_le_reg_l with (dot b b); auto. nra.
Qed.
Lemma norm_nonneg a : 0 <= norm a. Proof. apply sqrt_pos. Qed.
Lemma norm_sq a : norm a * norm a = dot a a.
Proof. apply sqrt_sqrt, dot_nonneg. Qed.
(* a bound checked by squaring *)
Lemma dot_le_bound a u b : 0 <= b -> dot a a <= b * b -> dot u u = 1 -> dot u a <= b.
Proof.
  intros Hb Ha Hu. pose proof (cauchy u a) as C. rewrite Hu in C.
  destruct (Rle_lt_dec (dot u a) b); auto. nra.
Qed.


Lemma norm_pos a : dot a a <> 0 -> 0 < norm a.
Proof. intros H. apply sqrt_lt_R0. pose proof (dot_nonneg a). lra. Qed.
Lemma norm_scal k a : 0 <= k -> norm (scal k a) = k * norm a.
Proof.
  intros H. unfold norm. rewrite dot_scal_l, dot_scal_r.
  replace (k * (k * dot a a)) with (k * k * dot a a) by ring.
  rewrite sqrt_mult, sqrt_square; auto using dot_nonneg. nra.
Qed.
Lemma cauchy_norm a b : dot a b <= norm a * norm b.
Proof.
  pose proof (cauchy a b) as C. rewrite <- (norm_sq a), <- (norm_sq b) in C.
  pose proof (norm_nonneg a). pose proof (norm_nonneg b).
  assert (0 <= norm a * norm b) by (apply Rmult_le_pos; auto).
  destruct (Rle_lt_dec (dot a b) (norm a * norm b)); auto. nra.
Qed.
Lemma cauchy_abs a b : Rabs (dot a b) <= norm a * norm b.
Proof.
  apply Rabs_le. split; [|apply cauchy_norm].
  pose proof (cauchy_norm (scal (-1) a) b) as C. rewrite dot_scal_l in C.
  assert (E : norm (scal (-1) a) = norm a).
  { unfold norm. rewrite dot_scal_l, dot_scal_r. f_equal. ring. }
  rewrite E in C. lra.
Qed.
Lemma norm_le a b : 0 <= b -> dot a a <= b * b -> norm a <= b.
Proof. intros Hb H. rewrite <- (sqrt_square b Hb). apply sqrt_le_1_alt, H. Qed.
(* a unit vector in the direction of w *)
Lemma unit_of w : dot w w <> 0 -> exists k, 0 < k /\ k * norm w = 1 /\ dot (scal k w) (scal k w) = 1.
Proof.
  intros Z. pose proof (norm_pos w Z) as N. exists (/ norm w).
  assert (E : / norm w * norm w = 1) by (apply Rinv_l; lra).
  split; [apply Rinv_0_lt_compat; auto|split; auto].
  rewrite dot_scal_l, dot_scal_r, <- norm_sq.
  replace (/ norm w * (/ norm w * (norm w * norm w)))
    with ((/ norm w * norm w) * (/ norm w * norm w)) by ring.
  rewrite E; ring.
Qed.

Lemma Rabs_le_inv a b : Rabs a <= b -> - b <= a <= b.
Proof. unfold Rabs. destruct (Rcase_abs a); lra. Qed.

Lemma act_scal al k z : 0 <= k -> act al (k * z) = k * act al z.
Proof.
  intros. unfold act. destruct (Rlt_dec 0 z), (Rlt_dec 0 (k * z)); try ring.
  - assert (E : k * z = 0) by nra. rewrite E. ring.
  - exfalso. nra.
Qed.
Lemma act_0 al : act al 0 = 0.
Proof. unfold act. destruct (Rlt_dec 0 0); lra. Qed.
Lemma act_1 z : act 1 z = z.
Proof. unfold act. destruct (Rlt_dec 0 z); ring. Qed.
Lemma act_lipschitz al s t : 0 <= al <= 1 -> Rabs (act al s - act al t) <= Rabs (s - t).
Proof.
  intros H. unfold act. destruct (Rlt_dec 0 s), (Rlt_dec 0 t).
  - lra.
  - assert (t <= al * t) by nra. assert (al * t <= 0) by nra. rewrite !Rabs_right by lra. lra.
  - assert (s <= al * s) by nra. assert (al * s <= 0) by nra. rewrite !Rabs_left1 by lra. lra.
  - rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_right al) by lra.
    pose proof (Rabs_pos (s - t)). nra.
Qed.

Fixpoint sumR (l : list R) : R := match l with [] => 0 | a :: l' => a + sumR l' end.
Lemma sumR_app a b : sumR (a ++ b) = sumR a + sumR b.
Proof. induction a; simpl; [ring|rewrite IHa; ring]. Qed.
Lemma sumR_nonneg l : Forall (fun a => 0 <= a) l -> 0 <= sumR l.
Proof. induction 1; simpl; lra. Qed.
