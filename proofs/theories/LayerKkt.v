(* LayerKkt.v -- rules 3.1 and 3.2 for one layer: limiting gradients in the parameters of that layer, read off along a
   curve that moves it alone.  With the signs of the curve the constraint is linear in the layer, so its gradient is the
   list of its values at unit vectors. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Curve.
Require Import MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.Descent.
Import ListNotations.
Open Scope R_scope.

Fixpoint layer_kkt_sum (p : qproblem) (g : num) before u W after (l : list term) : option (list num) :=
  match l with
  | [] => Some (repeat zero (length u))
  | (k, w, mv) :: l' =>
      match nth_error (qconstraints (qtheta p) (qsamples p)) k, layer_kkt_sum p g before u W after l' with
      | Some (x, c), Some total =>
          let a := hidden zero add mul (qact (qalpha p)) before x in
          match slopes_of (qalpha p) (zeros a) (curve ((u, W) :: after) [nth (length before) mv []]) (map pconst a) with
          | Some ss =>
              if nonneg w && eqb (qq (qalpha p) (qtheta p) x c) g && only_layer (length before) mv
              then Some (qaxpy w (qcoefficients ss u W after a c) total) else None
          | None => None
          end
      | _, _ => None
      end
  end.
Definition check_layer_kkt (own : option num) (p : qproblem) (l : nat) (terms : list term) : bool :=
  match own, split_at l (qtheta p) with
  | Some g, Some (before, (u, W), after) =>
      match layer_kkt_sum p g before u W after terms with
      | Some total => same_entries total u
      | None => false
      end
  | _, _ => false
  end.
Definition check_kkt_in (own : option num) (p : qproblem) (s : scope) (terms : list term) : bool :=
  match s with All => check_kkt own p terms | Layer l => check_layer_kkt own p l terms end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma part_of before (l : vec * matrix) after : part (Layer (length before)) (before ++ l :: after) = [l].
Proof. unfold part. rewrite skipn_app, skipn_all, Nat.sub_diag. auto. Qed.
Lemma with_part_of before (l : vec * matrix) after t :
  with_part (Layer (length before)) (before ++ l :: after) t = before ++ t ++ after.
Proof.
  unfold with_part. rewrite firstn_app, firstn_all, Nat.sub_diag, app_nil_r. f_equal. f_equal.
  rewrite skipn_app, skipn_all2 by lia. replace (S (length before) - length before)%nat with 1%nat by lia. auto.
Qed.
Theorem layer_term_limiting p before u W after x c m S : 0 <= #(qalpha p) <= 1 ->
  slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [m])
    (map pconst (hidden zero add mul (qact (qalpha p)) before x)) = Some S ->
  limiting (fun t => q #(qalpha p) (thR before ++ t ++ thR after) (vR x) (vR c)) [(vR u, W)]
    (vR (qcoefficients S u W after (hidden zero add mul (qact (qalpha p)) before x) c)).
Proof.
  intros HA H eta HE. set (a := hidden zero add mul (qact (qalpha p)) before x) in *.
  destruct (slopes_of_ok _ _ _ _ _ H) as (offs & K).
  destruct (ev_ex _ (ev_and _ _ K (curve_close eta ((u, W) :: after) HE [m]))) as (e & _ & F & CL).
  rewrite pe_consts in F.
  change (at_ e (curve ((u, W) :: after) [m])) with ((map (pe e) (along u m), W) :: at_ e (curve after [])) in F, CL.
  rewrite (at_rest_ok e after []) in F, CL by auto. set (v := map (pe e) (along u m)) in *.
  assert (LV : length v = length u).
  { unfold v. rewrite map_length. clear. revert m. induction u as [|b u IH]; intros [|r m]; simpl; auto. }
  assert (NV : near_vec eta (vR u) v) by (inversion CL; subst; auto).
  assert (VAL : forall w, length w = length u -> fits #(qalpha p) (map vR S) offs (zeros a) ((w, W) :: thR after) (vR a) ->
    q #(qalpha p) (thR before ++ [(w, W)] ++ thR after) (vR x) (vR c) = dot w (vR (qcoefficients S u W after a c))).
  { intros w LW FW. unfold q, q_value. cbn [app]. rewrite forward_hidden by discriminate. rewrite <- hidden_ok. fold a.
    rewrite (of_pattern _ (map vR S) offs (zeros a) W (thR after) w (vR a) (vR c) (zeros_ok a) FW), of_layer_dot, LW, <- qcoefficients_ok. auto. }
  exists [(v, W)], (vR (qcoefficients S u W after a c)). split; [|split; [|split]].
  - constructor; [|constructor]. cbn [fst]. rewrite vR_length. auto.
  - constructor; [exact NV|constructor].
  - destruct (fits_near _ HA _ _ _ _ _ F) as (d & D & N). intros eta2 HE2. exists d. split; auto.
    intros f th2 [FP FD] SA C2. inversion SA as [|? [w W'] ? r [E1 E2] SA']; subst. inversion SA'; subst.
    cbn [fst snd] in E1, E2. subst W'. inversion C2 as [|? ? ? ? CW _]; subst. cbn [fst] in CW.
    rewrite (VAL v LV F), (VAL w); [|congruence|].
    + unfold flat. cbn [flat_map fst]. rewrite !app_nil_r, (dot_comm w), (dot_comm v).
      match goal with |- Rabs ?r <= _ => replace r with 0 by ring end. rewrite Rabs_R0. nra.
    + apply N; [|constructor; [eapply near_mono; eauto|apply close_self; auto]|apply near_self; auto].
      constructor; [split; auto|apply same_self].
  - intros i. rewrite Rminus_eq_0, Rabs_R0. auto.
Qed.
Lemma layer_kkt_sum_ok p g before u W after : qtheta p = before ++ (u, W) :: after -> 0 <= #(qalpha p) <= 1 ->
  forall l total, layer_kkt_sum p g before u W after l = Some total ->
  exists L : list ((vec * vec) * (R * vec)),
    (forall x c w G, In ((x, c), (w, G)) L ->
       In (x, c) (constraints_of (thR (qtheta p)) (dataR (qsamples p))) /\ q #(qalpha p) (thR (qtheta p)) x c = #g /\ 0 <= w /\
       subgradient (fun t => q #(qalpha p) (thR before ++ t ++ thR after) x c) [(vR u, W)] G) /\
    forall i, nth i (vR total) 0 = entry_sum i (map snd L).
Proof.
  intros ET HA. induction l as [|[[k w] mv] l IH]; intros total H; cbn [layer_kkt_sum] in H.
  - inversion H; subst. exists []. split; [intros ? ? ? ? []|]. intros i. rewrite nth_vR. simpl.
    assert (Z : forall n, #(nth i (repeat zero n) zero) = 0); [|apply Z].
    intros n. revert i. induction n as [|n IHn]; intros [|i]; simpl; num; auto.
  - destruct (nth_error _ k) as [[x c]|] eqn:N; [|discriminate].
    destruct (layer_kkt_sum p g before u W after l) as [t|] eqn:E; [|discriminate]. cbv zeta in H.
    destruct (slopes_of _ _ _ _) as [S|] eqn:F; [|discriminate].
    destruct (nonneg w && _ && _) eqn:T; [|discriminate]. inversion H; subst. tests.
    destruct (IH t eq_refl) as (L & L1 & L2).
    exists (((vR x, vR c), (#w, vR (qcoefficients S u W after (hidden zero add mul (qact (qalpha p)) before x) c))) :: L). split.
    + intros x' c' w' G [I|I]; [|apply L1; auto]. inversion I; subst x' c' w' G.
      split; [|split; [|split; [auto|]]].
      * rewrite constraints_ok. apply in_map_iff. exists (x, c). split; auto. eapply nth_error_In; eauto.
      * rewrite <- qq_ok. auto.
      * apply limiting_subgradient. eapply layer_term_limiting; eauto.
    + intros i. rewrite qaxpy_ok, nth_axpy. cbn [map snd entry_sum]. rewrite <- L2. auto.
Qed.
Theorem kkt_in_sound p s l : check_kkt_in (classified p) p s l = true -> holds (problemR p) (Kkt s).
Proof.
  destruct s as [|n]; [apply kkt_sound|]. cbn [check_kkt_in]. unfold check_layer_kkt.
  destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (split_at n (qtheta p)) as [[[before [u W]] after]|] eqn:SP; [|discriminate].
  destruct (layer_kkt_sum p g before u W after l) as [total|] eqn:E; [|discriminate]. intros K.
  destruct (split_at_ok _ _ _ _ _ SP) as [LB ET]. destruct (classified_ok _ _ C) as (HA & _). cbn [problemR alpha] in HA.
  destruct (layer_kkt_sum_ok p g before u W after ET HA l total E) as (L & L1 & L2).
  apply (holds_intro p g); auto. exists L. cbn [problemR theta samples alpha].
  assert (TH : thR (qtheta p) = thR before ++ (vR u, W) :: thR after) by (rewrite ET; unfold thR; rewrite map_app; auto).
  assert (LN : n = length (thR before)) by (unfold thR; rewrite map_length; auto).
  split.
  - intros x c w G I. destruct (L1 _ _ _ _ I) as (A & B & D & F). split; [auto|split; [auto|split; [auto|]]].
    rewrite TH, LN, part_of. destruct F as (l' & F1 & F2). exists l'. split; auto. intros w' G' I'.
    destruct (F1 _ _ I') as [W0 LM]. split; auto. intros eta HE. destruct (LM eta HE) as (t & G2 & S1 & S2 & S3 & S4).
    exists t, G2. split; [auto|split; [auto|split; [|auto]]].
    intros e2 HE2. destruct (S3 e2 HE2) as (e0 & E0 & S3'). exists e0. split; auto. intros e' t' EE SA CL.
    rewrite !with_part_of. apply S3'; auto.
  - intros i. rewrite TH, LN, part_of. unfold flat. cbn [flat_map fst]. rewrite app_nil_r, <- (same_entries_ok _ _ K). apply L2.
Qed.
