(* Descent.v -- rule 3.3: theta is no Karush-Kuhn-Tucker point, since a direction d with theta . d < 0 has
   G . d >= 0 for every subgradient G of an active constraint: theta = Sum lambda_k G_k would give theta . d >= 0.

   The least product is that of the forward pass over dual numbers, every slope in {1, alpha} at zero preactivations; in
   the last hidden layer the slopes enter as a sum, of which every term is taken at its least. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.Backward MaxMargin.Residual MaxMargin.Directional MaxMargin.Limits.
Import ListNotations.
Open Scope R_scope.

Definition qdual := (num * num)%type.
Definition qdzero : qdual := (zero, zero).
Definition qdadd (a b : qdual) : qdual := (add (fst a) (fst b), add (snd a) (snd b)).
Definition qdmul (a b : qdual) : qdual := (mul (fst a) (fst b), add (mul (fst a) (snd b)) (mul (snd a) (fst b))).
(* the derivatives that the activation of a unit may have *)
Definition unit_rates (al : num) (p : qdual) : list num :=
  if eqb (fst p) zero then
    if eqb (snd p) zero || eqb al one then [snd p] else [mul al (snd p); snd p]
  else [mul (own_slope al (fst p)) (snd p)].
Fixpoint one_of_each {A} (l : list (list A)) : list (list A) :=
  match l with [] => [[]] | o :: l' => flat_map (fun t => map (fun a => a :: t) o) (one_of_each l') end.
Definition lesser (a b : num) : num := if leb a b then a else b.
Definition bottom (b : num) (rates : list num) : num :=
  match rates with [] => zero | r :: t => fold_right (fun r m => lesser (mul b r) m) (mul b r) t end.
Fixpoint bottoms (al : num) (b : list num) (z : list qdual) : num :=
  match b, z with bj :: b', p :: z' => add (bottom bj (unit_rates al p)) (bottoms al b' z') | _, _ => zero end.
Fixpoint never_falls (al : num) (c : list num) (ls : params qdual) (a : list qdual) : bool :=
  match ls with
  | [] => false
  | (u, W) :: rest =>
      let z := layer qdzero qdadd qdmul u W a in
      let values := map (fun p => qact al (fst p)) z in
      match rest with
      | [] => nonneg (qdot c (map snd z))
      | [(v, V)] =>
          nonneg (add (qdot c (layer zero add mul (map snd v) V values)) (bottoms al (backward zero qaxpy c (map fst v) V) z))
      | _ => forallb (fun r => never_falls al c rest (combine values r)) (one_of_each (map (unit_rates al) z))
      end
  end.
Definition still (th : params num) : list (list num) := map (fun l => map (fun _ => zero) (fst l)) th.
(* all coordinates of a direction in scope; an empty list stands for 0 *)
Fixpoint expanded (th : params num) (D : list (list num)) : option (list (list num)) :=
  match th, D with
  | [], [] => Some []
  | (u, W) :: th', d :: D' =>
      match expanded th' D' with
      | Some E => match d with
                  | [] => Some (map (fun _ => zero) u :: E)
                  | _ => if (length d =? length u)%nat then Some (d :: E) else None
                  end
      | None => None
      end
  | _, _ => None
  end.
Definition is_empty {A} (l : list A) : bool := match l with [] => true | _ => false end.
(* the layers in scope with their direction, and the direction of all layers *)
Definition direction_in (s : scope) (th : params num) (D : list (list num)) : option (params num * list (list num) * list (list num)) :=
  match s with
  | All => match expanded th D with Some E => Some (th, E, E) | None => None end
  | Layer l =>
      match split_at l th, split_at l D with
      | Some (before, (u, W), after), Some (B, d, A) =>
          if forallb is_empty B && forallb is_empty A && (length B =? length before)%nat && (length A =? length after)%nat
             && (length d =? length u)%nat
          then Some ([(u, W)], [d], still before ++ d :: still after) else None
      | _, _ => None
      end
  end.
Definition check_not_kkt (own : option num) (p : qproblem) (s : scope) (D : list (list num)) : bool :=
  match own, direction_in s (qtheta p) D with
  | Some g, Some (moving, dp, E) =>
      ltb (qdot (qflat moving) (concat dp)) zero
      && forallb (fun k => negb (eqb (qq (qalpha p) (qtheta p) (fst k) (snd k)) g)
                           || never_falls (qalpha p) (snd k) (zip_params (fun q : qdual => q) (qtheta p) E)
                                (map (fun a => (a, zero)) (fst k)))
           (qconstraints (qtheta p) (qsamples p))
  | _, _ => false
  end.

(* ---- the least rate --------------------------------------------------------------------------- *)
Definition dR (p : qdual) : dual := (#(fst p), #(snd p)).
Definition dsR (l : list qdual) : list dual := map dR l.
Definition dthR (ls : params qdual) : params dual := map (fun l => (dsR (fst l), snd l)) ls.
Lemma dlayer_ok u W a : dsR (layer qdzero qdadd qdmul u W a) = dlayer (dsR u) W (dsR a).
Proof.
  pose proof (rel_layer qdual dual qdzero qdadd qdmul dzero dadd dmul (fun p d => dR p = d)) as L.
  assert (E : forall l, Forall2 (fun p d => dR p = d) l (dsR l)) by (induction l; simpl; constructor; auto).
  specialize (L ltac:(unfold dR, dzero; simpl; num; auto)).
  specialize (L ltac:(unfold dR, qdadd, dadd; intros; subst; cbn [fst snd]; num; auto)).
  specialize (L ltac:(unfold dR, qdmul, dmul; intros; subst; cbn [fst snd]; num; auto) u (dsR u) W a (dsR a) (E u) (E a)).
  clear E. unfold dsR at 1. induction L; simpl; congruence.
Qed.
(* the derivative of a unit is among those listed *)
Lemma unit_rates_ok al s p : corner1 #al s #(fst p) -> exists r, In r (unit_rates al p) /\ #r = s * #(snd p).
Proof.
  intros (H1 & H2 & H3). unfold unit_rates. destruct (eqb (fst p) zero) eqn:E.
  - destruct (eqb (snd p) zero || eqb al one) eqn:F.
    + exists (snd p). split; [left; auto|]. apply orb_prop in F. destruct F as [F|F]; tests; num.
      * rewrite F. ring.
      * assert (s = 1) by (destruct H3; lra). subst s. ring.
    + destruct H3; subst s; [exists (snd p)|exists (mul al (snd p))]; (split; [simpl; auto|num; ring]).
  - exists (mul (own_slope al (fst p)) (snd p)). split; [left; auto|]. num. rewrite own_slope_ok. f_equal.
    destruct (Rlt_dec 0 #(fst p)); [symmetry; auto|]. symmetry. apply H2.
    destruct (Req_dec #(fst p) 0) as [Z|Z]; [|lra]. exfalso. unfold eqb in E. apply andb_false_iff in E.
    destruct E as [E|E]; tests; num; lra.
Qed.
Lemma lesser_ok a b : #(lesser a b) <= #a /\ #(lesser a b) <= #b.
Proof. unfold lesser. destruct (leb a b) eqn:E; tests; lra. Qed.
Lemma bottom_ok b rates r : In r rates -> #(bottom b rates) <= #b * #r.
Proof.
  destruct rates as [|r0 t]; [intros []|]. intros I. unfold bottom.
  assert (G : #(fold_right (fun r m => lesser (mul b r) m) (mul b r0) t) <= #b * #r0 /\
              forall r, In r t -> #(fold_right (fun r m => lesser (mul b r) m) (mul b r0) t) <= #b * #r).
  { clear. induction t as [|a t [I1 I2]]; simpl.
    - num. split; [lra|intros r []].
    - pose proof (lesser_ok (mul b a) (fold_right (fun r m => lesser (mul b r) m) (mul b r0) t)) as [L1 L2]. num.
      split; [lra|]. intros r [J|J]; [subst; auto|]. specialize (I2 _ J). lra. }
  destruct G as [G1 G2]. destruct I as [I|I]; [subst r; exact G1|exact (G2 r I)].
Qed.
Lemma bottoms_ok al : forall z s b, corners #al s (dsR z) ->
  #(bottoms al b z) <= dot (vR b) (map snd (dact #al s (dsR z))).
Proof.
  induction z as [|p z IH]; intros s b H; inversion H as [|s0 ? s' ? H1 H2]; subst.
  - destruct b; simpl; num; lra.
  - destruct b as [|bj b]; [simpl; num; lra|]. cbn [bottoms]. num.
    destruct (unit_rates_ok al s0 p H1) as (r & I & E). pose proof (bottom_ok bj _ _ I) as B.
    specialize (IH s' b H2). unfold dact in *. simpl. rewrite E in B. apply Rplus_le_compat; auto.
Qed.
Lemma one_of_each_in {A} (l : list (list A)) (t : list A) : Forall2 (fun o a => In a o) l t -> In t (one_of_each l).
Proof.
  induction 1 as [|o a l t H F IH]; simpl; [auto|]. apply in_flat_map. exists t. split; auto. apply in_map_iff. exists a. auto.
Qed.
Lemma dact_listed al s z : corners #al s (dsR z) -> exists r, In r (one_of_each (map (unit_rates al) z)) /\
  dsR (combine (map (fun p => qact al (fst p)) z) r) = dact #al s (dsR z).
Proof.
  intros H. assert (K : exists r, Forall2 (fun o a => In a o) (map (unit_rates al) z) r /\
    dsR (combine (map (fun p => qact al (fst p)) z) r) = dact #al s (dsR z)).
  { revert s H. induction z as [|p z IH]; intros s H; inversion H as [|s0 ? s' ? H1 H2]; subst.
    - exists []. split; constructor.
    - destruct (unit_rates_ok al s0 p H1) as (r & I & E). destruct (IH s' H2) as (t & T1 & T2).
      exists (r :: t). split; [constructor; auto|]. unfold dact in *. simpl. rewrite T2. f_equal. unfold dR. cbn [fst snd].
      rewrite qact_ok, E. auto. }
  destruct K as (r & K1 & K2). exists r. split; auto. apply one_of_each_in; auto.
Qed.
Lemma map_snd_dsR z : map snd (dsR z) = vR (map snd z).
Proof. unfold dsR, vR. rewrite !map_map. auto. Qed.
Lemma map_fst_dsR z : map fst (dsR z) = vR (map fst z).
Proof. unfold dsR, vR. rewrite !map_map. auto. Qed.
Lemma dlayer_snd u W a : map snd (dlayer u W a) =
  pointwise Rplus (layer 0 Rplus Rmult (map snd u) W (map fst a)) (layer 0 Rplus Rmult (map fst u) W (map snd a)).
Proof. unfold layer, pointwise. induction W as [|r W IH]; simpl; auto. rewrite IH, drow_snd. auto. Qed.
Lemma dact_fst al s z : corners al s z -> map fst (dact al s z) = map (act al) (map fst z).
Proof. unfold dact. induction 1; simpl; auto. rewrite IHForall2. auto. Qed.
Lemma never_falls_ok al c : forall ls a, never_falls al c ls a = true -> forall S, corner #al S (dthR ls) (dsR a) ->
  0 <= dot (vR c) (map snd (dpass #al S (dthR ls) (dsR a))).
Proof.
  induction ls as [|[u W] ls IH]; intros a H S C; [discriminate|].
  destruct ls as [|[v V] [|l ls]].
  - cbn [never_falls] in H. tests. cbn [dthR map dpass fst snd]. rewrite <- dlayer_ok, map_snd_dsR, <- qdot_ok. auto.
  - cbn [never_falls] in H. tests. destruct C as [C _]. cbn [dthR map dpass fst snd] in *. rewrite <- dlayer_ok in *.
    set (z := layer qdzero qdadd qdmul u W a) in *.
    rewrite dlayer_snd, dot_pointwise_add by (rewrite !layer_length; auto).
    rewrite (dact_fst _ _ _ C), !map_fst_dsR, map_snd_dsR.
    num. rewrite qdot_ok, layer_ok in H.
    assert (E : vR (map (fun p => qact al (fst p)) z) = map (act #al) (vR (map fst z))).
    { unfold vR. rewrite !map_map. apply map_ext. intros. apply qact_ok. }
    rewrite E in H. pose proof (bottoms_ok al z (hd [] S) (backward zero qaxpy c (map fst v) V) C) as B.
    rewrite backward_ok, backward_dot in B. lra.
  - cbn [never_falls] in H. destruct C as [C1 C2]. rewrite forallb_forall in H.
    change (dthR ((u, W) :: (v, V) :: l :: ls)) with ((dsR u, W) :: dthR ((v, V) :: l :: ls)) in *. cbn [dpass] in *.
    rewrite <- dlayer_ok in *. destruct (dact_listed al (hd [] S) _ C1) as (r & I & E).
    cbn [fst snd] in I, E. specialize (IH _ (H r I) (tl S)). cbv beta zeta in IH. rewrite E in IH. apply IH. exact C2.
Qed.

(* ---- directions ------------------------------------------------------------------------------- *)
Definition dirR (D : list (list num)) : list vec := map vR D.
Lemma dparams_ok th D : dthR (zip_params (fun q : qdual => q) th D) = dparams (thR th) (dirR D).
Proof.
  unfold dthR, dparams, zip_params, thR, dirR. revert D. induction th as [|[u W] th IH]; intros [|d D]; auto.
  cbn [map combine fst snd]. rewrite IH. f_equal. f_equal. rewrite !map_id. clear.
  unfold dsR, vR. revert d. induction u as [|a u IH]; intros [|b d]; simpl; auto. rewrite IH. auto.
Qed.
Lemma concat_R D : concat (dirR D) = vR (concat D).
Proof. unfold dirR, vR. symmetry. apply concat_map. Qed.
Lemma expanded_long th : forall D E, expanded th D = Some E -> as_long (thR th) (dirR E).
Proof.
  unfold as_long, thR, dirR. induction th as [|[u W] th IH]; intros [|d D] E H; simpl in H; try discriminate.
  - inversion H; constructor.
  - destruct (expanded th D) as [F|] eqn:EF; [|discriminate]. specialize (IH D F EF).
    destruct d as [|b d].
    + inversion H; subst. apply Forall2_cons; [|exact IH]. cbn [fst]. rewrite !vR_length, map_length. auto.
    + destruct (_ =? _)%nat eqn:L; [|discriminate]. apply Nat.eqb_eq in L. inversion H; subst.
      apply Forall2_cons; [|exact IH]. cbn [fst]. fold (vR (b :: d)) (vR u). rewrite !vR_length. exact L.
Qed.
Lemma still_long th : as_long (thR th) (dirR (still th)).
Proof.
  unfold as_long, thR, dirR, still. induction th as [|[u W] th IH]; simpl; constructor; auto.
  cbn [fst]. rewrite !vR_length, map_length. auto.
Qed.
Lemma shift_app t D E th th' : length D = length th -> shift t (D ++ E) (th ++ th') = shift t D th ++ shift t E th'.
Proof.
  unfold shift, zip_params. revert D. induction th as [|l th IH]; intros [|d D] L; simpl in *; try discriminate; auto.
  rewrite IH; auto.
Qed.
Lemma shift_still t th : shift t (dirR (still th)) (thR th) = thR th.
Proof.
  unfold shift, zip_params, thR, dirR, still. induction th as [|[u W] th IH]; auto. cbn [map combine fst snd]. rewrite IH.
  f_equal. f_equal. unfold vR. clear. induction u as [|a u IH]; simpl; auto. rewrite IH. f_equal. num. ring.
Qed.
Lemma same_app a b c d : same_architecture a b -> same_architecture c d -> same_architecture (a ++ c) (b ++ d).
Proof. apply Forall2_app. Qed.
(* no subgradient of an active constraint has a negative product with the direction *)
Lemma subgradient_along h t G d : (forall G', limiting h t G' -> 0 <= dot G' d) -> subgradient h t G -> 0 <= dot G d.
Proof.
  intros H (l & L1 & _ & L3). rewrite (dot_entries d G l L3). apply sumR_nonneg. rewrite Forall_forall. intros r I.
  apply in_map_iff in I. destruct I as ([w G'] & E & I). subst r. destruct (L1 _ _ I) as [W K]. cbn [fst snd].
  apply Rmult_le_pos; auto.
Qed.
Definition follows_scope (s : scope) (th : params R) (dp D : list vec) : Prop :=
  with_part s th (part s th) = th /\ as_long th D /\ as_long (part s th) dp /\
  (forall p' e, 0 < e -> same_architecture (part s th) p' -> close e (part s th) p' ->
     same_architecture th (with_part s th p') /\ close e th (with_part s th p')) /\
  (forall p' t, same_architecture (part s th) p' -> with_part s th (shift t dp p') = shift t D (with_part s th p')).
Lemma direction_in_ok s th D m dp E : direction_in s th D = Some (m, dp, E) ->
  part s (thR th) = thR m /\ follows_scope s (thR th) (dirR dp) (dirR E).
Proof.
  destruct s as [|l]; cbn [direction_in].
  - destruct (expanded th D) as [F|] eqn:EF; [|discriminate]. intros H. inversion H; subst. split; auto.
    pose proof (expanded_long _ _ _ EF). repeat split; auto.
  - destruct (split_at l th) as [[[before [u W]] after]|] eqn:S1; [|discriminate].
    destruct (split_at l D) as [[[B d] A]|] eqn:S2; [|discriminate].
    destruct (_ && _) eqn:T; [|discriminate]. intros H. inversion H; subst. clear H.
    apply andb_prop in T. destruct T as [_ T]. apply Nat.eqb_eq in T.
    destruct (split_at_ok _ _ _ _ _ S1) as [L1 E1]. subst th.
    assert (TH : thR (before ++ (u, W) :: after) = thR before ++ (vR u, W) :: thR after).
    { unfold thR. rewrite map_app. auto. }
    assert (LB : length (thR before) = l) by (unfold thR; rewrite map_length; auto).
    rewrite TH. assert (P : part (Layer l) (thR before ++ (vR u, W) :: thR after) = [(vR u, W)]).
    { unfold part. rewrite skipn_app, skipn_all2, LB, Nat.sub_diag by lia. auto. }
    assert (WP : forall p', with_part (Layer l) (thR before ++ (vR u, W) :: thR after) p' = thR before ++ p' ++ thR after).
    { intros p'. unfold with_part. rewrite firstn_app, LB, Nat.sub_diag, firstn_all2, app_nil_r by lia. f_equal. f_equal.
      rewrite skipn_app, skipn_all2, LB by lia. replace (S l - l)%nat with 1%nat by lia. auto. }
    split; [rewrite P; auto|]. unfold follows_scope. rewrite P.
    assert (DE : dirR (still before ++ d :: still after) = dirR (still before) ++ vR d :: dirR (still after)).
    { unfold dirR. rewrite map_app. auto. }
    rewrite DE. split; [rewrite WP; auto|split; [|split; [|split]]].
    + apply Forall2_app; [apply still_long|]. constructor; [cbn [fst]; rewrite !vR_length; auto|apply still_long].
    + constructor; [cbn [fst]; rewrite !vR_length; auto|constructor].
    + intros p' e HE SA CL. rewrite WP. split.
      * apply same_app; [apply same_self|]. apply (same_app [_]); [exact SA|apply same_self].
      * apply Forall2_app; [apply close_self; auto|]. apply (Forall2_app (l1 := [_])); [exact CL|apply close_self; auto].
    + intros p' t SA. rewrite !WP. inversion SA as [|? [u' W'] ? r ? SA']; subst. inversion SA'; subst.
      rewrite shift_app. 2: { unfold dirR, still, thR. rewrite !map_length. auto. }
      rewrite shift_still. f_equal. cbn [app dirR map].
      change (shift t (vR d :: dirR (still after)) ((u', W') :: thR after)) with
        (shift t [vR d] [(u', W')] ++ shift t (dirR (still after)) (thR after)). rewrite shift_still. auto.
Qed.

Theorem not_kkt_sound p s D : check_not_kkt (classified p) p s D = true -> holds (problemR p) (NotKkt s).
Proof.
  unfold check_not_kkt. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (direction_in s (qtheta p) D) as [[[m dp] E]|] eqn:EF; [|discriminate]. intros K. tests.
  destruct (classified_ok _ _ C) as (HA & _). cbn [problemR alpha] in HA.
  destruct (direction_in_ok _ _ _ _ _ _ EF) as [PM (F1 & F2 & F3 & F4 & F5)].
  apply (holds_intro p g); auto. intros (l & L1 & L2). cbn [problemR theta samples alpha] in *.
  rewrite PM, flat_R in L2. num. rewrite qdot_ok in H.
  assert (NN : 0 <= dot (vR (qflat m)) (vR (concat dp))); [|lra].
  rewrite (dot_entries (vR (concat dp)) _ _ L2). apply sumR_nonneg. rewrite Forall_forall. intros r I.
  apply in_map_iff in I. destruct I as ([w G] & Er & I). subst r. apply in_map_iff in I.
  destruct I as ([[x c] [w' G']] & Ew & I). cbn [snd] in Ew. inversion Ew; subst w' G'. cbn [fst snd].
  destruct (L1 _ _ _ _ I) as (IC & QG & WP & SG). apply Rmult_le_pos; auto.
  rewrite constraints_ok in IC. apply in_map_iff in IC. destruct IC as ([x0 c0] & Ex & IC). inversion Ex; subst x c.
  rewrite forallb_forall in H0. specialize (H0 _ IC). cbn [fst snd] in H0. apply orb_prop in H0. destruct H0 as [H0|H0].
  { exfalso. tests. rewrite <- qq_ok in QG. unfold eqb in H0. apply andb_false_iff in H0. destruct H0; tests; lra. }
  revert SG. apply subgradient_along. intros G' LG. rewrite <- concat_R.
  apply (limiting_along #(qalpha p) (vR x0) (vR c0) (thR (qtheta p)) (dirR E) (with_part s (thR (qtheta p)))
           (part s (thR (qtheta p)))); auto.
  intros S CS. unfold rate. rewrite <- dparams_ok in *.
  assert (IN : inputs (vR x0) = dsR (map (fun a => (a, zero)) x0)).
  { unfold inputs, dsR, vR. rewrite !map_map. apply map_ext. intros. unfold dR. cbn [fst snd]. num. auto. }
  rewrite IN in *. apply never_falls_ok; auto.
Qed.
