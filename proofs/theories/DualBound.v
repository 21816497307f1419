(* DualBound.v -- rule 3.7 for networks: two layers, one output, no sharing.

   Let g(w) = Sum lambda_i y_i sigma(w . x_i).  If s g(w) <= T |w| for every input vector w and output sign s
   that a competitor's neurons may have, then nu <= T/(2 Sum lambda) for every such competitor. *)
Require Import Reals List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors MaxMargin.TwoLayer.
Import ListNotations.
Open Scope R_scope.

Definition side (y : label) : R := match y with Positive => 1 | Negative => -1 | Class _ => 0 end.
Definition ssign (s : bool) : R := if s then 1 else -1.

Fixpoint g (al : R) (D : data) (lam : list R) (w : vec) : R :=
  match D, lam with
  | (x, y) :: D', l :: lam' => l * (side y * act al (dot w x)) + g al D' lam' w
  | _, _ => 0
  end.
(* Sum lambda_i y_i f(x_i) *)
Fixpoint weighted (al : R) (D : data) (lam : list R) (ns : list neuron) : R :=
  match D, lam with
  | (x, y) :: D', l :: lam' => l * (side y * net al ns x) + weighted al D' lam' ns
  | _, _ => 0
  end.
Lemma weighted_nil al D : forall lam, weighted al D lam [] = 0.
Proof. induction D as [|[x y] D IH]; destruct lam; simpl; auto. rewrite IH; ring. Qed.
Lemma weighted_cons al D v w ns : forall lam,
  weighted al D lam ((v, w) :: ns) = v * g al D lam w + weighted al D lam ns.
Proof. induction D as [|[x y] D IH]; destruct lam; simpl; try ring. simpl in IH. rewrite IH. ring. Qed.
Lemma weighted_ge al ns gam : forall D lam, (forall x y, In (x, y) D -> gam <= side y * net al ns x) ->
  length D = length lam -> Forall (fun l => 0 <= l) lam -> gam * sumR lam <= weighted al D lam ns.
Proof.
  induction D as [|[x y] D IH]; intros [|l lam] H L F; simpl in *; try lra; try discriminate.
  inversion F; subst. assert (gam <= side y * net al ns x) by (apply H; left; auto).
  assert (gam * sumR lam <= weighted al D lam ns) by (apply IH; auto).
  assert (0 <= l * (side y * net al ns x - gam)) by (apply Rmult_le_pos; lra). lra.
Qed.

Theorem dual_bound al (D : data) (lam : list R) (T : R) (ns : list neuron) (gam : R) :
  length D = length lam -> Forall (fun l => 0 <= l) lam -> 0 <= T ->
  (forall v w s, In (v, w) ns -> 0 < ssign s * v -> ssign s * g al D lam w <= T * norm w) ->
  (forall x y, In (x, y) D -> gam <= side y * net al ns x) ->
  2 * (gam * sumR lam) <= T * lengths ns.
Proof.
  intros HL HF HT HS HM. pose proof (weighted_ge al ns gam D lam HM HL HF) as H1.
  assert (H2 : 2 * weighted al D lam ns <= T * lengths ns); [|lra].
  clear H1 HM. induction ns as [|[v w] ns IH]; [rewrite weighted_nil; simpl; lra|].
  rewrite weighted_cons. simpl lengths.
  assert (2 * weighted al D lam ns <= T * lengths ns) by (apply IH; intros; apply HS with v0; auto; right; auto).
  pose proof (norm_nonneg w) as N0. pose proof (norm_sq w) as N1.
  assert (2 * (v * g al D lam w) <= T * (v * v + dot w w)); [|nra].
  assert (P : forall s, 0 < ssign s * v -> 2 * (v * g al D lam w) <= T * (v * v + dot w w)).
  { intros s V. pose proof (HS v w s (or_introl eq_refl) V) as B. rewrite <- N1.
    assert (S : ssign s * ssign s = 1) by (destruct s; simpl; ring).
    assert (A : (ssign s * v) * (ssign s * g al D lam w) <= (ssign s * v) * (T * norm w)) by
      (apply Rmult_le_compat_l; lra).
    replace (ssign s * v * (ssign s * g al D lam w)) with (ssign s * ssign s * (v * g al D lam w)) in A by ring.
    rewrite S in A. replace (v * v) with (ssign s * v * (ssign s * v)) by
      (replace (ssign s * v * (ssign s * v)) with (ssign s * ssign s * (v * v)) by ring; rewrite S; ring).
    set (t := ssign s * v) in *. pose proof (Rle_0_sqr (t - norm w)) as Q. unfold Rsqr in Q.
    assert (0 <= T * ((t - norm w) * (t - norm w))) by (apply Rmult_le_pos; auto). nra. }
  destruct (Rtotal_order v 0) as [V|[V|V]].
  - apply (P false). simpl. lra.
  - subst v. pose proof (dot_nonneg w). nra.
  - apply (P true). simpl. lra.
Qed.

Lemma g_scal al k D : 0 <= k -> forall lam w, g al D lam (scal k w) = k * g al D lam w.
Proof.
  intros HK. induction D as [|[x y] D IH]; intros [|l lam] w; simpl; try ring.
  rewrite dot_scal_l, act_scal, IH; auto. ring.
Qed.
Lemma g_zero al D : forall lam w, dot w w = 0 -> g al D lam w = 0.
Proof.
  induction D as [|[x y] D IH]; intros [|l lam] w H; simpl; auto.
  rewrite IH, (dot_self0 w H), act_0; auto. ring.
Qed.
(* a bound over unit vectors is one over all *)
Lemma by_units al D lam T s (K : vec -> Prop) :
  (forall k w, 0 < k -> K w -> K (scal k w)) ->
  (forall u, K u -> dot u u = 1 -> ssign s * g al D lam u <= T) ->
  forall w, K w -> ssign s * g al D lam w <= T * norm w.
Proof.
  intros HK HU w W. destruct (Req_dec (dot w w) 0) as [Z|Z].
  - rewrite g_zero by auto. unfold norm. rewrite Z, sqrt_0. lra.
  - destruct (unit_of w Z) as (k & KP & KN & KU). pose proof (HU _ (HK k w KP W) KU) as B.
    rewrite g_scal in B by lra. apply Rmult_le_reg_l with k; auto.
    replace (k * (T * norm w)) with (T * (k * norm w)) by ring. rewrite KN. lra.
Qed.
