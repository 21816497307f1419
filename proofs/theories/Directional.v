(* Directional.v -- one-sided directional derivatives of the constraints.

   Along theta + t d the network has, as t falls to 0, the derivative of a forward pass over dual numbers (value,
   derivative) in which a unit with preactivation 0 has slope 1 or alpha, by the sign of its own derivative. *)
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
