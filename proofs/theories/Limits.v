(* Limits.v -- rates of the constraints depend continuously on theta, so every limit of gradients has a product with a
   direction that is at least the least rate at theta along it. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors MaxMargin.Exact MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Directional.
Import ListNotations.
Open Scope R_scope.

(* ---- rates depend continuously on theta ------------------------------------------------------- *)
Definition dnear (e : R) (a b : list dual) : Prop := near_vec e (map fst a) (map fst b) /\ near_vec e (map snd a) (map snd b).
Lemma dnear_mono e e' a b : e <= e' -> dnear e a b -> dnear e' a b.
Proof. intros H [A B]. split; eapply near_mono; eauto. Qed.
Lemma dlayer_fst u W a : map fst (dlayer u W a) = layer 0 Rplus Rmult (map fst u) W (map fst a).
Proof.
  pose proof (rel_layer dual R dzero dadd dmul 0 Rplus Rmult (fun p x => fst p = x) eq_refl
    ltac:(intros; unfold dadd; simpl; congruence) ltac:(intros; unfold dmul; simpl; congruence) u (map fst u) W a (map fst a)) as L.
  assert (E : forall l : list dual, Forall2 (fun p x => fst p = x) l (map fst l)) by (induction l; simpl; constructor; auto).
  specialize (L (E u) (E a)). clear E. induction L; simpl; congruence.
Qed.
Lemma drow_snd u r : forall a, snd (row_dot dzero dadd dmul u r a) =
  row_dot 0 Rplus Rmult (map snd u) r (map fst a) + row_dot 0 Rplus Rmult (map fst u) r (map snd a).
Proof.
  induction r as [|[k|] r IH]; intros [|p a]; simpl; try ring; rewrite IH; [|ring].
  pose proof (map_nth fst u dzero k) as F. pose proof (map_nth snd u dzero k) as G. change (fst dzero) with 0 in F. change (snd dzero) with 0 in G. unfold dual in *. rewrite F, G. ring.
Qed.
Lemma dlayer_near u W a eta : 0 < eta -> exists e, 0 < e /\ forall u' a', dnear e u u' -> dnear e a a' ->
  dnear eta (dlayer u W a) (dlayer u' W a').
Proof.
  intros HE. destruct (layer_near (map fst u) W (map fst a) eta HE) as (e1 & E1 & K1).
  destruct (layer_near (map snd u) W (map fst a) (eta / 2) ltac:(lra)) as (e2 & E2 & K2).
  destruct (layer_near (map fst u) W (map snd a) (eta / 2) ltac:(lra)) as (e3 & E3 & K3).
  exists (Rmin e1 (Rmin e2 e3)). split; [repeat apply Rmin_pos; auto|].
  set (e := Rmin e1 (Rmin e2 e3)). assert (M1 : e <= e1) by apply Rmin_l.
  assert (M2 : e <= e2) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
  assert (M3 : e <= e3) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
  intros u' a' [U1 U2] [A1 A2]. split.
  - rewrite !dlayer_fst. apply K1; eapply near_mono; eauto.
  - specialize (K2 (map snd u') (map fst a') (near_mono _ _ _ _ M2 U2) (near_mono _ _ _ _ M2 A1)).
    specialize (K3 (map fst u') (map snd a') (near_mono _ _ _ _ M3 U1) (near_mono _ _ _ _ M3 A2)).
    clear - K2 K3. unfold layer in *. induction W as [|r W IH]; simpl in *; constructor.
    + inversion K2; inversion K3; subst. rewrite !drow_snd.
      match goal with A : Rabs _ < eta / 2, B : Rabs _ < eta / 2 |- _ => apply Rabs_def2 in A; apply Rabs_def2 in B; apply Rabs_def1; lra end.
    + inversion K2; inversion K3; subst. apply IH; auto.
Qed.
Lemma corners_near al z : exists e, 0 < e /\ forall z' s, dnear e z z' -> corners al s z' -> corners al s z.
Proof.
  induction z as [|[z w] l (e & E & K)].
  - exists 1. split; [lra|]. intros z' s [N _] H. destruct z'; inversion N. inversion H. constructor.
  - assert (X : exists f, 0 < f /\ forall z' s, Rabs (z - z') < f -> corner1 al s z' -> corner1 al s z).
    { destruct (Req_dec z 0) as [Z|Z].
      - exists 1. split; [lra|]. intros z' s _ (_ & _ & H). split; [|split]; auto; intros; lra.
      - exists (Rabs z). split; [apply Rabs_pos_lt; auto|]. intros z' s N (H1 & H2 & H3). apply Rabs_def2 in N.
        unfold Rabs in N.
        destruct (Rcase_abs z); (split; [|split; [|exact H3]]; intros HH; solve [exfalso; lra|apply H1; lra|apply H2; lra]). }
    destruct X as (f & F & X). exists (Rmin e f). split; [apply Rmin_pos; auto|].
    intros z' s [N1 N2] H. destruct z' as [|p z']; [inversion N1|]. simpl in N1, N2. inversion N1; inversion N2; subst.
    inversion H as [|s0 ? s' ? H1 H2]; subst. constructor.
    + cbn [fst] in *. apply (X (fst p)); auto. eapply Rlt_le_trans; [eauto|apply Rmin_r].
    + apply (K z'); auto. split; eapply near_mono; [apply (Rmin_l e f)|auto|apply (Rmin_l e f)|auto].
Qed.
Lemma dact_near al e s z z' : 0 <= al <= 1 -> corners al s z' -> dnear e z z' -> dnear e (dact al s z) (dact al s z').
Proof.
  intros HA H. revert z. induction H as [|s0 p' s z' H F IH]; intros z [N1 N2].
  - destruct z; inversion N1. split; constructor.
  - destruct z as [|p z]; [inversion N1|]. simpl in N1, N2. inversion N1; inversion N2; subst.
    destruct (IH z) as [I1 I2]; [split; auto|]. unfold dact in *. simpl. split; simpl; constructor; auto.
    + eapply Rle_lt_trans; [apply act_lipschitz; auto|auto].
    + destruct H as (_ & _ & HS). assert (0 <= s0 <= 1) by (destruct HS; lra).
      replace (s0 * snd p - s0 * snd p') with (s0 * (snd p - snd p')) by ring. rewrite Rabs_mult, (Rabs_right s0) by lra.
      pose proof (Rabs_pos (snd p - snd p')). nra.
Qed.
Definition dclose (e : R) (ls ls' : params dual) : Prop :=
  Forall2 (fun l l' => dnear e (fst l) (fst l') /\ snd l = snd l') ls ls'.
Lemma dclose_mono e e' a b : e <= e' -> dclose e a b -> dclose e' a b.
Proof. intros H F. induction F as [|? ? ? ? [A B]]; constructor; auto. split; auto. eapply dnear_mono; eauto. Qed.
Lemma dpass_near al : 0 <= al <= 1 -> forall ls a eta, 0 < eta -> exists e, 0 < e /\ forall ls' a' S, dclose e ls ls' -> dnear e a a' ->
  corner al S ls' a' -> corner al S ls a /\ dnear eta (dpass al S ls a) (dpass al S ls' a').
Proof.
  intros HA. induction ls as [|[u W] ls IH]; intros a eta HE.
  - exists eta. split; auto. intros ls' a' S F N _. inversion F; subst. split; [exact I|exact N].
  - destruct ls as [|l ls].
    + destruct (dlayer_near u W a eta HE) as (e & E & K). exists e. split; auto. intros ls' a' S F N _.
      inversion F as [|? [u' W'] ? ? [A B] F']; subst. inversion F'; subst. cbn [fst snd] in *. subst W'. split; [exact I|].
      simpl. auto.
    + destruct (corners_near al (dlayer u W a)) as (e1 & E1 & K1).
      assert (X : exists e, 0 < e /\ forall s, corners al s (dlayer u W a) -> forall ls' a' S, dclose e (l :: ls) ls' ->
        dnear e (dact al s (dlayer u W a)) a' -> corner al S ls' a' ->
        corner al S (l :: ls) (dact al s (dlayer u W a)) /\ dnear eta (dpass al S (l :: ls) (dact al s (dlayer u W a))) (dpass al S ls' a')).
      { (* finitely many lists of slopes *)
        clear - IH HE. generalize (dlayer u W a). intros z.
        assert (FIN : exists L : list vec, forall s, corners al s z -> In s L).
        { clear. induction z as [|p z (L & K)].
          - exists [[]]. intros s H. inversion H. left; auto.
          - exists (map (cons 1) L ++ map (cons al) L). intros s H. inversion H as [|s0 ? s' ? (_ & _ & HS) H2]; subst.
            apply in_app_iff. destruct HS; subst; [left|right]; apply in_map, K; auto. }
        destruct FIN as (L & FIN).
        assert (ALL : exists e, 0 < e /\ forall s, In s L -> forall ls' a' S, dclose e (l :: ls) ls' ->
          dnear e (dact al s z) a' -> corner al S ls' a' ->
          corner al S (l :: ls) (dact al s z) /\ dnear eta (dpass al S (l :: ls) (dact al s z)) (dpass al S ls' a')).
        { clear FIN. induction L as [|s L (e & E & K)].
          - exists 1. split; [lra|]. intros s [].
          - destruct (IH (dact al s z) eta HE) as (f & F & M). exists (Rmin e f). split; [apply Rmin_pos; auto|].
            intros s' [I|I] ls' a' S C N H.
            * subst s'. apply M; auto; [apply (dclose_mono _ _ _ _ (Rmin_r e f)); auto|apply (dnear_mono _ _ _ _ (Rmin_r e f)); auto].
            * apply K; auto; [apply (dclose_mono _ _ _ _ (Rmin_l e f)); auto|apply (dnear_mono _ _ _ _ (Rmin_l e f)); auto]. }
        destruct ALL as (e & E & K). exists e. split; auto. }
      destruct X as (e2 & E2 & K2).
      destruct (dlayer_near u W a (Rmin e1 e2) ltac:(apply Rmin_pos; auto)) as (e3 & E3 & K3).
      exists (Rmin e2 e3). split; [apply Rmin_pos; auto|]. intros ls' a' S F N H.
      inversion F as [|? [u' W'] ? lr [A B] F']; subst. cbn [fst snd] in A, B. subst W'.
      assert (Z : dnear (Rmin e1 e2) (dlayer u W a) (dlayer u' W a')).
      { apply K3; eapply dnear_mono; try apply Rmin_r; eauto. }
      destruct lr as [|l' lr]; [inversion F'|]. destruct H as [H1 H2].
      assert (C1 : corners al (hd [] S) (dlayer u W a)).
      { apply (K1 (dlayer u' W a')); auto. eapply dnear_mono; [apply Rmin_l|exact Z]. }
      destruct (K2 (hd [] S) C1 (l' :: lr) (dact al (hd [] S) (dlayer u' W a')) (tl S)) as [G1 G2]; auto.
      * eapply dclose_mono; [apply Rmin_l|exact F'].
      * apply dact_near; auto. eapply dnear_mono; [apply Rmin_r|exact Z].
      * split; [split; auto|exact G2].
Qed.
Lemma map_combine_fst {A B} (a : list A) : forall b : list B, length b = length a -> map fst (combine a b) = a.
Proof. induction a; intros [|y b] L; simpl in *; try discriminate; auto. rewrite IHa; auto. Qed.
Lemma map_combine_snd {A B} (a : list A) : forall b : list B, length b = length a -> map snd (combine a b) = b.
Proof. induction a; intros [|y b] L; simpl in *; try discriminate; auto. rewrite IHa; auto. Qed.
Lemma near_refl e v : 0 < e -> near_vec e v v.
Proof. intros HE. induction v; constructor; auto. rewrite Rminus_eq_0, Rabs_R0; auto. Qed.
Lemma dparams_close e th th' D : 0 < e -> as_long th D -> same_architecture th th' -> close e th th' -> dclose e (dparams th D) (dparams th' D).
Proof.
  intros HE H. revert th'. induction H as [|[u W] d th D L H IH]; intros th' S C;
    inversion S as [|? [u' W'] ? t [E1 E2] S']; subst; inversion C as [|? ? ? ? CU C']; subst; constructor.
  - cbn [fst snd] in *. split; auto. rewrite !map_id. split.
    + rewrite !map_combine_fst by congruence. auto.
    + rewrite !map_combine_snd by congruence. apply near_refl; auto.
  - apply IH; auto.
Qed.
Fixpoint sum_abs (x : vec) : R := match x with [] => 0 | a :: t => Rabs a + sum_abs t end.
Lemma sum_abs_nonneg x : 0 <= sum_abs x.
Proof. induction x; simpl; [lra|]. pose proof (Rabs_pos a); lra. Qed.
Lemma dot_near e c : forall v v', 0 <= e -> near_vec e v v' -> Rabs (dot c v - dot c v') <= e * sum_abs c.
Proof.
  induction c as [|a c IH]; intros v v' HE N; [simpl; rewrite Rminus_0_r, Rabs_R0; lra|].
  destruct N as [|x y v v' H N]; simpl.
  - rewrite Rminus_0_r, Rabs_R0. pose proof (sum_abs_nonneg c). pose proof (Rabs_pos a). nra.
  - replace (a * x + dot c v - (a * y + dot c v')) with (a * (x - y) + (dot c v - dot c v')) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult. specialize (IH v v' HE N). pose proof (Rabs_pos a).
    assert (Rabs a * Rabs (x - y) <= Rabs a * e) by (apply Rmult_le_compat_l; lra). lra.
Qed.
(* the rates of nearby networks are nearly rates of theta *)
Lemma rate_near al th D x c : 0 <= al <= 1 -> as_long th D -> forall eta, 0 < eta -> exists e, 0 < e /\ forall th' S,
  same_architecture th th' -> close e th th' -> corner al S (dparams th' D) (inputs x) ->
  corner al S (dparams th D) (inputs x) /\ rate al S th D x c - eta <= rate al S th' D x c.
Proof.
  intros HA HL eta HE. pose proof (sum_abs_nonneg c) as CP.
  assert (QP : 0 < eta / (sum_abs c + 1)) by (apply Rdiv_lt_0_compat; lra).
  destruct (dpass_near al HA (dparams th D) (inputs x) _ QP) as (e & E & K). exists e. split; auto.
  intros th' S SA C H. destruct (K (dparams th' D) (inputs x) S) as [K1 [_ K2]]; auto.
  - apply dparams_close; auto.
  - split; apply near_refl; auto.
  - split; auto. unfold rate. pose proof (dot_near _ c _ _ (Rlt_le _ _ QP) K2) as N.
    assert (eta / (sum_abs c + 1) * sum_abs c <= eta).
    { apply Rle_trans with (eta / (sum_abs c + 1) * (sum_abs c + 1)); [apply Rmult_le_compat_l; lra|right; field; lra]. }
    apply Rabs_le_inv in N. lra.
Qed.

(* ---- limits of gradients ---------------------------------------------------------------------- *)
Lemma shift_flat t (th : params R) (D : list vec) : as_long th D -> flat (shift t D th) = axpy t (concat D) (flat th).
Proof.
  unfold flat, shift, zip_params. induction 1 as [|[u W] d th D L H IH]; auto. cbn [combine map flat_map fst snd concat].
  rewrite IH. clear IH. cbn [fst] in L. revert d L. induction u as [|a u IHu]; intros [|b d] L; simpl in *; try discriminate; auto.
  injection L as L. rewrite (IHu d L). f_equal. ring.
Qed.
Lemma shift_same t (th : params R) (D : list vec) : as_long th D -> same_architecture th (shift t D th).
Proof.
  unfold shift, zip_params. induction 1 as [|[u W] d th D L H IH]; constructor; auto. cbn [fst snd] in *. split; auto.
  rewrite map_length, combine_length. lia.
Qed.
Lemma shift_close t (th : params R) (D : list vec) : 0 < t -> as_long th D -> close (t * (sum_abs (concat D) + 1)) th (shift t D th).
Proof.
  intros HT. unfold shift, zip_params. induction 1 as [|[u W] d th D L H IH]; constructor.
  - cbn [fst snd concat] in *. assert (SA : sum_abs d <= sum_abs (d ++ concat D)).
    { clear. induction d as [|b d IH]; simpl; [apply sum_abs_nonneg|lra]. }
    assert (G : forall M, sum_abs d < M -> near_vec (t * M) u (map (fun q => fst q + t * snd q) (combine u d))).
    { clear - HT L. revert u L. induction d as [|b d IH]; intros [|a u] L M HM; simpl in *; try discriminate; constructor.
      - pose proof (sum_abs_nonneg d). replace (a - (a + t * b)) with (t * (- b)) by ring.
        rewrite Rabs_mult, Rabs_Ropp, (Rabs_right t) by lra. apply Rmult_lt_compat_l; lra.
      - apply IH; [lia|]. pose proof (Rabs_pos b). lra. }
    apply G. lra.
  - cbn [concat]. eapply close_mono_p; [|exact IH]. apply Rmult_le_compat_l; [lra|].
    assert (sum_abs (concat D) <= sum_abs (d ++ concat D)); [|lra].
    clear. induction d as [|b d IH]; simpl; [lra|]. pose proof (Rabs_pos b). lra.
Qed.
Lemma dot_near_entries (G G' d : vec) eta : 0 <= eta -> (forall i, Rabs (nth i G' 0 - nth i G 0) <= eta) ->
  dot G' d - eta * sum_abs d <= dot G d.
Proof.
  intros HE. revert G G'. induction d as [|b d IH]; intros G G' H.
  - rewrite !dot_nil_r. simpl. lra.
  - assert (T : forall v : vec, dot v (b :: d) = nth 0 v 0 * b + dot (tl v) d) by (intros [|a v]; simpl; ring).
    assert (I : dot (tl G') d - eta * sum_abs d <= dot (tl G) d).
    { apply IH. intros i. specialize (H (S i)). destruct G, G'; simpl in *; auto; destruct i; auto. }
    rewrite !T. specialize (H 0%nat). simpl.
    assert (Rabs ((nth 0 G' 0 - nth 0 G 0) * b) <= eta * Rabs b).
    { rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|auto]. }
    apply Rabs_le_inv in H0. lra.
Qed.
(* p: the layers that vary, [rep] puts others in their place; dp, D: the direction in them and in all *)
Theorem limiting_along al x c th D rep p dp G : 0 <= al <= 1 -> rep p = th -> as_long th D -> as_long p dp ->
  (forall p' e, 0 < e -> same_architecture p p' -> close e p p' -> same_architecture th (rep p') /\ close e th (rep p')) ->
  (forall p' t, same_architecture p p' -> rep (shift t dp p') = shift t D (rep p')) ->
  (forall S, corner al S (dparams th D) (inputs x) -> 0 <= rate al S th D x c) ->
  limiting (fun p' => q al (rep p') x c) p G -> 0 <= dot G (concat dp).
Proof.
  intros HA HR HD HP H2 H3 HC HG.
  assert (ALL : forall eta, 0 < eta -> - eta <= dot G (concat dp)).
  { intros eta HE. set (M := sum_abs (concat dp)). assert (MP : 0 <= M) by apply sum_abs_nonneg.
    destruct (rate_near al th D x c HA HD (eta / 4) ltac:(lra)) as (e1 & E1 & K1).
    assert (QP : 0 < eta / 4 / (M + 1)) by (apply Rdiv_lt_0_compat; lra).
    destruct (HG (Rmin e1 (eta / 4 / (M + 1))) ltac:(apply Rmin_pos; auto)) as (p' & G' & SA & CL & GR & NG).
    destruct (H2 p' e1 E1 SA ltac:(eapply close_mono_p; [apply Rmin_l|eauto])) as [SF CF].
    assert (HD' : as_long (rep p') D).
    { clear - HD SF. revert SF. generalize (rep p'). induction HD; intros r SA; inversion SA as [|? ? ? ? [A B]]; subst; constructor;
        [congruence|apply IHHD; assumption]. }
    assert (HP' : as_long p' dp).
    { clear - HP SA. revert SA. generalize p'. induction HP; intros r SA; inversion SA as [|? ? ? ? [A B]]; subst; constructor;
        [congruence|apply IHHP; assumption]. }
    destruct (constraint_follows al (rep p') D x c HA HD') as (S & C1 & _ & CC & T & P & Q & F). cbn [fst snd] in F.
    destruct (K1 (rep p') S SF CF C1) as [C0 R0]. specialize (HC S C0).
    (* the gradient at p' along dp *)
    destruct (GR (eta / 4 / (M + 1)) QP) as (e0 & E0 & K0).
    assert (QE : 0 < e0 / (M + 1)) by (apply Rdiv_lt_0_compat; lra).
    assert (QC : 0 < eta / 4 / (CC + 1)) by (apply Rdiv_lt_0_compat; lra).
    pose (t := Rmin T (Rmin (e0 / (M + 1)) (eta / 4 / (CC + 1)))).
    assert (TP : 0 < t) by (unfold t; repeat apply Rmin_pos; lra).
    assert (T1 : t <= T) by apply Rmin_l.
    assert (T2 : t <= e0 / (M + 1)) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
    assert (T3 : t <= eta / 4 / (CC + 1)) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
    assert (B1 : 0 < t * (M + 1) <= e0).
    { split; [apply Rmult_lt_0_compat; lra|].
      apply Rle_trans with (e0 / (M + 1) * (M + 1)); [apply Rmult_le_compat_r; lra|right; field; lra]. }
    specialize (K0 (t * (M + 1)) (shift t dp p') B1 (shift_same t p' dp HP') (shift_close t p' dp TP HP')).
    cbv beta in K0. rewrite H3, shift_flat, dot_axpy_r in K0 by auto.
    specialize (F t ltac:(lra)).
    assert (X1 : eta / 4 / (M + 1) * (t * (M + 1)) = eta / 4 * t) by (field; lra). rewrite X1 in K0.
    assert (X2 : CC * (t * t) <= eta / 4 * t).
    { assert (CC * t <= eta / 4); [|nra].
      apply Rle_trans with ((CC + 1) * (eta / 4 / (CC + 1))); [apply Rmult_le_compat; lra|right; field; lra]. }
    apply Rabs_le_inv in K0, F.
    assert (X3 : rate al S (rep p') D x c <= dot G' (concat dp) + eta / 2).
    { apply Rmult_le_reg_l with t; auto. lra. }
    assert (X4 : dot G' (concat dp) - eta / 4 / (M + 1) * M <= dot G (concat dp)).
    { apply dot_near_entries; [lra|]. intros i. specialize (NG i). pose proof (Rmin_r e1 (eta / 4 / (M + 1))). lra. }
    assert (X5 : eta / 4 / (M + 1) * M <= eta / 4).
    { apply Rle_trans with (eta / 4 / (M + 1) * (M + 1)); [apply Rmult_le_compat_l; lra|right; field; lra]. }
    lra. }
  destruct (Rle_lt_dec 0 (dot G (concat dp))); auto. specialize (ALL (- dot G (concat dp) / 2) ltac:(lra)). lra.
Qed.
