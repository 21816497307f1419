(* TwoLayer.v -- a network of two layers and one output as a list of neurons, and why its neurons'
   squared lengths sum to at most |theta|^2 when no weight is shared. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors.
Import ListNotations.
Open Scope R_scope.

(* (v, w) per neuron *)
Definition neuron := (R * vec)%type.
Definition neuron_list (th : params R) : list neuron :=
  map (fun n => (fst n, weights_of th (snd n))) (neurons 0 th).
Fixpoint net (al : R) (ns : list neuron) (x : vec) : R :=
  match ns with [] => 0 | (v, w) :: ns' => v * act al (dot w x) + net al ns' x end.
Fixpoint lengths (ns : list neuron) : R :=
  match ns with [] => 0 | (v, w) :: ns' => v * v + dot w w + lengths ns' end.

Lemma row_dot_dot u r : forall a, row_dot 0 Rplus Rmult u r a = dot (row_weights 0 u r) a.
Proof. induction r as [|[k|] r IH]; intros [|z a]; simpl; auto; rewrite IH; ring. Qed.

Lemma two_layer_shape {A} (th : params A) : is_two_layer th = true ->
  exists u W v r, th = [(u, W); (v, [r])] /\ length r = length W.
Proof.
  unfold is_two_layer. destruct th as [|[u W] [|[v [|r [|? ?]]] [|? ?]]]; try discriminate.
  intros H. apply Nat.eqb_eq in H. exists u, W, v, r. auto.
Qed.
Lemma net_ok al u W v r x :
  nth 0 (forward 0 Rplus Rmult (act al) [(u, W); (v, [r])] x) 0
  = net al (neuron_list [(u, W); (v, [r])]) x.
Proof.
  cbn [forward]. unfold layer at 1. cbn [map nth]. unfold neuron_list, neurons, weights_of, input_layer, layer.
  revert W. induction r as [|[k|] r IH]; intros [|row W]; simpl; auto.
  rewrite IH, row_dot_dot. auto.
Qed.

(* sums of squares over indices *)
Definition squares_at (u : vec) (E : list nat) := sumR (map (fun k => nth k u 0 * nth k u 0) E).
Definition sqs (u : vec) := sum_squares 0 Rplus Rmult u.
Lemma sqs_nonneg u : 0 <= sqs u.
Proof. unfold sqs. induction u; simpl; [lra|nra]. Qed.
Lemma squares_at_app u a b : squares_at u (a ++ b) = squares_at u a + squares_at u b.
Proof. unfold squares_at. rewrite map_app, sumR_app. auto. Qed.
Lemma row_weights_sq u r : dot (row_weights 0 u r) (row_weights 0 u r) = squares_at u (used r).
Proof.
  induction r as [|[k|] r IH]; simpl; auto.
  - unfold squares_at in *. simpl. unfold used in IH. rewrite IH. auto.
  - rewrite IH. unfold used. ring.
Qed.
(* no index more than M times *)
Lemma squares_at_bound u : forall E M, (forall k, count_occ Nat.eq_dec E k <= M)%nat ->
  squares_at u E <= INR M * sqs u.
Proof.
  induction u as [|c u IH]; intros E M H.
  - unfold sqs; simpl. right. rewrite Rmult_0_r. clear H.
    induction E as [|k E IHE]; unfold squares_at in *; simpl; auto. destruct k; simpl in *; lra.
  - pose (E' := flat_map (fun k => match k with O => [] | S j => [j] end) E).
    assert (A : squares_at (c :: u) E = INR (count_occ Nat.eq_dec E 0%nat) * (c * c) + squares_at u E').
    { unfold E'. clear H E'. induction E as [|k E IHE]; [unfold squares_at; simpl; ring|].
      change (squares_at (c :: u) (k :: E)) with (nth k (c :: u) 0 * nth k (c :: u) 0 + squares_at (c :: u) E).
      rewrite IHE. destruct k.
      - rewrite count_occ_cons_eq by auto. rewrite S_INR. change (nth 0 (c :: u) 0) with c.
        cbn [flat_map app]. ring.
      - rewrite count_occ_cons_neq by discriminate. change (nth (S k) (c :: u) 0) with (nth k u 0).
        cbn [flat_map app]. unfold squares_at. cbn [map sumR]. ring. }
    assert (B : (forall k, count_occ Nat.eq_dec E' k <= M)%nat).
    { intros k. specialize (H (S k)). replace (count_occ Nat.eq_dec E' k) with (count_occ Nat.eq_dec E (S k)); auto.
      unfold E'. clear. induction E as [|j E IHE]; simpl; auto.
      destruct j as [|j]; simpl; [destruct (Nat.eq_dec 0 (S k)); [discriminate|auto]|].
      destruct (Nat.eq_dec (S j) (S k)), (Nat.eq_dec j k); try lia. }
    specialize (IH E' M B). rewrite A. unfold sqs in *. simpl.
    specialize (H 0%nat). apply le_INR in H. assert (0 <= c * c) by nra. nra.
Qed.
Lemma squares_at_nodup u E : NoDup E -> squares_at u E <= sqs u.
Proof.
  intros H. pose proof (squares_at_bound u E 1) as B. simpl in B.
  assert (X : forall k, (count_occ Nat.eq_dec E k <= 1)%nat) by (apply NoDup_count_occ; auto).
  specialize (B X). lra.
Qed.
Lemma squares_at_nonneg u E : 0 <= squares_at u E.
Proof. unfold squares_at. induction E; simpl; [lra|nra]. Qed.

Lemma lengths_rows u v r : forall W,
  lengths (map (fun n : R * row => (fst n, row_weights 0 u (snd n)))
    (flat_map (fun p : option nat * row => match fst p with Some k => [(nth k v 0, snd p)] | None => [] end)
       (combine r W)))
  <= squares_at u (uses W) + squares_at v (used r).
Proof.
  induction r as [|o r IH]; intros W.
  - pose proof (squares_at_nonneg u (uses W)). pose proof (squares_at_nonneg v (used [])).
    cbn [combine flat_map map lengths]. lra.
  - destruct W as [|row W].
    + pose proof (squares_at_nonneg u (uses [])). pose proof (squares_at_nonneg v (used (o :: r))).
      cbn [combine flat_map map lengths]. lra.
    + specialize (IH W). change (uses (row :: W)) with (used row ++ uses W). rewrite squares_at_app.
      pose proof (squares_at_nonneg u (used row)).
      destruct o as [k|]; cbn [combine flat_map map lengths fst snd app].
      * change (used (Some k :: r)) with ([k] ++ used r). rewrite squares_at_app, row_weights_sq.
        assert (E : squares_at v [k] = nth k v 0 * nth k v 0) by (unfold squares_at; simpl; ring).
        rewrite E. apply Rle_trans with (nth k v 0 * nth k v 0 + squares_at u (used row)
          + (squares_at u (uses W) + squares_at v (used r))); [apply Rplus_le_compat_l, IH|].
        right. ring.
      * change (used (None :: r)) with (used r). lra.
Qed.
Lemma lengths_le u W v r : no_sharing [(u, W); (v, [r])] ->
  lengths (neuron_list [(u, W); (v, [r])]) <= norm2 [(u, W); (v, [r])].
Proof.
  intros H. inversion H as [|? ? H1 H']; subst. inversion H' as [|? ? H2 _]; subst. cbn [snd] in H1, H2.
  unfold uses in H2. cbn [flat_map] in H2. rewrite app_nil_r in H2.
  apply (squares_at_nodup u) in H1. apply (squares_at_nodup v) in H2.
  pose proof (lengths_rows u v r W) as L.
  change (norm2 [(u, W); (v, [r])]) with (sqs u + (sqs v + 0)).
  unfold neuron_list, neurons, weights_of, input_layer. eapply Rle_trans; [exact L|lra].
Qed.

(* the neurons of one architecture, in the same order *)
Lemma same_rows a b : same_architecture a b -> is_two_layer a = true ->
  Forall2 (fun n m => snd n = snd m) (neurons 0 a) (neurons 0 b).
Proof.
  intros H T. apply two_layer_shape in T. destruct T as (u & W & v & r & E & _). subst a.
  inversion H as [|? [u' W'] ? ? [E1 _] H1]; subst. inversion H1 as [|? [v' R'] ? ? [E2 _] H2]; subst.
  inversion H2; subst. simpl in *. subst. clear.
  revert W'. induction r as [|[k|] r IH]; intros [|row W]; simpl; try constructor; auto; apply IH.
Qed.
Lemma same_two_layer a b : same_architecture a b -> is_two_layer a = true -> is_two_layer b = true.
Proof.
  intros H T. apply two_layer_shape in T. destruct T as (u & W & v & r & E & L). subst a.
  inversion H as [|? [u' W'] ? ? [E1 _] H1]; subst. inversion H1 as [|? [v' R'] ? ? [E2 _] H2]; subst.
  inversion H2; subst. simpl in *. subst. apply Nat.eqb_eq, L.
Qed.
Lemma same_no_sharing a b : same_architecture a b -> no_sharing a -> no_sharing b.
Proof.
  unfold no_sharing. intros H. induction H as [|[u W] [u' W'] a b [E _] H IH]; intros F; constructor;
    inversion F; subst; simpl in *; subst; auto.
Qed.

Lemma seen_dot m : forall r u x, (forall c, nth c r None <> None -> nth c m false = true) ->
  dot (row_weights 0 u r) (seen 0 m x) = dot (row_weights 0 u r) x.
Proof.
  induction m as [|b m IH]; intros r u x H.
  - cbn [seen]. rewrite dot_nil_r. revert x. assert (Z : forall x, dot (row_weights 0 u r) x = 0); [|intros; rewrite Z; auto].
    induction r as [|o r IHr]; intros x; simpl; auto. destruct x; auto.
    rewrite IHr; [|intros c C; specialize (H (S c) C); destruct c; discriminate].
    destruct o; [|ring]. specialize (H 0%nat ltac:(discriminate)). discriminate.
  - destruct r as [|o r]; [destruct x; auto|]. destruct x as [|a x]; [auto|].
    cbn [seen row_weights map dot]. fold (row_weights 0 u r).
    rewrite (IH r u x) by (intros c C; apply (H (S c) C)).
    destruct b; auto. destruct o as [k|]; [|ring]. specialize (H 0%nat ltac:(discriminate)). discriminate.
Qed.
