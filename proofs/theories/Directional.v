(* Directional.v -- one-sided directional derivatives of the constraints, and limits of gradients along a direction.

   Along theta + t d the network has, as t falls to 0, the derivative of a forward pass over dual numbers (value,
   derivative) in which a unit with preactivation 0 has slope 1 or alpha, by the sign of its own derivative.  Hence every
   limit of gradients has a product with d that is at least the least of these derivatives at theta. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors MaxMargin.Exact MaxMargin.Pattern MaxMargin.Gradient.
Import ListNotations.
Open Scope R_scope.

(* dual numbers *)
Definition dual := (R * R)%type.
Definition dzero : dual := (0, 0).
Definition dadd (a b : dual) : dual := (fst a + fst b, snd a + snd b).
Definition dmul (a b : dual) : dual := (fst a * fst b, fst a * snd b + snd a * fst b).
Notation dlayer := (layer dzero dadd dmul).
(* the slope of a unit with preactivation z, or of one nearby *)
Definition corner1 (al s z : R) : Prop := (0 < z -> s = 1) /\ (z < 0 -> s = al) /\ (s = 1 \/ s = al).
Definition dact (al : R) (s : vec) (z : list dual) : list dual :=
  map (fun p => (act al (fst (snd p)), fst p * snd (snd p))) (combine s z).
Definition corners (al : R) : vec -> list dual -> Prop := Forall2 (fun s z => corner1 al s (fst z)).
Fixpoint dpass (al : R) (S : list vec) (ls : params dual) (a : list dual) : list dual :=
  match ls with
  | [] => a
  | (u, W) :: rest =>
      match rest with [] => dlayer u W a | _ => dpass al (tl S) rest (dact al (hd [] S) (dlayer u W a)) end
  end.
Fixpoint corner (al : R) (S : list vec) (ls : params dual) (a : list dual) : Prop :=
  match ls with
  | [] => True
  | (u, W) :: rest =>
      match rest with
      | [] => True
      | _ => corners al (hd [] S) (dlayer u W a) /\ corner al (tl S) rest (dact al (hd [] S) (dlayer u W a))
      end
  end.
(* parameters with a direction *)
Definition zip_params {A B} (f : A * A -> B) (th : params A) (D : list (list A)) : params B :=
  map (fun p => (map f (combine (fst (fst p)) (snd p)), snd (fst p))) (combine th D).
Definition shift (t : R) (D : list vec) (th : params R) : params R := zip_params (fun q => fst q + t * snd q) th D.
Definition dparams (th : params R) (D : list vec) : params dual := zip_params (fun q => q) th D.
Definition inputs (x : vec) : list dual := map (fun a => (a, 0)) x.
Definition as_long {A} (th : params A) (D : list (list A)) : Prop := Forall2 (fun l d => length d = length (fst l)) th D.
Definition rate (al : R) (S : list vec) (th : params R) (D : list vec) (x c : vec) : R :=
  dot c (map snd (dpass al S (dparams th D) (inputs x))).

(* ---- the derivative along t ------------------------------------------------------------------- *)
(* f(t) = v + t w + O(t^2) *)
Definition follows (f : R -> R) (p : dual) : Prop := f 0 = fst p /\ exists C T, 0 <= C /\ 0 < T <= 1 /\ forall t, 0 < t <= T ->
  Rabs (f t - fst p - t * snd p) <= C * (t * t).
Definition tzero : R -> R := fun _ => 0.
Definition tadd (f g : R -> R) : R -> R := fun t => f t + g t.
Definition tmul (f g : R -> R) : R -> R := fun t => f t * g t.
Definition tact (al : R) (f : R -> R) : R -> R := fun t => act al (f t).
Lemma follows_line v w : follows (fun t => v + t * w) (v, w).
Proof.
  split; [cbn [fst]; ring|]. exists 0, 1. split; [lra|split; [lra|]]. intros t T. cbn [fst snd]. replace (v + t * w - v - t * w) with 0 by ring.
  rewrite Rabs_R0. lra.
Qed.
Lemma follows_const v : follows (fun _ => v) (v, 0).
Proof.
  split; [auto|]. exists 0, 1. split; [lra|split; [lra|]]. intros t T. cbn [fst snd]. replace (v - v - t * 0) with 0 by ring.
  rewrite Rabs_R0. lra.
Qed.
Lemma follows_add f g a b : follows f a -> follows g b -> follows (tadd f g) (dadd a b).
Proof.
  intros [Z1 (C1 & T1 & P1 & Q1 & H1)] [Z2 (C2 & T2 & P2 & Q2 & H2)].
  split; [unfold tadd, dadd; cbn [fst]; congruence|]. exists (C1 + C2), (Rmin T1 T2). split; [lra|].
  pose proof (Rmin_l T1 T2). pose proof (Rmin_r T1 T2).
  split; [split; [apply Rmin_pos; lra|lra]|]. intros t T. unfold tadd, dadd. cbn [fst snd].
  specialize (H1 t ltac:(lra)). specialize (H2 t ltac:(lra)). apply Rabs_le_inv in H1, H2. apply Rabs_le. lra.
Qed.
Lemma follows_mul f g a b : follows f a -> follows g b -> follows (tmul f g) (dmul a b).
Proof.
  intros [Z1 (C1 & T1 & P1 & Q1 & H1)] [Z2 (C2 & T2 & P2 & Q2 & H2)].
  split; [unfold tmul, dmul; cbn [fst]; congruence|]. destruct a as [a a'], b as [b b']. cbn [fst snd] in *.
  pose proof (Rabs_pos a). pose proof (Rabs_pos a'). pose proof (Rabs_pos b). pose proof (Rabs_pos b').
  exists (Rabs a' * Rabs b' + Rabs a * C2 + Rabs b * C1 + Rabs a' * C2 + Rabs b' * C1 + C1 * C2), (Rmin T1 T2).
  assert (N1 : 0 <= Rabs a' * Rabs b') by (apply Rmult_le_pos; auto). assert (N2 : 0 <= Rabs a * C2) by (apply Rmult_le_pos; auto).
  assert (N3 : 0 <= Rabs b * C1) by (apply Rmult_le_pos; auto). assert (N4 : 0 <= Rabs a' * C2) by (apply Rmult_le_pos; auto).
  assert (N5 : 0 <= Rabs b' * C1) by (apply Rmult_le_pos; auto). assert (N6 : 0 <= C1 * C2) by (apply Rmult_le_pos; auto).
  pose proof (Rmin_l T1 T2). pose proof (Rmin_r T1 T2).
  split; [lra|split; [split; [apply Rmin_pos; lra|lra]|]]. intros t T. unfold tmul, dmul. cbn [fst snd].
  specialize (H1 t ltac:(lra)). specialize (H2 t ltac:(lra)).
  set (r1 := f t - a - t * a') in *. set (r2 := g t - b - t * b') in *.
  assert (TT : 0 <= t * t <= 1) by nra. assert (T1' : 0 <= t <= 1) by lra.
  replace (f t * g t - a * b - t * (a * b' + a' * b)) with
    (t * t * (a' * b') + a * r2 + b * r1 + t * (a' * r2) + t * (b' * r1) + r1 * r2) by (unfold r1, r2; ring).
  assert (M : forall u v A B, Rabs u <= A -> Rabs v <= B * (t * t) -> 0 <= B -> Rabs (u * v) <= A * B * (t * t)).
  { intros u v A B HU HV HB. rewrite Rabs_mult. rewrite Rmult_assoc. apply Rmult_le_compat; auto using Rabs_pos. }
  pose proof (M a r2 _ _ (Rle_refl _) H2 P2) as X1. pose proof (M b r1 _ _ (Rle_refl _) H1 P1) as X2.
  pose proof (M a' r2 _ _ (Rle_refl _) H2 P2) as X3. pose proof (M b' r1 _ _ (Rle_refl _) H1 P1) as X4.
  assert (X5 : Rabs (r1 * r2) <= C1 * C2 * (t * t)) by (apply M; auto; nra).
  assert (X0 : Rabs (t * t * (a' * b')) <= Rabs a' * Rabs b' * (t * t)).
  { rewrite Rabs_mult, (Rabs_right (t * t)), Rabs_mult by lra. lra. }
  assert (X3' : Rabs (t * (a' * r2)) <= Rabs a' * C2 * (t * t)).
  { rewrite Rabs_mult, (Rabs_right t) by lra. pose proof (Rabs_pos (a' * r2)). nra. }
  assert (X4' : Rabs (t * (b' * r1)) <= Rabs b' * C1 * (t * t)).
  { rewrite Rabs_mult, (Rabs_right t) by lra. pose proof (Rabs_pos (b' * r1)). nra. }
  apply Rabs_le_inv in X0, X1, X2, X3', X4', X5. apply Rabs_le. lra.
Qed.
Lemma follows_act al f p : 0 <= al <= 1 -> follows f p ->
  exists s, corner1 al s (fst p) /\ follows (tact al f) (act al (fst p), s * snd p).
Proof.
  intros HA [Z0 (C & T & P & Q & H)]. destruct p as [z z']. cbn [fst snd] in *.
  assert (ZA : tact al f 0 = act al z) by (unfold tact; congruence).
  destruct (Req_dec z 0) as [Z|Z].
  - exists (if Rlt_dec 0 z' then 1 else al). split.
    + split; [|split]; try (intros; lra). destruct (Rlt_dec 0 z'); auto.
    + split; [exact ZA|]. exists C, T. split; auto. split; auto. intros t HT. cbn [fst snd]. rewrite Z, act_0 in *. unfold tact.
      assert (E : t * ((if Rlt_dec 0 z' then 1 else al) * z') = act al (t * z')).
      { rewrite act_scal by lra. unfold act. destruct (Rlt_dec 0 z'); ring. }
      rewrite E. specialize (H t HT). eapply Rle_trans; [|exact H].
      replace (act al (f t) - 0 - act al (t * z')) with (act al (f t) - act al (t * z')) by ring.
      replace (f t - 0 - t * z') with (f t - t * z') by ring. apply act_lipschitz; auto.
  - pose (s := if Rlt_dec 0 z then 1 else al). exists s. split.
    + unfold s. split; [|split]; intros; destruct (Rlt_dec 0 z); auto; lra.
    + pose proof (Rabs_pos z') as PZ. assert (AZ : 0 < Rabs z) by (apply Rabs_pos_lt; auto).
      pose (K := Rabs z' + C + 1). assert (KP : 0 < K) by (unfold K; lra).
      assert (DP : 0 < Rabs z / K) by (apply Rdiv_lt_0_compat; auto).
      split; [exact ZA|]. exists C, (Rmin T (Rabs z / K)). pose proof (Rmin_l T (Rabs z / K)). pose proof (Rmin_r T (Rabs z / K)).
      split; auto. split; [split; [apply Rmin_pos; lra|lra]|]. intros t HT. cbn [fst snd]. unfold tact.
      specialize (H t ltac:(lra)).
      assert (B : t * K <= Rabs z).
      { apply Rle_trans with (Rabs z / K * K); [apply Rmult_le_compat_r; lra|right; field; lra]. }
      assert (N : Rabs (f t - z) < Rabs z).
      { replace (f t - z) with ((f t - z - t * z') + t * z') by ring. eapply Rle_lt_trans; [apply Rabs_triang|].
        rewrite (Rabs_mult t), (Rabs_right t) by lra. unfold K in B. assert (t * t <= t) by nra.
        assert (C * (t * t) <= t * C) by nra. nra. }
      assert (E1 : act al (f t) = s * f t).
      { unfold s, act. apply Rabs_def2 in N. unfold Rabs in N. destruct (Rcase_abs z), (Rlt_dec 0 z), (Rlt_dec 0 (f t)); lra. }
      assert (E2 : act al z = s * z) by (unfold s, act; destruct (Rlt_dec 0 z); lra).
      rewrite E1, E2. replace (s * f t - s * z - t * (s * z')) with (s * (f t - z - t * z')) by ring.
      rewrite Rabs_mult. assert (0 <= s <= 1) by (unfold s; destruct (Rlt_dec 0 z); lra). rewrite (Rabs_right s) by lra.
      pose proof (Rabs_pos (f t - z - t * z')). nra.
Qed.
Lemma follows_acts al fs z : 0 <= al <= 1 -> Forall2 follows fs z ->
  exists s, corners al s z /\ Forall2 follows (map (tact al) fs) (dact al s z).
Proof.
  intros HA. induction 1 as [|f p fs z H F (s & S1 & S2)].
  - exists []. split; constructor.
  - destruct (follows_act al f p HA H) as (s0 & A & B). exists (s0 :: s). split; constructor; auto.
Qed.
Lemma follows_pass al lf ld : 0 <= al <= 1 -> rel_params _ _ follows lf ld -> forall af ad, Forall2 follows af ad ->
  exists S, corner al S ld ad /\ Forall2 follows (forward tzero tadd tmul (tact al) lf af) (dpass al S ld ad).
Proof.
  intros HA. induction 1 as [|[u W] [u' W'] lf ld [HU HW] HL IH]; intros af ad H.
  - exists []. split; [exact I|exact H].
  - cbn [fst snd] in HU, HW. subst W'.
    pose proof (rel_layer _ _ tzero tadd tmul dzero dadd dmul follows (follows_const 0) ltac:(intros; apply follows_add; auto)
      ltac:(intros; apply follows_mul; auto) u u' W af ad HU H) as L.
    inversion HL as [|l l' lf' ld' HH HL2]; subst.
    + exists []. split; [exact I|exact L].
    + destruct (follows_acts al _ _ HA L) as (s & S1 & S2). destruct (IH _ _ S2) as (S & K1 & K2).
      exists (s :: S). split; [split; assumption|exact K2].
Qed.
Lemma follows_dot c : forall fs ps, Forall2 follows fs ps ->
  follows (fun t => dot c (map (fun f => f t) fs)) (dot c (map fst ps), dot c (map snd ps)).
Proof.
  induction c as [|a c IH]; intros fs ps H; [exact (follows_const 0)|].
  destruct H as [|f p fs ps H F]; [exact (follows_const 0)|]. cbn [map dot].
  pose proof (follows_add _ _ _ _ (follows_mul _ _ _ _ (follows_const a) H) (IH _ _ F)) as K.
  unfold dadd, dmul in K. cbn [fst snd] in K. replace (a * snd p + 0 * fst p) with (a * snd p) in K by ring. exact K.
Qed.
Lemma forward_at al t lf lr : rel_params _ _ (fun f a => f t = a) lf lr -> forall af ar, Forall2 (fun f a => f t = a) af ar ->
  map (fun f => f t) (forward tzero tadd tmul (tact al) lf af) = forward 0 Rplus Rmult (act al) lr ar.
Proof.
  assert (EQ : forall (fs : list (R -> R)) v, Forall2 (fun f a => f t = a) fs v -> map (fun f => f t) fs = v)
    by (induction 1; simpl; congruence).
  induction 1 as [|[u W] [u' W'] lf lr [HU HW] HL IH]; intros af ar H; [apply EQ; auto|].
  cbn [fst snd] in HU, HW. subst W'.
  pose proof (rel_layer _ _ tzero tadd tmul 0 Rplus Rmult (fun f a => f t = a) eq_refl
    ltac:(unfold tadd; intros; subst; auto) ltac:(unfold tmul; intros; subst; auto) u u' W af ar HU H) as L.
  inversion HL as [|l l' lf' lr' HH HL2]; subst; [apply EQ, L|]. apply IH.
  clear - L. induction L; simpl; constructor; auto. unfold tact. congruence.
Qed.
Lemma zip_rel {A B C} (rel : B -> C -> Prop) (f : A * A -> B) (g : A * A -> C) th : (forall p, rel (f p) (g p)) ->
  forall D, rel_params B C rel (zip_params f th D) (zip_params g th D).
Proof.
  intros H. unfold zip_params. induction th as [|[u W] th IH]; intros [|d D]; constructor; [|apply IH].
  cbn [fst snd]. split; auto. apply Forall2_maps; auto.
Qed.
Lemma shift_0 (D : list vec) (th : params R) : as_long th D -> shift 0 D th = th.
Proof.
  unfold shift, zip_params. induction 1 as [|[u W] d th D L H IH]; auto. cbn [combine map fst snd]. rewrite IH. f_equal. f_equal.
  cbn [fst] in L. clear - L. revert d L. induction u as [|a u IH]; intros [|b d] L; simpl in *; try discriminate; auto.
  rewrite (IH d) by auto. f_equal. ring.
Qed.
(* q(theta + t d) = q(theta) + t rate + O(t^2), the rate with slopes of theta *)
Lemma constraint_follows al th D x c : 0 <= al <= 1 -> as_long th D -> exists S, corner al S (dparams th D) (inputs x) /\
  follows (fun t => q al (shift t D th) x c) (q al th x c, rate al S th D x c).
Proof.
  intros HA HL.
  destruct (follows_pass al (zip_params (fun q t => fst q + t * snd q) th D) (dparams th D) HA) with
    (af := map (fun a (_ : R) => a) x) (ad := inputs x) as (S & K1 & K2).
  - apply zip_rel. intros [v w]. apply follows_line.
  - apply Forall2_maps. intros. apply follows_const.
  - exists S. split; auto.
    assert (V : forall t, dot c (map (fun f => f t) (forward tzero tadd tmul (tact al)
        (zip_params (fun q t => fst q + t * snd q) th D) (map (fun a (_ : R) => a) x))) = q al (shift t D th) x c).
    { intros t. rewrite (forward_at al t _ (shift t D th)) with (ar := x).
      - symmetry. apply Exact.dot_sum_products.
      - apply zip_rel. auto.
      - apply Forall2_map_l. auto. }
    destruct (follows_dot c _ _ K2) as [F0 (C & T & P & Q & F)]. cbn [fst snd] in F0, F. rewrite V, shift_0 in F0 by auto.
    split; [cbn [fst]; rewrite shift_0; auto|]. exists C, T. split; auto. split; auto.
    intros t HT. specialize (F t HT). rewrite V, <- F0 in F. exact F.
Qed.

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
