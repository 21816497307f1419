(* DepthClaims.v -- the claims that rest on NormBound.v: margin_at_most by one constraint or two opposite ones
   (rule 3.10); margin_at_most and global_optimum for linear networks with one output (rule 3.6). *)
Require Import Reals QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Point MaxMargin.TwoLayer MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.DualBound MaxMargin.Serving MaxMargin.Regions MaxMargin.NormBound.
Import ListNotations.
Open Scope R_scope.

(* uses of a coordinate that no competitor of the region exceeds *)
Definition region_uses (k : qregion) (th : params num) : list nat :=
  match k with QAnyWidth => map (fun _ => 1%nat) th | _ => map (fun l => most_uses (snd l)) th end.
Definition qprod (l : list nat) : num := fold_right (fun n a => mul (of_nat n) a) one l.
Definition depth_power (th : params num) : num := power (of_nat (length th)) (length th).

Definition check_norm (own : option num) (p : qproblem) (k : qregion) (B : num) (ks : list nat) : bool :=
  let cs := qconstraints (qtheta p) (qsamples p) in
  let right := mul (mul B B) (depth_power (qtheta p)) in
  let left c x := mul (mul (qdot c c) (qdot x x)) (qprod (region_uses k (qtheta p))) in
  match own, ks with
  | Some _, [i] =>
      match nth_error cs i with Some (x, c) => nonneg B && leb (left c x) right | None => false end
  | Some _, [i; j] =>
      match nth_error cs i, nth_error cs j with
      | Some (x, c), Some (x', c') =>
          nonneg B && same_entries c' (map (mul (opp one)) c)
          && leb (left c (qaxpy (opp one) x' x)) (mul (of_Z 4) right)
      | _, _ => false
      end
  | _, _ => false
  end.

(* Sum lambda_i y_i x_i; one multiplier per sample *)
Fixpoint qcombination (D : list (list num * label)) (lam : list num) : option (list num) :=
  match D, lam with
  | [], [] => Some []
  | (x, y) :: D', l :: lam' =>
      match qcombination D' lam' with
      | Some t => if nonneg l then Some (qaxpy (match y with Negative => opp l | Positive => l | Class _ => zero end) x t) else None
      | None => None
      end
  | _, _ => None
  end.
Definition qsum (l : list num) : num := fold_right add zero l.
(* uses |Sum lambda y x|^2 *)
Definition linear_size (p : qproblem) (k : qregion) (lam : list num) : option num :=
  match qcombination (qsamples p) lam with
  | Some h => if eqb (qalpha p) one && (outputs (qtheta p) =? 1)%nat && positive (qsum lam)
              then Some (mul (qdot h h) (qprod (region_uses k (qtheta p)))) else None
  | None => None
  end.
Definition check_linear (own : option num) (p : qproblem) (k : qregion) (B : num) (lam : list num) : bool :=
  match own, linear_size p k lam with
  | Some _, Some s => nonneg B && leb s (mul (mul (mul B B) (mul (qsum lam) (qsum lam))) (depth_power (qtheta p)))
  | _, _ => false
  end.
Definition check_linear_global (own : option num) (p : qproblem) (lam : list num) : bool :=
  match own, linear_size p QEverywhere lam with
  | Some g, Some s =>
      let gs := mul g (qsum lam) in
      leb (mul s (power (qnorm2 (qtheta p)) (length (qtheta p)))) (mul (depth_power (qtheta p)) (mul gs gs))
  | _, _ => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma region_facts k p th' : in_region (regionR k) (problemR p) th' ->
  used_at_most (region_uses k (qtheta p)) th' /\ length th' = length (qtheta p) /\ outputs th' = outputs (thR (qtheta p)).
Proof.
  assert (SAME : same_architecture (thR (qtheta p)) th' ->
    used_at_most (map (fun l => most_uses (snd l)) (qtheta p)) th' /\ length th' = length (qtheta p) /\
    outputs th' = outputs (thR (qtheta p))).
  { intros S. split; [|split].
    - unfold used_at_most. revert th' S. induction (qtheta p) as [|[u W] th IH]; intros th' S;
        inversion S as [|? [u' W'] ? t [E _] S']; subst; constructor; auto. cbn [snd] in *. subst W'. apply uses_bound.
    - symmetry. rewrite <- (map_length (fun l : list num * matrix => (vR (fst l), snd l)) (qtheta p)).
      clear - S. fold (thR (qtheta p)). induction S; simpl; auto.
    - symmetry. apply Curve.outputs_same; auto. }
  destruct k; simpl; intros H; try (apply SAME; apply H).
  destruct H as (L & N & O & _). cbn [problemR theta] in *. unfold thR in L. rewrite map_length in L.
  split; [|split; auto]. unfold used_at_most. clear - L N. revert L N. generalize (qtheta p).
  induction th' as [|l th' IH]; intros [|a th] L N; try discriminate; constructor.
  - inversion N; subst. apply NoDup_count_occ. auto.
  - inversion N; subst. apply IH; auto.
Qed.
Lemma qprod_ok l : #(qprod l) = prod_uses l.
Proof. unfold prod_uses. induction l as [|n l IH]; simpl; num; auto. rewrite IH. auto. Qed.
Lemma depth_power_ok th : #(depth_power th) = INR (length th) ^ length th.
Proof. unfold depth_power. num. auto. Qed.
Lemma depth_positive p : well_formed (qtheta p) (qsamples p) = true -> 0 < INR (length (qtheta p)) ^ length (qtheta p).
Proof.
  unfold well_formed. destruct (qsamples p) as [|[x y] D]; [discriminate|]. intros H. apply andb_prop in H.
  destruct H as [H _]. apply andb_prop in H. destruct H as [H _]. apply negb_true_iff, Nat.eqb_neq in H.
  apply pow_lt. apply (lt_INR 0). lia.
Qed.
(* every constraint of theta is one of a competitor *)
Lemma constraint_of p th' g x c i : outputs th' = outputs (thR (qtheta p)) ->
  nth_error (qconstraints (qtheta p) (qsamples p)) i = Some (x, c) ->
  margin_ge #(qalpha p) th' (dataR (qsamples p)) g -> g <= dot (vR c) (forwardR #(qalpha p) th' (vR x)).
Proof.
  intros HO N M. rewrite <- dot_sum_products. apply (M (vR x) (vR c)). unfold constraints_of. rewrite HO.
  change (In (vR x, vR c) (constraints_of (thR (qtheta p)) (dataR (qsamples p)))). rewrite constraints_ok.
  apply in_map_iff. exists (x, c). split; auto. eapply nth_error_In; eauto.
Qed.
Lemma cauchy_g c f g : 0 <= g -> g <= dot c f -> g * g <= sq c * sq f.
Proof. intros G H. pose proof (cauchy c f). unfold sq. nra. Qed.
Lemma opp_scal c : vR (map (mul (opp one)) c) = scal (-1) (vR c).
Proof. unfold vR, scal. rewrite !map_map. apply map_ext. intros. num. auto. Qed.

Theorem norm_sound p k B ks : check_norm (classified p) p k B ks = true -> holds (problemR p) (MarginAtMost (regionR k) #B).
Proof.
  unfold check_norm. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K.
  destruct (classified_ok _ _ C) as (HA & HW & _). cbn [problemR alpha theta samples] in HA, HW. rewrite well_formed_R in HW.
  pose proof (depth_positive p HW) as KP. apply (holds_intro p g); auto. intros th' HI gam MG.
  cbn [problemR alpha samples] in MG. destruct (region_facts k p th' HI) as (HM & HL & HO).
  set (KM := INR (length (qtheta p)) ^ length (qtheta p)) in *.
  assert (NN : 0 <= norm2 th' ^ length th') by (apply pow_le, norm2_nonneg).
  destruct ks as [|i [|j [|? ?]]]; try discriminate.
  - destruct (nth_error _ i) as [[x c]|] eqn:N; [|discriminate]. tests. num.
    rewrite qprod_ok, depth_power_ok, !qdot_ok in H0. fold KM in H0.
    pose proof (constraint_of p th' gam x c i HO N MG) as G.
    pose proof (length_bound _ _ th' (vR x) HA HM) as L. rewrite HL in L at 1 2. fold KM in L.
    apply (nu_from_squares gam #B (norm2 th') (length th') KM); auto; [apply norm2_nonneg|].
    intros G0. pose proof (cauchy_g _ _ _ G0 G) as Q. fold (sq (vR c)) (sq (vR x)) in H0.
    assert (0 <= sq (vR c)) by apply dot_nonneg.
    apply Rle_trans with (sq (vR c) * (KM * sq (forwardR #(qalpha p) th' (vR x)))).
    { replace (sq (vR c) * (KM * sq (forwardR #(qalpha p) th' (vR x)))) with (KM * (sq (vR c) * sq (forwardR #(qalpha p) th' (vR x)))) by ring.
      apply Rmult_le_compat_l; lra. }
    apply Rle_trans with (sq (vR c) * (prod_uses (region_uses k (qtheta p)) * norm2 th' ^ length th' * sq (vR x))).
    { apply Rmult_le_compat_l; auto. }
    replace (sq (vR c) * (prod_uses (region_uses k (qtheta p)) * norm2 th' ^ length th' * sq (vR x)))
      with ((sq (vR c) * sq (vR x) * prod_uses (region_uses k (qtheta p))) * norm2 th' ^ length th') by ring.
    apply Rmult_le_compat_r; auto. lra.
  - destruct (nth_error _ i) as [[x c]|] eqn:N; [|discriminate]. destruct (nth_error _ j) as [[x' c']|] eqn:N'; [|discriminate].
    apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K. destruct K as [K1 K2]. tests. num.
    rewrite qprod_ok, depth_power_ok, !qdot_ok, qaxpy_ok in K3. num. fold KM in K3.
    pose proof (constraint_of p th' gam x c i HO N MG) as G. pose proof (constraint_of p th' gam x' c' j HO N' MG) as G'.
    rewrite (same_entries_ok _ _ K2), opp_scal, dot_scal_l in G'.
    pose proof (lipschitz _ _ th' (vR x) (vR x') HA HM) as L. rewrite HL in L at 1 2. fold KM in L.
    set (f := forwardR #(qalpha p) th' (vR x)) in *. set (f' := forwardR #(qalpha p) th' (vR x')) in *.
    apply (nu_from_squares gam #B (norm2 th') (length th') KM); auto; [apply norm2_nonneg|].
    intros G0. assert (Q : (2 * gam) * (2 * gam) <= sq (vR c) * sq (diff f f')).
    { apply cauchy_g; [lra|]. unfold diff. rewrite dot_axpy_r. lra. }
    fold (sq (vR c)) in K3. change (axpy (- (1)) (vR x') (vR x)) with (diff (vR x) (vR x')) in K3. fold (sq (diff (vR x) (vR x'))) in K3.
    assert (0 <= sq (vR c)) by apply dot_nonneg.
    assert (X : KM * (4 * (gam * gam)) <= 4 * (KM * (#B * #B)) * norm2 th' ^ length th'); [|lra].
    apply Rle_trans with (sq (vR c) * (KM * sq (diff f f'))).
    { replace (sq (vR c) * (KM * sq (diff f f'))) with (KM * (sq (vR c) * sq (diff f f'))) by ring.
      apply Rmult_le_compat_l; lra. }
    apply Rle_trans with (sq (vR c) * (prod_uses (region_uses k (qtheta p)) * norm2 th' ^ length th' * sq (diff (vR x) (vR x')))).
    { apply Rmult_le_compat_l; auto. }
    replace (sq (vR c) * (prod_uses (region_uses k (qtheta p)) * norm2 th' ^ length th' * sq (diff (vR x) (vR x'))))
      with ((sq (vR c) * sq (diff (vR x) (vR x')) * prod_uses (region_uses k (qtheta p))) * norm2 th' ^ length th') by ring.
    apply Rmult_le_compat_r; auto. lra.
Qed.

(* ---- linear networks ------------------------------------------------------------------------ *)
Lemma map_act1 l : map (act 1) l = l.
Proof. induction l; simpl; auto. rewrite IHl, act_1. auto. Qed.
Lemma forward1_axpy ls k : forall a b, forwardR 1 ls (axpy k a b) = axpy k (forwardR 1 ls a) (forwardR 1 ls b).
Proof.
  induction ls as [|[u W] ls IH]; intros a b; [auto|].
  destruct ls as [|l ls]; [apply layer_inputs|]. cbn [forward]. rewrite !map_act1, layer_inputs. apply IH.
Qed.
Fixpoint combination (D : data) (lam : list R) : vec :=
  match D, lam with (x, y) :: D', l :: lam' => axpy (l * side y) x (combination D' lam') | _, _ => [] end.
Lemma qcombination_ok D : forall lam h, qcombination D lam = Some h ->
  vR h = combination (dataR D) (vR lam) /\ length D = length lam /\ Forall (fun l => 0 <= l) (vR lam).
Proof.
  induction D as [|[x y] D IH]; intros [|l lam] h H; cbn [qcombination] in H; try discriminate.
  - inversion H; subst. repeat split; auto; constructor.
  - destruct (qcombination D lam) as [t|] eqn:E; [|discriminate]. destruct (nonneg l) eqn:NL; [|discriminate].
    inversion H; subst. destruct (IH _ _ E) as (A & B & F). tests. split; [|split; [simpl; auto|constructor; auto]].
    rewrite qaxpy_ok, A. cbn [dataR map combination vR fst snd]. f_equal. destruct y; num; simpl; ring.
Qed.
Lemma qsum_ok l : #(qsum l) = sumR (vR l).
Proof. unfold qsum. induction l as [|a l IH]; simpl; num; auto. rewrite IH. auto. Qed.
Lemma dot_one f : dot [1] f = nth 0 f 0.
Proof. destruct f; simpl; ring. Qed.
Lemma combination_ge ls gam : forall D lam, length D = length lam -> Forall (fun l => 0 <= l) lam ->
  (forall x y, In (x, y) D -> gam <= side y * nth 0 (forwardR 1 ls x) 0) ->
  gam * sumR lam <= dot [1] (forwardR 1 ls (combination D lam)).
Proof.
  induction D as [|[x y] D IH]; intros [|l lam] L F H; try discriminate; cbn [combination sumR].
  - rewrite (forward_zero 1 ls []) by (intros; apply dot_nil_r). lra.
  - inversion F; subst. rewrite forward1_axpy, dot_axpy_r, dot_one.
    pose proof (H x y (or_introl eq_refl)) as G.
    assert (I : gam * sumR lam <= dot [1] (forwardR 1 ls (combination D lam))) by (apply IH; auto; intros; apply H; right; auto).
    assert (l * gam <= l * (side y * nth 0 (forwardR 1 ls x) 0)) by (apply Rmult_le_compat_l; auto). lra.
Qed.
(* (gamma Sum lambda)^2 m^m <= size |theta'|^(2m) *)
Lemma linear_ok p k lam s th' gam : well_formed (qtheta p) (qsamples p) = true -> linear_size p k lam = Some s ->
  used_at_most (region_uses k (qtheta p)) th' -> length th' = length (qtheta p) ->
  margin_ge #(qalpha p) th' (dataR (qsamples p)) gam -> 0 <= gam ->
  0 < #(qsum lam) /\ INR (length (qtheta p)) ^ length (qtheta p) * ((gam * #(qsum lam)) * (gam * #(qsum lam))) <= #s * norm2 th' ^ length th'.
Proof.
  unfold linear_size. intros HW H HM HL MG G0. destruct (qcombination (qsamples p) lam) as [h|] eqn:E; [|discriminate].
  destruct (_ && _ && _) eqn:T; [|discriminate]. inversion H; subst.
  apply andb_prop in T. destruct T as [T T3]. apply andb_prop in T. destruct T as [T1 T2]. apply Nat.eqb_eq in T2. tests. num.
  destruct (qcombination_ok _ _ _ E) as (A & B & F). split; auto.
  rewrite T1 in MG. rewrite qprod_ok, qdot_ok. rewrite qsum_ok in *.
  assert (Q : gam * sumR (vR lam) <= dot [1] (forwardR 1 th' (vR h))).
  { rewrite A. apply combination_ge; auto; [unfold dataR, vR; rewrite !map_length; auto|].
    intros x y I. apply in_map_iff in I. destruct I as ([x0 y0] & E0 & I). inversion E0; subst. cbn [fst snd].
    destruct (labels_binary p HW T2 _ _ I) as (b & S & Y). rewrite <- Y.
    eapply sample_constraint; [apply dataR_in, I|exact S|exact MG]. }
  pose proof (length_bound 1 _ th' (vR h) ltac:(lra) HM) as L. rewrite HL in L at 1 2.
  assert (P : 0 <= gam * sumR (vR lam)) by (apply Rmult_le_pos; lra).
  pose proof (cauchy_g _ _ _ P Q) as C. assert (O : sq [1] = 1) by (unfold sq; simpl; ring). rewrite O in C.
  assert (KP : 0 <= INR (length (qtheta p)) ^ length (qtheta p)) by (apply pow_le, pos_INR).
  eapply Rle_trans; [apply Rmult_le_compat_l; [exact KP|exact C]|].
  fold (sq (vR h)). lra.
Qed.
Theorem linear_sound p k B lam : check_linear (classified p) p k B lam = true -> holds (problemR p) (MarginAtMost (regionR k) #B).
Proof.
  unfold check_linear. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (linear_size p k lam) as [s|] eqn:E; [|discriminate]. intros K. tests. num.
  destruct (classified_ok _ _ C) as (HA & HW & _). cbn [problemR alpha theta samples] in HA, HW. rewrite well_formed_R in HW.
  rewrite depth_power_ok in H0. pose proof (depth_positive p HW) as KP.
  apply (holds_intro p g); auto. intros th' HI gam MG. cbn [problemR alpha samples] in MG.
  destruct (region_facts k p th' HI) as (HM & HL & HO). set (KM := INR (length (qtheta p)) ^ length (qtheta p)) in *.
  assert (NN : 0 <= norm2 th' ^ length th') by (apply pow_le, norm2_nonneg).
  apply (nu_from_squares gam #B (norm2 th') (length th') KM); auto; [apply norm2_nonneg|].
  intros G0. destruct (linear_ok p k lam s th' gam HW E HM HL MG G0) as [SP Q]. fold KM in Q.
  set (S := #(qsum lam)) in *. assert (SS : 0 < S * S) by nra.
  apply Rmult_le_reg_r with (S * S); auto.
  apply Rle_trans with (#s * norm2 th' ^ length th'); [lra|].
  apply Rle_trans with ((#B * #B * (S * S) * KM) * norm2 th' ^ length th'); [apply Rmult_le_compat_r; auto|right; ring].
Qed.
Lemma pow_le_inv m a b : (0 < m)%nat -> 0 <= a -> 0 <= b -> a ^ m <= b ^ m -> a <= b.
Proof.
  intros HM HA HB H. destruct (Rle_lt_dec a b) as [|L]; auto. exfalso.
  assert (b ^ m < a ^ m); [|lra]. clear H. induction m as [|m IH]; [lia|]. simpl.
  destruct m as [|m]; [simpl; lra|]. specialize (IH ltac:(lia)). assert (0 <= b ^ S m) by (apply pow_le; auto).
  apply Rmult_le_0_lt_compat; auto.
Qed.
Theorem linear_global_sound p lam : check_linear_global (classified p) p lam = true -> holds (problemR p) (GlobalOptimum All).
Proof.
  unfold check_linear_global. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (linear_size p QEverywhere lam) as [s|] eqn:E; [|discriminate]. intros K. cbv zeta in K. tests. num.
  rewrite depth_power_ok, qnorm2_ok in K.
  destruct (classified_ok _ _ C) as (HA & HW & HG & _). cbn [problemR alpha theta samples] in HA, HW. rewrite well_formed_R in HW.
  pose proof (depth_positive p HW) as KP.
  apply (holds_intro p g); auto. intros th' V MG. cbn [problemR alpha samples theta] in *.
  destruct (region_facts QEverywhere p th' V) as (HM & HL & HO).
  destruct (linear_ok p QEverywhere lam s th' #g HW E HM HL MG ltac:(lra)) as [SP Q].
  set (KM := INR (length (qtheta p)) ^ length (qtheta p)) in *. rewrite HL in Q. simpl.
  set (gs := #g * #(qsum lam)) in *. assert (GP : 0 < gs) by (apply Rmult_lt_0_compat; auto).
  assert (KG : 0 < KM * (gs * gs)) by (apply Rmult_lt_0_compat; auto; nra).
  pose proof (pow_le (norm2 th') (length (qtheta p)) (norm2_nonneg th')) as N'.
  assert (SP' : 0 < #s) by (destruct (Rle_lt_dec #s 0); auto; nra).
  apply (pow_le_inv (length (qtheta p))); try apply norm2_nonneg.
  - destruct (qtheta p); [|simpl; lia]. unfold well_formed in HW. destruct (qsamples p) as [|[x y] D]; discriminate.
  - apply Rmult_le_reg_l with #s; auto. lra.
Qed.
