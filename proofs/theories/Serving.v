(* Serving.v -- which covers serve which neurons of the competitors, and the claims that rest on it:
   margin_at_most over all regions (rule 3.7), local_optimum and global_optimum (rule 3.5b). *)
Require Import Reals ZArith QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Cover MaxMargin.TwoLayer MaxMargin.DualBound MaxMargin.Layout MaxMargin.Point.
Import ListNotations.
Open Scope R_scope.

Inductive qregion := QCell | QNear (delta : num) | QEverywhere | QAnyWidth.
Definition regionR (k : qregion) : region :=
  match k with QCell => Cell | QNear d => Near #d | QEverywhere => Everywhere | QAnyWidth => AnyWidth end.

(* two layers, one output, no weight used twice: coordinates ascend in the order of use *)
Fixpoint ascending (l : list nat) : bool :=
  match l with
  | a :: (b :: _) as l' => (a <? b)%nat && ascending l'
  | _ => true
  end.
Definition plain (th : params num) : bool :=
  is_two_layer th && forallb (fun l => ascending (uses (snd l))) th.

(* the inputs of a row are among the columns *)
Fixpoint within (r : row) (m : list bool) : bool :=
  match r, m with
  | [], _ => true
  | None :: r', [] => within r' []
  | None :: r', _ :: m' => within r' m'
  | Some _ :: r', true :: m' => within r' m'
  | Some _ :: _, _ => false
  end.
(* whether all competitors' w' of the neuron have this weak sign at x *)
Definition keeps (k : qregion) (w : list num) (m : list bool) (x : list num) (tau : bool) : bool :=
  match k with
  | QCell => if tau then positive (qdot w x) else leb (qdot w x) zero
  | QNear d =>
      let z := qdot w x in
      let s := seen zero m x in
      ltb (mul (mul d d) (mul (qdot w w) (qdot s s))) (mul z z) && Bool.eqb tau (positive z)
  | _ => false
  end.
Fixpoint cone_kept (k : qregion) (w : list num) (m : list bool) (D : list (list num * label))
         (es : list (option entry)) : bool :=
  match D, es with
  | (x, _) :: D', e :: es' =>
      match e with
      | Some e => match fixed e with Some tau => keeps k w m x tau | None => true end
      | None => true
      end && cone_kept k w m D' es'
  | _, _ => true
  end.
Definition serves (k : qregion) (p : qproblem) (n : num * row) (s : bool) (c : cover) : bool :=
  Bool.eqb s (out c) && within (snd n) (columns c)
  && cone_kept k (row_weights zero (input_layer (qtheta p)) (snd n)) (reads (snd n)) (qsamples p) (entries c).
Definition may_have (k : qregion) (v : num) (s : bool) : bool :=
  match k with
  | QCell | QNear _ => if s then nonneg v else leb v zero
  | _ => true
  end.
Definition served (k : qregion) (p : qproblem) (cs : list cover) (n : num * row) : bool :=
  forallb (fun s => negb (may_have k (fst n) s) || existsb (serves k p n s) cs) [true; false].
Definition region_ok (k : qregion) : bool := match k with QNear d => nonneg d | _ => true end.
(* nu <= B over the region, for a problem whose margin is known to be positive *)
Definition check_region (k : qregion) (p : qproblem) (B : num) (M : multipliers) (cs : list cover) : bool :=
  let sum := of_Z (fold_right Z.add 0%Z (counts M)) in
  plain (qtheta p) && region_ok k && nonneg B && positive (unit_ M) && positive (grid M) && positive sum
  && (length (qsamples p) =? length (counts M))%nat && forallb (fun n => (0 <=? n)%Z) (counts M)
  && forallb (served k p cs) (neurons zero (qtheta p))
  && forallb (check_cover (qalpha p) (qsamples p) M (mul (add B B) (mul sum (unit_ M)))) cs.

Definition check_at_most (own : option num) (p : qproblem) (k : qregion) (B : num) (M : multipliers) (cs : list cover) : bool :=
  match own with Some _ => check_region k p B M cs | None => false end.
(* nu(theta), at depth 2 *)
Definition own_ratio (p : qproblem) (g : num) : num := mul g (inv (qnorm2 (qtheta p))).
Definition check_optimum (own : option num) (p : qproblem) (global : bool) (M : multipliers) (cs : list cover) : bool :=
  match own with
  | Some g => positive (qnorm2 (qtheta p))
              && check_region (if global then QEverywhere else QNear zero) p (own_ratio p g) M cs
  | None => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma ascending_below a l : ascending (a :: l) = true -> Forall (fun b => (a < b)%nat) l.
Proof.
  revert a. induction l as [|b l IH]; intros a H; [constructor|].
  cbn [ascending] in H. apply andb_prop in H. destruct H as [H1 H2]. apply Nat.ltb_lt in H1.
  constructor; auto. eapply Forall_impl; [|apply (IH b H2)]. simpl. intros; lia.
Qed.
Lemma ascending_nodup l : ascending l = true -> NoDup l.
Proof.
  induction l as [|a l IH]; intros H; constructor.
  - intros I. pose proof (ascending_below _ _ H) as F. rewrite Forall_forall in F. specialize (F a I). lia.
  - apply IH. destruct l; auto. cbn [ascending] in H. apply andb_prop in H. tauto.
Qed.
Lemma plain_ok th : plain th = true -> is_two_layer (thR th) = true /\ no_sharing (thR th).
Proof.
  unfold plain. intros H. apply andb_prop in H. destruct H as [H1 H2]. split.
  - unfold is_two_layer, thR in *. destruct th as [|[u W] [|[v [|r [|]]] [|]]]; auto.
  - unfold no_sharing, thR. apply Forall_forall. intros l I. apply in_map_iff in I. destruct I as (l' & E & I).
    subst l. rewrite forallb_forall in H2. apply ascending_nodup, (H2 _ I).
Qed.
Lemma within_ok r : forall m, within r m = true -> forall c, nth c r None <> None -> nth c m false = true.
Proof.
  induction r as [|[k|] r IH]; intros m H c C.
  - destruct c; simpl in C; congruence.
  - destruct m as [|[|] m]; simpl in H; try discriminate. destruct c; auto. apply (IH _ H c C).
  - destruct m as [|b m]; simpl in H; destruct c; simpl in C; try congruence.
    + specialize (IH _ H c C). destruct c; discriminate.
    + apply (IH _ H c C).
Qed.
Lemma reads_nth r : forall c, nth c (reads r) false = true <-> nth c r None <> None.
Proof.
  unfold reads. induction r as [|[k|] r IH]; intros [|c]; simpl; split; intros; try congruence; auto; apply IH; auto.
Qed.
Lemma seen_R m : forall x, vR (seen zero m x) = seen 0 m (vR x).
Proof.
  induction m as [|b m IH]; intros [|a x]; auto. cbn [seen vR map]. fold (vR x) (vR (seen zero m x)).
  rewrite IH. destruct b; auto. rewrite toR_0. auto.
Qed.
Lemma input_layer_R th : input_layer (thR th) = vR (input_layer th).
Proof. destruct th as [|[u W] th]; auto. Qed.
Lemma neurons_R th : neurons 0 (thR th) = map (fun n => (#(fst n), snd n)) (neurons zero th).
Proof.
  unfold neurons, thR. destruct th as [|[u W] [|[v [|r [|]]] [|]]]; auto. cbn [map fst snd].
  revert W. induction r as [|[k|] r IH]; intros [|w W]; auto; cbn [combine flat_map map app fst snd].
  - rewrite IH, nth_vR. auto.
  - apply IH.
Qed.
Lemma sees_ok m u r D : (forall c, nth c r None <> None -> nth c m false = true) -> sees m D (row_weights 0 u r).
Proof. intros H x y _. rewrite seen_R. apply seen_dot, H. Qed.
Lemma dataR_in D x y : In (x, y) D -> In (vR x, y) (dataR D).
Proof. intros I. apply in_map_iff. exists (x, y). auto. Qed.

(* what a region says of one neuron of theta and its counterpart's input weights *)
Definition kept_in (k : qregion) (D : data) (m : list bool) (w w' : vec) : Prop :=
  match k with
  | QCell => cell_kept D w w'
  | QNear d => near_kept #d D m w w'
  | _ => True
  end.
Lemma keeps_ok k D w m x y tau w' : region_ok k = true -> In (x, y) D -> keeps k w m x tau = true ->
  kept_in k (dataR D) m (vR w) w' -> has_sign tau (dot w' (vR x)).
Proof.
  intros HR I K N. destruct k as [|d| |]; simpl in K; try discriminate; simpl in N, HR.
  - specialize (N _ _ (dataR_in _ _ _ I)). rewrite <- qdot_ok in N. destruct tau; simpl; tests; num; apply N; lra.
  - specialize (N _ _ (dataR_in _ _ _ I)). rewrite <- seen_R, <- qdot_ok in N. tests. num.
    rewrite !qdot_ok in H. rewrite !qdot_ok in N.
    set (z := dot (vR w) (vR x)) in *. set (a := vR w) in *. set (b := vR (seen zero m x)) in *.
    rewrite <- (norm_sq a), <- (norm_sq b) in H.
    pose proof (norm_nonneg a). pose proof (norm_nonneg b).
    assert (P : #d * (norm a * norm b) < Rabs z).
    { assert (0 <= #d * (norm a * norm b)) by (apply Rmult_le_pos; [auto|apply Rmult_le_pos; auto]).
      destruct (Rlt_le_dec (#d * (norm a * norm b)) (Rabs z)) as [|L]; auto. exfalso.
      assert (Rabs z * Rabs z <= (#d * (norm a * norm b)) * (#d * (norm a * norm b))) by
        (apply Rmult_le_compat; try apply Rabs_pos; exact L).
      assert (Rabs z * Rabs z = z * z) by (rewrite <- Rabs_mult; apply Rabs_right; nra). nra. }
    specialize (N P). apply eqb_prop in H0.
    destruct (positive (qdot w x)) eqn:S; subst tau; simpl.
    + tests. rewrite qdot_ok in S. fold z in S. apply Rmult_le_reg_l with z; auto. lra.
    + unfold positive, ltb in S. apply negb_false_iff, leb_le in S. num. rewrite qdot_ok in S.
      change (z <= 0) in S.
      assert (ZN : z <> 0).
      { intros Z. rewrite Z in H. pose proof (Rle_0_sqr (#d * (norm a * norm b))) as Q. unfold Rsqr in Q. lra. }
      assert (z < 0) by lra. nra.
Qed.
Lemma cone_kept_ok k w m w' : region_ok k = true -> forall D es D0, (forall x y, In (x, y) D -> In (x, y) D0) ->
  cone_kept k w m D es = true -> kept_in k (dataR D0) m (vR w) w' -> in_cone D es w'.
Proof.
  intros HR. induction D as [|[x y] D IH]; intros [|e es] D0 HD K N; cbn [cone_kept in_cone] in *; auto.
  apply andb_prop in K. destruct K as [K1 K2]. split.
  - destruct e as [e|]; auto. destruct (fixed e) as [tau|]; auto.
    apply (keeps_ok k D0 w m x y); auto. apply HD. left; auto.
  - apply (IH es D0); auto. intros. apply HD. right; auto.
Qed.

(* neurons of competitors: v', row, and a neuron of theta whose covers serve it *)
Definition matched (k : qregion) (p : qproblem) (w' : R * row) (u' : vec) : Prop :=
  exists n, In n (neurons zero (qtheta p)) /\
    (forall c, nth c (snd w') None <> None -> nth c (snd n) None <> None) /\
    match k with
    | QCell | QNear _ => sign_kept #(fst n) (fst w') /\
        kept_in k (dataR (qsamples p)) (reads (snd n))
          (vR (row_weights zero (input_layer (qtheta p)) (snd n))) (row_weights 0 u' (snd w'))
    | _ => True
    end.
Lemma serves_ok k p n s c v' r' u' : region_ok k = true -> serves k p n s c = true ->
  (forall c, nth c r' None <> None -> nth c (snd n) None <> None) ->
  kept_in k (dataR (qsamples p)) (reads (snd n))
          (vR (row_weights zero (input_layer (qtheta p)) (snd n))) (row_weights 0 u' r') ->
  0 < ssign s * v' ->
  out c = s /\ sees (columns c) (qsamples p) (row_weights 0 u' r') /\
  in_cone (qsamples p) (entries c) (row_weights 0 u' r').
Proof.
  unfold serves. intros HR K HI HK _. apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K.
  destruct K as [K1 K2]. apply eqb_prop in K1. split; [auto|split].
  - apply sees_ok. intros j J. apply (within_ok _ _ K2), HI, J.
  - eapply cone_kept_ok; eauto.
Qed.
Lemma served_ok k p cs v' r' u' s : region_ok k = true ->
  forallb (served k p cs) (neurons zero (qtheta p)) = true ->
  matched k p (v', r') u' -> 0 < ssign s * v' ->
  exists c, In c cs /\ out c = s /\ sees (columns c) (qsamples p) (row_weights 0 u' r') /\
    in_cone (qsamples p) (entries c) (row_weights 0 u' r').
Proof.
  intros HR K (n & I & HI & HK) HS. rewrite forallb_forall in K. specialize (K n I). unfold served in K.
  rewrite forallb_forall in K. specialize (K s ltac:(destruct s; simpl; auto)). cbn [snd] in HI.
  assert (M : may_have k (fst n) s = true).
  { destruct k; auto; simpl in *; destruct HK as [[P N] _]; destruct s; simpl in *.
    1,3: destruct (nonneg (fst n)) eqn:E; auto; unfold nonneg in E; apply leb_gt in E; num; specialize (N E); lra.
    all: destruct (leb (fst n) zero) eqn:E; auto; apply leb_gt in E; num; specialize (P E); lra. }
  rewrite M in K. simpl in K. apply existsb_exists in K. destruct K as (c & C & S).
  exists c. split; auto. apply (serves_ok k p n s c v' r' u'); auto.
  destruct k; simpl; auto; apply HK.
Qed.

Lemma lam_sum M : sumR (multipliersR M) = IZR (fold_right Z.add 0%Z (counts M)) * #(unit_ M).
Proof.
  unfold multipliersR. induction (counts M) as [|n l IH]; simpl; [ring|]. rewrite IH, plus_IZR. ring.
Qed.
Lemma labels_binary p : well_formed (qtheta p) (qsamples p) = true -> outputs (qtheta p) = 1%nat ->
  forall x y, In (x, y) (qsamples p) -> exists b, sign_of y = Some b /\ ysign b = side y.
Proof.
  unfold well_formed. intros H HO x y I. destruct (qsamples p) as [|[x0 y0] D]; [discriminate|].
  apply andb_prop in H. destruct H as [_ H]. rewrite forallb_forall in H. specialize (H _ I).
  apply andb_prop in H. destruct H as [_ H]. rewrite HO in H. cbn [snd] in H.
  destruct y; [exists false|exists true|discriminate]; auto.
Qed.

(* the dual bound for one competitor whose neurons are matched *)
Theorem check_region_ok k p B M cs th' u' W' v' r' :
  0 <= #(qalpha p) <= 1 -> well_formed (qtheta p) (qsamples p) = true ->
  check_region k p B M cs = true ->
  th' = [(u', W'); (v', [r'])] -> no_sharing th' ->
  (forall n, In n (neurons 0 th') -> matched k p n u') ->
  nu_at_most #B (problemR p) th'.
Proof.
  unfold check_region. intros HA HW K ET HN HM.
  apply andb_prop in K. destruct K as [K HC]. apply andb_prop in K. destruct K as [K HV].
  apply andb_prop in K. destruct K as [K HF]. apply andb_prop in K. destruct K as [K HL].
  apply andb_prop in K. destruct K as [K HS]. apply andb_prop in K. destruct K as [K HG].
  apply andb_prop in K. destruct K as [K HU]. apply andb_prop in K. destruct K as [K HB].
  apply andb_prop in K. destruct K as [HP HR].
  tests. apply Nat.eqb_eq in HL. num. rewrite forallb_forall in HF, HC.
  intros gam Hg. subst th'. cbn [problemR alpha samples] in Hg.
  destruct (plain_ok _ HP) as [HT _]. apply two_layer_shape in HT. destruct HT as (u & W & v & r & E & _).
  assert (HO : outputs (qtheta p) = 1%nat) by (rewrite <- outputs_thR, E; auto).
  assert (HM' : forall x y, In (x, y) (dataR (qsamples p)) ->
            gam <= side y * net #(qalpha p) (neuron_list [(u', W'); (v', [r'])]) x).
  { intros x y I. apply in_map_iff in I. destruct I as ([x0 y0] & E0 & I). inversion E0; subst.
    destruct (labels_binary p HW HO _ _ I) as (b & S & Y). cbn [snd fst] in *. rewrite <- Y, <- net_ok.
    eapply sample_constraint; [apply dataR_in, I|exact S|exact Hg]. }
  assert (D : 2 * (gam * sumR (multipliersR M)) <=
     (2 * #B * sumR (multipliersR M)) * lengths (neuron_list [(u', W'); (v', [r'])])).
  { rewrite lam_sum. set (S := IZR (fold_right Z.add 0%Z (counts M)) * #(unit_ M)).
    assert (SP : 0 < S) by (apply Rmult_lt_0_compat; auto).
    assert (Q : 2 * (gam * sumR (multipliersR M)) <= (2 * #B * S) * lengths (neuron_list [(u', W'); (v', [r'])])).
    { apply dual_bound with (al := #(qalpha p)) (D := dataR (qsamples p)); auto.
      - unfold dataR, multipliersR. rewrite !map_length; auto.
      - unfold multipliersR. apply Forall_forall. intros l I. apply in_map_iff in I. destruct I as (n & En & I).
        subst l. specialize (HF _ I). apply Z.leb_le, IZR_le in HF. apply Rmult_le_pos; lra.
      - apply Rmult_le_pos; lra.
      - intros a w s I V. unfold neuron_list in I. apply in_map_iff in I. destruct I as ([a' rw] & E1 & I).
        inversion E1; subst. cbn [fst snd] in *.
        destruct (served_ok k p cs a rw u' s HR HV (HM _ I) V) as (c & C & O & SE & IC). subst s.
        specialize (HC c C). unfold weights_of, input_layer.
        pose proof (check_cover_ok _ _ _ _ _ HA HG HU HC _ SE IC) as X. num.
        replace (2 * #B * S) with ((#B + #B) * (IZR (fold_right Z.add 0%Z (counts M)) * #(unit_ M))) by (unfold S; ring).
        exact X. }
    rewrite lam_sum in Q. exact Q. }
  rewrite lam_sum in D. set (S := IZR (fold_right Z.add 0%Z (counts M)) * #(unit_ M)) in *.
  assert (SP : 0 < S) by (apply Rmult_lt_0_compat; auto).
  pose proof (lengths_le u' W' v' r' HN) as L.
  cbn [length]. rewrite <- Rsqr_pow2, Rsqr_sqrt by apply norm2_nonneg.
  assert (gam <= #B * lengths (neuron_list [(u', W'); (v', [r'])])).
  { apply Rmult_le_reg_l with (2 * S); [lra|]. nra. }
  assert (#B * lengths (neuron_list [(u', W'); (v', [r'])]) <= #B * norm2 [(u', W'); (v', [r'])]); [|lra].
  apply Rmult_le_compat_l; auto.
Qed.
