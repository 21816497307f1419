(* NormBound.v -- rules 3.10 and 3.6, for every depth, shared weights included:
   |F(x) - F(x')|^2 m^m <= uses |theta|^(2m) |x - x'|^2,  uses the product over the layers of the largest number
   of uses of one coordinate; so one constraint, or two opposite ones, bound the margin; and for alpha = 1
   so does  |Sum lambda_i y_i x_i|. *)
Require Import Reals QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Pattern MaxMargin.LayerCell MaxMargin.TwoLayer MaxMargin.Point MaxMargin.Kkt MaxMargin.DualBound MaxMargin.Serving.
Import ListNotations.
Open Scope R_scope.

(* ---- the inequality of means ---------------------------------------------------------------- *)
Fixpoint prodR (l : list R) : R := match l with [] => 1 | a :: t => a * prodR t end.
Lemma prodR_nonneg l : Forall (fun a => 0 <= a) l -> 0 <= prodR l.
Proof. induction 1; simpl; [lra|]. apply Rmult_le_pos; auto. Qed.
Lemma bernoulli n : forall x, -1 <= x -> 1 + INR n * x <= (1 + x) ^ n.
Proof.
  induction n as [|n IH]; intros x H; [simpl; lra|].
  specialize (IH x H). rewrite S_INR. simpl.
  pose proof (pos_INR n). apply Rle_trans with ((1 + x) * (1 + INR n * x)); [nra|].
  apply Rmult_le_compat_l; lra.
Qed.
Lemma amgm_step n a s : (1 <= n)%nat -> 0 <= a -> 0 <= s ->
  INR (S n) ^ S n * (a * s ^ n) <= INR n ^ n * (a + s) ^ S n.
Proof.
  intros Hn Ha Hs. assert (N : 1 <= INR n) by (apply (le_INR 1); auto).
  destruct (Req_dec s 0) as [Z|Z].
  - subst s. replace (0 ^ n) with 0 by (symmetry; apply pow_ne_zero; lia).
    rewrite !Rmult_0_r. apply Rmult_le_pos; apply pow_le; lra.
  - assert (S0 : 0 < s) by lra.
    pose (x := INR n * (a + s) / ((INR n + 1) * s) - 1).
    assert (X : -1 <= x).
    { unfold x. assert (0 <= INR n * (a + s) / ((INR n + 1) * s)); [|lra].
      apply Rmult_le_pos; [nra|]. apply Rlt_le, Rinv_0_lt_compat; nra. }
    pose proof (bernoulli (S n) x X) as B.
    assert (E1 : 1 + INR (S n) * x = INR n * a / s).
    { unfold x. rewrite S_INR. field. split; lra. }
    assert (E2 : 1 + x = INR n * (a + s) / ((INR n + 1) * s)) by (unfold x; lra).
    rewrite E1, E2 in B.
    apply Rmult_le_compat_r with (r := (INR (S n) * s) ^ S n) in B; [|apply pow_le; rewrite S_INR; nra].
    rewrite <- Rpow_mult_distr in B. rewrite S_INR in *.
    replace (INR n * (a + s) / ((INR n + 1) * s) * ((INR n + 1) * s)) with (INR n * (a + s)) in B
      by (field; split; lra).
    rewrite !Rpow_mult_distr in B.
    replace (INR n * a / s * ((INR n + 1) ^ S n * s ^ S n))
      with (INR n * ((INR n + 1) ^ S n * (a * s ^ n))) in B by (simpl; field; lra).
    replace (INR n ^ S n * (a + s) ^ S n) with (INR n * (INR n ^ n * (a + s) ^ S n)) in B by (simpl; ring).
    apply Rmult_le_reg_l with (INR n); [lra|]. exact B.
Qed.
Theorem amgm l : Forall (fun a => 0 <= a) l -> INR (length l) ^ length l * prodR l <= sumR l ^ length l.
Proof.
  induction 1 as [|a l Ha Hl IH]; [simpl; lra|].
  pose proof (prodR_nonneg l Hl) as P. pose proof (sumR_nonneg l Hl) as S0.
  destruct l as [|b l]; [simpl; lra|].
  set (n := length (b :: l)) in *. change (length (a :: b :: l)) with (S n).
  assert (Hn : (1 <= n)%nat) by (unfold n; simpl; lia).
  assert (N : 0 < INR n ^ n) by (apply pow_lt; apply (lt_INR 0); lia).
  apply Rmult_le_reg_l with (INR n ^ n); auto.
  change (prodR (a :: b :: l)) with (a * prodR (b :: l)).
  change (sumR (a :: b :: l)) with (a + sumR (b :: l)).
  apply Rle_trans with (INR (S n) ^ S n * (a * sumR (b :: l) ^ n)).
  - replace (INR n ^ n * (INR (S n) ^ S n * (a * prodR (b :: l))))
      with (INR (S n) ^ S n * (a * (INR n ^ n * prodR (b :: l)))) by ring.
    apply Rmult_le_compat_l; [apply pow_le, pos_INR|]. apply Rmult_le_compat_l; auto.
  - apply amgm_step; auto.
Qed.

(* ---- the forward pass is Lipschitz ---------------------------------------------------------- *)
Definition diff (a b : vec) : vec := axpy (-1) b a.
Definition sq (a : vec) : R := dot a a.
Definition frobenius (u : vec) (W : matrix) : R := sumR (map (fun r => sq (row_weights 0 u r)) W).
Notation layerR := (layer 0 Rplus Rmult).
Notation forwardR al := (forward 0 Rplus Rmult (act al)).
Lemma layer_lip u W a b : sq (diff (layerR u W a) (layerR u W b)) <= frobenius u W * sq (diff a b).
Proof.
  unfold frobenius, diff, sq. induction W as [|r W IH]; simpl; [lra|].
  rewrite !row_dot_dot. pose proof (cauchy (row_weights 0 u r) (axpy (-1) b a)) as C.
  rewrite dot_axpy_r in C. lra.
Qed.
Lemma act_lip al a : 0 <= al <= 1 -> forall b, length a = length b ->
  sq (diff (map (act al) a) (map (act al) b)) <= sq (diff a b).
Proof.
  intros H. unfold diff, sq. induction a as [|s a IH]; intros [|t b] L; simpl in *; try discriminate; [lra|].
  injection L as L. specialize (IH b L). pose proof (act_lipschitz al s t H) as Q.
  assert (X : (-1 * act al t + act al s) * (-1 * act al t + act al s) <= (-1 * t + s) * (-1 * t + s)); [|lra].
  replace ((-1 * act al t + act al s) * (-1 * act al t + act al s)) with ((act al s - act al t) * (act al s - act al t)) by ring.
  replace ((-1 * t + s) * (-1 * t + s)) with ((s - t) * (s - t)) by ring.
  apply Rsqr_le_abs_1 in Q. exact Q.
Qed.
Definition norms (ls : params R) : list R := map (fun l => frobenius (fst l) (snd l)) ls.
Lemma frobenius_nonneg u W : 0 <= frobenius u W.
Proof. unfold frobenius. induction W as [|r W IH]; simpl; [lra|]. pose proof (dot_nonneg (row_weights 0 u r)). unfold sq at 1. lra. Qed.
Lemma norms_nonneg ls : Forall (fun a => 0 <= a) (norms ls).
Proof. unfold norms. induction ls; simpl; constructor; auto. apply frobenius_nonneg. Qed.
Lemma forward_lip al ls : 0 <= al <= 1 -> forall a b,
  sq (diff (forwardR al ls a) (forwardR al ls b)) <= prodR (norms ls) * sq (diff a b).
Proof.
  intros H. induction ls as [|[u W] ls IH]; intros a b; [simpl; lra|].
  destruct ls as [|l ls].
  - simpl. rewrite Rmult_1_r. apply layer_lip.
  - cbn [forward]. eapply Rle_trans; [apply IH|].
    change (prodR (norms ((u, W) :: l :: ls))) with (frobenius u W * prodR (norms (l :: ls))).
    pose proof (prodR_nonneg _ (norms_nonneg (l :: ls))).
    eapply Rle_trans.
    + apply Rmult_le_compat_l; auto. eapply Rle_trans; [|apply layer_lip].
      apply act_lip; auto. unfold layer. rewrite !map_length; auto.
    + right; ring.
Qed.
Lemma frobenius_uses u W : frobenius u W = squares_at u (uses W).
Proof.
  unfold frobenius. induction W as [|r W IH]; [reflexivity|]. cbn [map sumR].
  change (uses (r :: W)) with (used r ++ uses W). rewrite squares_at_app, <- IH. f_equal. apply row_weights_sq.
Qed.

(* the largest number of uses of a coordinate *)
Definition most_uses (W : matrix) : nat :=
  if ascending (uses W) then 1%nat else list_max (map (count_occ Nat.eq_dec (uses W)) (uses W)).
Lemma count_le_max E k : (count_occ Nat.eq_dec E k <= list_max (map (count_occ Nat.eq_dec E) E))%nat.
Proof.
  destruct (in_dec Nat.eq_dec k E) as [I|I].
  - assert (F := proj1 (list_max_le (map (count_occ Nat.eq_dec E) E) _) (Nat.le_refl _)).
    rewrite Forall_forall in F. apply F. apply in_map; auto.
  - apply (count_occ_not_In Nat.eq_dec) in I. rewrite I. lia.
Qed.
Lemma uses_bound W k : (count_occ Nat.eq_dec (uses W) k <= most_uses W)%nat.
Proof.
  unfold most_uses. destruct (ascending (uses W)) eqn:A; [|apply count_le_max].
  revert k. apply NoDup_count_occ. apply ascending_nodup; auto.
Qed.
(* bounds of the uses, layer by layer *)
Definition used_at_most (Ms : list nat) (ls : params R) : Prop :=
  Forall2 (fun M l => forall k, (count_occ Nat.eq_dec (uses (snd l)) k <= M)%nat) Ms ls.
Definition prod_uses (Ms : list nat) : R := prodR (map INR Ms).
Lemma prod_norms Ms ls : used_at_most Ms ls -> prodR (norms ls) <= prod_uses Ms * prodR (map (fun l => sqs (fst l)) ls).
Proof.
  unfold prod_uses. induction 1 as [|M [u W] Ms ls H F IH]; [simpl; lra|]. cbn [norms map prodR fst snd] in *.
  pose proof (squares_at_bound u (uses W) M H) as B. rewrite <- frobenius_uses in B.
  pose proof (frobenius_nonneg u W). pose proof (prodR_nonneg _ (norms_nonneg ls)).
  apply Rle_trans with (INR M * sqs u * (prodR (map INR Ms) * prodR (map (fun l => sqs (fst l)) ls))).
  - apply Rmult_le_compat; auto.
  - right; ring.
Qed.
Lemma norm2_sum ls : norm2 ls = sumR (map (fun l => sqs (fst l)) ls).
Proof. unfold norm2. induction ls as [|[u W] ls IH]; simpl; auto. rewrite IH; auto. Qed.
Lemma prod_uses_nonneg Ms : 0 <= prod_uses Ms.
Proof. apply prodR_nonneg. apply Forall_forall. intros r I. apply in_map_iff in I. destruct I as (n & E & _). subst. apply pos_INR. Qed.
Theorem lipschitz al Ms ls a b : 0 <= al <= 1 -> used_at_most Ms ls ->
  INR (length ls) ^ length ls * sq (diff (forwardR al ls a) (forwardR al ls b))
  <= prod_uses Ms * norm2 ls ^ length ls * sq (diff a b).
Proof.
  intros H HM. pose proof (forward_lip al ls H a b) as F. pose proof (prod_norms Ms ls HM) as P.
  pose proof (dot_nonneg (diff a b)) as D0. fold (sq (diff a b)) in D0.
  assert (N : 0 <= INR (length ls) ^ length ls) by (apply pow_le, pos_INR).
  pose proof (prod_uses_nonneg Ms) as U.
  assert (A : INR (length ls) ^ length ls * prodR (map (fun l => sqs (fst l)) ls) <= norm2 ls ^ length ls).
  { rewrite norm2_sum. pose proof (amgm (map (fun l => sqs (fst l)) ls)) as G.
    rewrite map_length in G. apply G. apply Forall_forall. intros r I. apply in_map_iff in I.
    destruct I as (l & E & _). subst. apply sqs_nonneg. }
  eapply Rle_trans; [apply Rmult_le_compat_l; [auto|apply F]|].
  rewrite <- Rmult_assoc. apply Rmult_le_compat_r; auto.
  eapply Rle_trans; [apply Rmult_le_compat_l; [auto|apply P]|].
  replace (INR (length ls) ^ length ls * (prod_uses Ms * prodR (map (fun l => sqs (fst l)) ls)))
    with (prod_uses Ms * (INR (length ls) ^ length ls * prodR (map (fun l => sqs (fst l)) ls))) by ring.
  apply Rmult_le_compat_l; auto.
Qed.
Lemma forward_zero al ls : forall a, (forall c, dot c a = 0) -> forall c, dot c (forwardR al ls a) = 0.
Proof.
  induction ls as [|[u W] ls IH]; intros a Ha c; [simpl; auto|].
  assert (Z : forall c, dot c (layerR u W a) = 0 /\ dot c (map (act al) (layerR u W a)) = 0).
  { unfold layer. intros c'. revert c'. induction W as [|r W IHW]; intros [|z c']; simpl; auto.
    destruct (IHW c') as [I1 I2]. rewrite row_dot_dot, Ha, I1, I2, act_0. split; ring. }
  destruct ls as [|l ls]; [apply Z|]. cbn [forward]. apply IH. intros; apply Z.
Qed.
Lemma length_bound al Ms ls a : 0 <= al <= 1 -> used_at_most Ms ls ->
  INR (length ls) ^ length ls * sq (forwardR al ls a) <= prod_uses Ms * norm2 ls ^ length ls * sq a.
Proof.
  intros H HM. pose proof (lipschitz al Ms ls a [] H HM) as L.
  assert (Z : forall c, dot c (forwardR al ls []) = 0) by (apply forward_zero; intros; apply dot_nil_r).
  assert (X : sq (diff a []) = sq a) by (unfold diff, sq; simpl; destruct a; auto).
  rewrite X in L. unfold sq in L at 1. unfold diff in L.
  rewrite dot_axpy_l, !dot_axpy_r, (dot_comm (forwardR al ls []) (forwardR al ls a)), !Z in L. unfold sq at 1. lra.
Qed.
(* from a bound of squares to nu *)
Lemma nu_from_squares g B N m K : 0 <= B -> 0 <= N -> 0 < K -> (0 <= g -> K * (g * g) <= K * (B * B) * N ^ m) ->
  g <= B * sqrt N ^ m.
Proof.
  intros HB HN HK H. assert (P : 0 <= B * sqrt N ^ m) by (apply Rmult_le_pos; auto; apply pow_le, sqrt_pos).
  destruct (Rle_lt_dec g (B * sqrt N ^ m)) as [|G]; auto. exfalso. specialize (H ltac:(lra)).
  assert (E : (B * sqrt N ^ m) * (B * sqrt N ^ m) = B * B * N ^ m).
  { replace (B * sqrt N ^ m * (B * sqrt N ^ m)) with (B * B * (sqrt N ^ m * sqrt N ^ m)) by ring.
    rewrite <- Rpow_mult_distr, sqrt_sqrt; auto. }
  assert (g * g <= B * B * N ^ m) by (apply Rmult_le_reg_l with K; auto; lra). nra.
Qed.
