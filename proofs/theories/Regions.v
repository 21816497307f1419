(* Regions.v -- soundness of what Serving.v checks: every competitor of a region has neurons that the
   covers serve, so margin_at_most; and with T = 2 nu Sum lambda, local and global optimality. *)
Require Import Reals ZArith QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Point MaxMargin.TwoLayer MaxMargin.DualBound MaxMargin.Layout MaxMargin.Serving.
Import ListNotations.
Open Scope R_scope.

Lemma Forall2_in_r {A B} (P : A -> B -> Prop) l l' b : Forall2 P l l' -> In b l' -> exists a, In a l /\ P a b.
Proof.
  induction 1; intros I; [destruct I|]. destruct I as [I|I].
  - subst. exists x. split; [left|]; auto.
  - destruct (IHForall2 I) as (a & A1 & A2). exists a. split; [right|]; auto.
Qed.
Lemma Forall2_and {A B} (P Q : A -> B -> Prop) l l' : Forall2 P l l' -> Forall2 Q l l' ->
  Forall2 (fun a b => P a b /\ Q a b) l l'.
Proof. intros H. induction H; intros K; inversion K; subst; constructor; auto. Qed.

Lemma shape_same th th' : is_two_layer (thR th) = true -> same_architecture (thR th) th' ->
  exists u W v r u' v', th = [(u, W); (v, [r])] /\ th' = [(u', W); (v', [r])].
Proof.
  intros T S. destruct th as [|[u W] [|[v [|r [|]]] [|]]]; try discriminate.
  inversion S as [|? [u' W'] ? ? [E1 _] S1]; subst. inversion S1 as [|? [v' R'] ? ? [E2 _] S2]; subst.
  inversion S2; subst. simpl in E1, E2. subst. do 6 eexists. split; reflexivity.
Qed.
(* the counterpart of a neuron of theta' *)
Lemma counterpart th th' n' P : is_two_layer (thR th) = true -> same_architecture (thR th) th' ->
  Forall2 P (neurons 0 (thR th)) (neurons 0 th') -> In n' (neurons 0 th') ->
  exists n, In n (neurons zero th) /\ snd n = snd n' /\ P (#(fst n), snd n) n'.
Proof.
  intros T S F I. pose proof (Forall2_and _ _ _ _ (same_rows _ _ S T) F) as F2.
  destruct (Forall2_in_r _ _ _ _ F2 I) as (a & A & E & Q). rewrite neurons_R in A.
  apply in_map_iff in A. destruct A as (n & En & A). subst a. exists n. auto.
Qed.
Lemma neurons_nth {A} (z : A) v (r0 : row) : forall (r : row) (W : matrix) j k, nth_error W j = Some r0 -> nth j r None = Some k ->
  In (nth k v z, r0)
    (flat_map (fun p : option nat * row => match fst p with Some k => [(nth k v z, snd p)] | None => [] end) (combine r W)).
Proof.
  induction r as [|o r IH]; intros [|w W] [|j] k N M; simpl in *; try discriminate.
  - inversion N; inversion M; subst. left; auto.
  - destruct o; [right|]; apply IH with j; auto.
Qed.
Lemma neurons_row {A} (z : A) v (n : A * row) : forall (r : row) (W : matrix),
  In n (flat_map (fun p : option nat * row => match fst p with Some k => [(nth k v z, snd p)] | None => [] end) (combine r W)) ->
  In (snd n) W.
Proof.
  induction r as [|o r IH]; intros [|w W] I; simpl in *; try contradiction.
  destruct o; simpl in I; auto. destruct I as [I|I]; auto. subst. left; auto.
Qed.

Lemma region_matched k p th' : plain (qtheta p) = true -> in_region (regionR k) (problemR p) th' ->
  no_sharing th' /\ exists u' W' v' r', th' = [(u', W'); (v', [r'])] /\
    forall n, In n (neurons 0 th') -> matched k p n u'.
Proof.
  intros HP HI. destruct (plain_ok _ HP) as [T N].
  assert (SAME : same_architecture (thR (qtheta p)) th' -> forall P,
    Forall2 P (neurons 0 (thR (qtheta p))) (neurons 0 th') ->
    (forall n n', In n (neurons zero (qtheta p)) -> snd n = snd n' -> P (#(fst n), snd n) n' ->
       matched k p n' (input_layer th')) ->
    no_sharing th' /\ exists u' W' v' r', th' = [(u', W'); (v', [r'])] /\
      forall n, In n (neurons 0 th') -> matched k p n u').
  { intros S P F M. split; [apply (same_no_sharing _ _ S N)|].
    destruct (shape_same _ _ T S) as (u & W & v & r & u' & v' & E & E'). exists u', W, v', r. split; auto.
    intros n' I. destruct (counterpart _ _ _ _ T S F I) as (n & A & B & C). subst th'. apply (M n n' A B C). }
  destruct k as [|d| |]; simpl in HI.
  - destruct HI as [S F]. apply (SAME S _ F). intros n n' I E [Q1 Q2]. cbn [fst snd] in Q1, Q2. exists n.
    split; [auto|split; [intros c; rewrite E; auto|split; [exact Q1|]]].
    unfold weights_of in Q2. rewrite input_layer_R, row_weights_R in Q2. exact Q2.
  - destruct HI as [S F]. apply (SAME S _ F). intros n n' I E [Q1 Q2]. cbn [fst snd] in Q1, Q2. exists n.
    split; [auto|split; [intros c; rewrite E; auto|split; [exact Q1|]]].
    unfold weights_of in Q2. rewrite input_layer_R, row_weights_R in Q2. exact Q2.
  - apply (SAME HI _ (same_rows _ _ HI T)). intros n n' I E _. exists n. split; [auto|split; auto].
    intros c. rewrite E. auto.
  - destruct HI as (HL & HN & HO & _ & HE). cbn [theta problemR] in *.
    assert (L2 : length (thR (qtheta p)) = 2%nat).
    { apply two_layer_shape in T. destruct T as (u & W & v & r & E & _). rewrite E. auto. }
    specialize (HE L2). split; auto. rewrite L2 in HL.
    destruct (qtheta p) as [|[u W] [|[v [|r [|]]] [|]]] eqn:ET; try discriminate. cbn [thR map fst snd] in *.
    destruct th' as [|[u' W'] [|[v' R'] [|]]]; try discriminate.
    unfold outputs in HO. simpl in HO. destruct R' as [|r' [|]]; try discriminate.
    exists u', W', v', r'. split; auto. intros n I. pose proof (neurons_row _ _ _ _ _ I) as IR.
    destruct (HE _ IR) as (j & r0 & E1 & (o & E2 & E3) & E4). cbn [input_matrix] in E1.
    destruct E2 as [E2|[]]. subst o. destruct (nth j r None) as [k|] eqn:K; [|congruence].
    exists (nth k v zero, r0). rewrite ET. split; [exact (neurons_nth zero v r0 r W j k E1 K)|split; auto].
Qed.

Theorem region_sound k p B M cs g : classified p = Some g -> check_region k p B M cs = true ->
  forall th', in_region (regionR k) (problemR p) th' -> nu_at_most #B (problemR p) th'.
Proof.
  intros C K th' HI. destruct (classified_ok _ _ C) as (HA & HW & _ & _).
  cbn [problemR alpha theta samples] in HA, HW. rewrite well_formed_R in HW.
  assert (HP : plain (qtheta p) = true).
  { revert K. unfold check_region. destruct (plain (qtheta p)); auto. }
  destruct (region_matched k p th' HP HI) as (HN & u' & W' & v' & r' & E & HM).
  eapply check_region_ok; eauto.
Qed.
Theorem at_most_sound p k B M cs : check_at_most (classified p) p k B M cs = true ->
  holds (problemR p) (MarginAtMost (regionR k) #B).
Proof.
  unfold check_at_most. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K.
  apply (holds_intro p g); auto. exact (region_sound k p B M cs g C K).
Qed.

(* nu(theta') <= nu(theta) means that theta' is no better *)
Lemma nu_no_better p g th' : 0 < g -> 0 < norm2 (theta p) -> length th' = 2%nat ->
  nu_at_most (g * / norm2 (theta p)) p th' -> no_better All p g th'.
Proof.
  intros HG HN HL H HM. simpl. specialize (H g HM). rewrite HL in H.
  rewrite <- Rsqr_pow2, Rsqr_sqrt in H by apply norm2_nonneg.
  set (N := norm2 (theta p)) in *. set (N' := norm2 th') in *.
  apply Rmult_le_reg_l with (g * / N).
  - apply Rmult_lt_0_compat; auto. apply Rinv_0_lt_compat; auto.
  - replace (g * / N * N) with g; auto. field. lra.
Qed.

(* ---- every nearby network is in near 0 ------------------------------------------------------ *)
Definition close_vec (e : R) (w w' : vec) := Forall2 (fun a b => Rabs (a - b) < e) w w'.
Fixpoint l1 (x : vec) : R := match x with [] => 0 | a :: t => Rabs a + l1 t end.
Lemma l1_nonneg x : 0 <= l1 x.
Proof. induction x; simpl; [lra|]. pose proof (Rabs_pos a); lra. Qed.
Lemma dot_close e w w' : close_vec e w w' -> forall x, 0 <= e -> Rabs (dot w x - dot w' x) <= e * l1 x.
Proof.
  induction 1; intros [|z x'] He; simpl.
  - rewrite Rminus_0_r, Rabs_R0; lra.
  - rewrite Rminus_0_r, Rabs_R0; pose proof (l1_nonneg x'); pose proof (Rabs_pos z); nra.
  - rewrite Rminus_0_r, Rabs_R0; lra.
  - replace (x * z + dot l x' - (y * z + dot l' x')) with ((x - y) * z + (dot l x' - dot l' x')) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
    specialize (IHForall2 x' He). pose proof (Rabs_pos z).
    assert (Rabs (x - y) * Rabs z <= e * Rabs z) by (apply Rmult_le_compat_r; lra). lra.
Qed.
Lemma close_mono e e' w w' : e <= e' -> close_vec e w w' -> close_vec e' w w'.
Proof. intros H C. induction C; constructor; auto. lra. Qed.
Lemma close_nth e u u' k : close_vec e u u' -> 0 < e -> Rabs (nth k u 0 - nth k u' 0) < e.
Proof.
  intros C HE. revert k. induction C; intros [|k]; simpl; auto; rewrite Rminus_0_r, Rabs_R0; auto.
Qed.
Lemma close_row e u u' r : close_vec e u u' -> 0 < e -> close_vec e (row_weights 0 u r) (row_weights 0 u' r).
Proof.
  intros C HE. induction r as [|[k|] r IH]; simpl; constructor; auto.
  - apply close_nth; auto.
  - rewrite Rminus_0_r, Rabs_R0; auto.
Qed.
Lemma sign_stays w x : exists e, 0 < e /\ forall w', close_vec e w w' -> dot w x <> 0 -> 0 <= dot w x * dot w' x.
Proof.
  pose proof (l1_nonneg x) as L. destruct (Req_dec (dot w x) 0) as [Z|Z].
  - exists 1. split; [lra|]. intros. contradiction.
  - exists (Rabs (dot w x) / (l1 x + 1)). assert (A : 0 < Rabs (dot w x)) by (apply Rabs_pos_lt; auto).
    split; [apply Rdiv_lt_0_compat; lra|]. intros w' C _.
    assert (E : 0 <= Rabs (dot w x) / (l1 x + 1)) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
    pose proof (dot_close _ _ _ C x E) as B.
    assert (Rabs (dot w x) / (l1 x + 1) * l1 x <= Rabs (dot w x)).
    { apply Rmult_le_reg_r with (l1 x + 1); [lra|].
      replace (Rabs (dot w x) / (l1 x + 1) * l1 x * (l1 x + 1)) with (Rabs (dot w x) * l1 x) by (field; lra). nra. }
    revert B H A. unfold Rabs. repeat destruct (Rcase_abs _); intros; nra.
Qed.
Definition stays_near (D : data) (a b : R * row) (u u' : vec) : Prop :=
  sign_kept (fst a) (fst b) /\ near_kept 0 D (reads (snd a)) (row_weights 0 u (snd a)) (row_weights 0 u' (snd b)).
Lemma neuron_stays D a u : exists e, 0 < e /\ forall b u', snd a = snd b -> Rabs (fst a - fst b) < e ->
  close_vec e u u' -> stays_near D a b u u'.
Proof.
  assert (X : exists e, 0 < e /\ forall w', close_vec e (row_weights 0 u (snd a)) w' -> forall x y, In (x, y) D ->
      dot (row_weights 0 u (snd a)) x <> 0 -> 0 <= dot (row_weights 0 u (snd a)) x * dot w' x).
  { induction D as [|[x y] D (e & E & IH)].
    - exists 1. split; [lra|]. intros w' _ x y [].
    - destruct (sign_stays (row_weights 0 u (snd a)) x) as (e' & E' & K). exists (Rmin e e').
      split; [apply Rmin_pos; auto|]. intros w' C s t [I|I].
      + inversion I; subst. apply K. eapply close_mono; [apply Rmin_r|eauto].
      + eapply IH; eauto. eapply close_mono; [apply Rmin_l|eauto]. }
  destruct X as (e & E & X).
  assert (Y : exists f, 0 < f /\ forall v', Rabs (fst a - v') < f -> sign_kept (fst a) v').
  { destruct (Req_dec (fst a) 0) as [Z|Z].
    - exists 1. split; [lra|]. intros v' _. split; intros; lra.
    - exists (Rabs (fst a)). split; [apply Rabs_pos_lt; auto|].
      intros v'. unfold sign_kept, Rabs. repeat destruct (Rcase_abs _); intros; split; intros; lra. }
  destruct Y as (f & F & Y). exists (Rmin e f). split; [apply Rmin_pos; auto|].
  intros b u' ER HV HC. split.
  - apply Y. eapply Rlt_le_trans; [apply HV|apply Rmin_r].
  - intros x y I Q. rewrite <- ER. apply (X _) with y; auto.
    + apply close_row; auto. eapply close_mono; [apply Rmin_l|eauto].
    + intros Z. rewrite Z, Rabs_R0 in Q. lra.
Qed.
Lemma neurons_stay D u ns : exists e, 0 < e /\ forall u', close_vec e u u' -> forall ns',
  Forall2 (fun a b => snd a = snd b /\ Rabs (fst a - fst b) < e) ns ns' ->
  Forall2 (fun a b => stays_near D a b u u') ns ns'.
Proof.
  induction ns as [|a ns (e & E & IH)].
  - exists 1. split; [lra|]. intros u' _ ns' F. inversion F. constructor.
  - destruct (neuron_stays D a u) as (f & F & K). exists (Rmin e f). split; [apply Rmin_pos; auto|].
    intros u' C ns' G. inversion G as [|? b ? ns2 [G1 G2] G3]; subst. constructor.
    + apply K; auto; [eapply Rlt_le_trans; [apply G2|apply Rmin_r]|]. eapply close_mono; [apply Rmin_r|eauto].
    + apply IH; [eapply close_mono; [apply Rmin_l|eauto]|].
      clear - G3. induction G3; constructor; auto. destruct H. split; auto.
      eapply Rlt_le_trans; [eauto|apply Rmin_l].
Qed.
Lemma close_is_near p : plain (qtheta p) = true -> exists e, 0 < e /\ forall th',
  same_architecture (thR (qtheta p)) th' -> close e (thR (qtheta p)) th' ->
  in_region (regionR (QNear zero)) (problemR p) th'.
Proof.
  intros HP. destruct (plain_ok _ HP) as [T _]. destruct (qtheta p) as [|[u W] [|[v [|r [|]]] [|]]] eqn:ET; try discriminate.
  destruct (neurons_stay (dataR (qsamples p)) (vR u) (neurons 0 (thR (qtheta p)))) as (e & E & K).
  exists e. split; auto. intros th' S C. simpl. unfold problemR. cbn [theta samples]. rewrite ET in *. split; auto.
  unfold neurons_kept, weights_of. rewrite toR_0.
  assert (X : exists u' v', th' = [(u', W); (v', [r])]).
  { destruct (shape_same _ _ T S) as (a & b & c & d & u' & v' & Ea & Eb). inversion Ea; subst. eauto. }
  destruct X as (u' & v' & X). subst th'. inversion C as [|? ? ? ? C1 C']; subst. inversion C' as [|? ? ? ? C2 _]; subst.
  cbn [fst snd] in C1, C2. apply (K u' C1).
  unfold neurons, thR. cbn [map fst snd].
  clear - C2 E. revert W. induction r as [|[k|] r IH]; intros [|w W]; cbn [combine flat_map map app fst snd]; try constructor; auto.
  cbn [fst snd]. split; auto. apply close_nth; auto.
Qed.

Theorem optimum_sound p global M cs : check_optimum (classified p) p global M cs = true ->
  holds (problemR p) (if global then GlobalOptimum All else LocalOptimum All).
Proof.
  unfold check_optimum. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K.
  apply andb_prop in K. destruct K as [N K]. tests. rewrite qnorm2_ok in N.
  destruct (classified_ok _ _ C) as (_ & _ & HG & _).
  assert (HP : plain (qtheta p) = true).
  { revert K. unfold check_region. destruct (plain (qtheta p)); auto. }
  assert (B : forall th', in_region (regionR (if global then QEverywhere else QNear zero)) (problemR p) th' ->
              same_architecture (thR (qtheta p)) th' -> no_better All (problemR p) #g th').
  { intros th' I S. apply nu_no_better; auto.
    - destruct (plain_ok _ HP) as [T _].
      destruct (shape_same _ _ T S) as (a & b & c & d & u' & v' & _ & E). subst th'. auto.
    - pose proof (region_sound _ _ _ _ _ _ C K th' I) as X. unfold own_ratio in X. num.
      rewrite toR_inv in X by (rewrite qnorm2_ok; lra). rewrite qnorm2_ok in X. exact X. }
  apply (holds_intro p g); auto. destruct global; simpl.
  - intros th' S. apply B; [exact S|exact S].
  - destruct (close_is_near p HP) as (e & E & Q). exists e. split; [exact E|].
    intros th' S CL. apply B; auto.
Qed.
