(* LayerCell.v -- rule 3.5a for one layer: with the others fixed, the constraints are linear in the layer,
   near theta (no kinks in it or above), or everywhere (the last layer, or alpha = 1).  Then
   u = Sum lambda_k G_k  gives  |u|^2 = g Sum lambda <= Sum lambda_k q_k(u') = u . u' <= |u| |u'|. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Curve.
Require Import MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Kkt MaxMargin.TwoLayer.
Import ListNotations.
Open Scope R_scope.

(* activations after some layers *)
Section Hidden.
  Variables (A : Type) (zero : A) (add mul : A -> A -> A) (sigma : A -> A).
  Fixpoint hidden (ls : params A) (a : list A) : list A :=
    match ls with [] => a | (u, W) :: rest => hidden rest (map sigma (layer zero add mul u W a)) end.
End Hidden.
Arguments hidden {A}.

Fixpoint split_at {A} (l : nat) (ls : list A) : option (list A * A * list A) :=
  match ls, l with
  | [], _ => None
  | a :: rest, O => Some ([], a, rest)
  | a :: rest, S l' => match split_at l' rest with Some (b, m, r) => Some (a :: b, m, r) | None => None end
  end.
(* coefficients of q_k as a linear function of the layer: its values at unit vectors *)
Definition qunit (j : nat) : list num := repeat zero j ++ [one].
Definition qcoefficients (S : list (list num)) (u : list num) (W : matrix) (after : params num) (a c : list num) : list num :=
  map (fun j => pattern_value zero add mul S ((qunit j, W) :: after) a c) (seq 0 (length u)).
Fixpoint layer_sum (p : qproblem) (g : num) before u W after (l : list (nat * num)) : option (list num) :=
  match l with
  | [] => Some (repeat zero (length u))
  | (k, w) :: l' =>
      match nth_error (qconstraints (qtheta p) (qsamples p)) k, layer_sum p g before u W after l' with
      | Some (x, c), Some total =>
          let a := hidden zero add mul (qact (qalpha p)) before x in
          match slopes_of (qalpha p) (zeros a) (curve ((u, W) :: after) []) (map pconst a) with
          | Some ss =>
              if nonneg w && eqb (qq (qalpha p) (qtheta p) x c) g
              then Some (qaxpy w (qcoefficients ss u W after a c) total) else None
          | None => None
          end
      | _, _ => None
      end
  end.
Fixpoint same_entries (a b : list num) : bool :=
  match a, b with [], [] => true | x :: a', y :: b' => eqb x y && same_entries a' b' | _, _ => false end.
Definition check_layer (own : option num) (p : qproblem) (global : bool) (l : nat) (lam : list (nat * num)) : bool :=
  match own, split_at l (qtheta p) with
  | Some g, Some (before, (u, W), after) =>
      match layer_sum p g before u W after lam with
      | Some total => same_entries total u && (negb global || eqb (qalpha p) one || match after with [] => true | _ => false end)
      | None => false
      end
  | _, _ => false
  end.

(* ---- linearity ------------------------------------------------------------------------------ *)
Lemma axpy_length k a : forall b, length a = length b -> length (axpy k a b) = length a.
Proof. induction a as [|x a IH]; intros [|y b] H; simpl in *; auto; discriminate || (f_equal; auto). Qed.
Lemma row_dot_params k u u' r : forall a,
  row_dot 0 Rplus Rmult (axpy k u u') r a = k * row_dot 0 Rplus Rmult u r a + row_dot 0 Rplus Rmult u' r a.
Proof. induction r as [|[j|] r IH]; intros [|z a]; simpl; try ring; rewrite IH, ?nth_axpy; ring. Qed.
Lemma layer_params k u u' W a :
  layer 0 Rplus Rmult (axpy k u u') W a = axpy k (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a).
Proof. unfold layer. induction W as [|r W IH]; simpl; auto. rewrite IH, row_dot_params. auto. Qed.
Lemma layer_inputs k u W a b :
  layer 0 Rplus Rmult u W (axpy k a b) = axpy k (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u W b).
Proof. unfold layer. induction W as [|r W IH]; simpl; auto. rewrite IH, !row_dot_dot, dot_axpy_r. auto. Qed.
Lemma times_axpy k s : forall a b, length a = length b ->
  times Rmult s (axpy k a b) = axpy k (times Rmult s a) (times Rmult s b).
Proof.
  induction s as [|x s IH]; intros [|y a] [|z b] L; simpl in *; try discriminate; auto.
  injection L as L. rewrite (IH a b L). f_equal. ring.
Qed.
Lemma patterned_inputs k ls : forall S a b, length a = length b ->
  patterned 0 Rplus Rmult S ls (axpy k a b) = axpy k (patterned 0 Rplus Rmult S ls a) (patterned 0 Rplus Rmult S ls b).
Proof.
  induction ls as [|[u W] ls IH]; intros S a b L; auto. destruct ls as [|l ls]; [apply layer_inputs|].
  cbn [patterned]. rewrite layer_inputs, times_axpy by (unfold layer; rewrite !map_length; auto).
  apply (IH (tl S)). clear. unfold layer. generalize (hd [] S). intros s. revert s. induction W as [|r W IH]; intros [|x s]; simpl; auto.
Qed.
Definition of_layer (S : list (list R)) (W : matrix) (after : params R) (a c u : vec) : R :=
  pattern_value 0 Rplus Rmult S ((u, W) :: after) a c.
Lemma of_layer_linear S W after a c k u u' :
  of_layer S W after a c (axpy k u u') = k * of_layer S W after a c u + of_layer S W after a c u'.
Proof.
  unfold of_layer, pattern_value. rewrite !Exact.dot_sum_products, <- dot_axpy_r. f_equal.
  destruct after as [|l after]; [apply layer_params|]. cbn [patterned]. rewrite layer_params.
  rewrite times_axpy by (unfold layer; rewrite !map_length; auto). apply (patterned_inputs k (l :: after)).
  unfold layer. generalize (hd [] S). intros s. revert s. induction W as [|r W IH]; intros [|x s]; simpl; auto.
Qed.
Lemma axpy_unit x v : forall n, axpy x (unit_vec n) (repeat 0 (S n) ++ v) = repeat 0 n ++ x :: v.
Proof.
  unfold unit_vec. induction n as [|n IH]; simpl.
  - f_equal. ring.
  - simpl in IH. rewrite IH. f_equal. ring.
Qed.
(* a linear function is the combination of its values at unit vectors *)
Lemma linear_values (Q : vec -> R) : (forall k u u', Q (axpy k u u') = k * Q u + Q u') -> forall v n,
  (Q (repeat 0 (n + length v)) = 0) -> Q (repeat 0 n ++ v) = dot v (map (fun j => Q (unit_vec j)) (seq n (length v))).
Proof.
  intros H. induction v as [|x v IH]; intros n Z.
  - rewrite app_nil_r. simpl in *. rewrite Nat.add_0_r in Z. exact Z.
  - rewrite <- axpy_unit, H. cbn [length seq map dot]. rewrite <- (IH (S n)); [ring|].
    replace (S n + length v)%nat with (n + length (x :: v))%nat by (simpl; lia). exact Z.
Qed.
Lemma linear_zero (Q : vec -> R) : (forall k u u', Q (axpy k u u') = k * Q u + Q u') -> forall n, Q (repeat 0 n) = 0.
Proof.
  intros H n. pose proof (H (-1) (repeat 0 n) (repeat 0 n)) as E.
  assert (A : axpy (-1) (repeat 0 n) (repeat 0 n) = repeat 0 n).
  { clear. induction n; simpl; auto. rewrite IHn. f_equal. ring. }
  rewrite A in E. lra.
Qed.
Lemma of_layer_dot S W after a c u :
  of_layer S W after a c u = dot u (map (fun j => of_layer S W after a c (unit_vec j)) (seq 0 (length u))).
Proof.
  apply (linear_values (of_layer S W after a c) (of_layer_linear S W after a c) u 0).
  apply linear_zero, of_layer_linear.
Qed.

(* ---- the layers below are constant ---------------------------------------------------------- *)
Lemma forward_hidden al before : forall rest a, rest <> [] ->
  forward 0 Rplus Rmult (act al) (before ++ rest) a =
  forward 0 Rplus Rmult (act al) rest (hidden 0 Rplus Rmult (act al) before a).
Proof.
  induction before as [|[u W] before IH]; intros rest a H; auto. cbn [app hidden].
  rewrite <- (IH rest _ H). destruct (before ++ rest) eqn:E; auto.
  apply app_eq_nil in E. destruct E. contradiction.
Qed.
Lemma hidden_ok al before : forall a,
  vR (hidden zero add mul (qact al) before a) = hidden 0 Rplus Rmult (act #al) (thR before) (vR a).
Proof.
  induction before as [|[u W] before IH]; intros a; auto.
  change (thR ((u, W) :: before)) with ((vR u, W) :: thR before). cbn [hidden]. rewrite IH, vact_ok, layer_ok. auto.
Qed.
Lemma split_at_ok {A} : forall l (ls : list A) b m r, split_at l ls = Some (b, m, r) -> length b = l /\ ls = b ++ m :: r.
Proof.
  induction l as [|l IH]; intros [|a ls] b m r H; simpl in H; try discriminate.
  - inversion H; auto.
  - destruct (split_at l ls) as [[[b' m'] r']|] eqn:E; [|discriminate]. inversion H; subst.
    destruct (IH _ _ _ _ E). subst. auto.
Qed.
Lemma qpattern_ok S th x c : #(pattern_value zero add mul S th x c) =
  pattern_value 0 Rplus Rmult (map vR S) (thR th) (vR x) (vR c).
Proof.
  apply (rel_value num R zero add mul 0 Rplus Rmult (fun a b => #a = b)); intros; num; subst; num; auto.
  - unfold thR. induction th as [|[u W] th IH]; constructor; auto. split; auto. cbn [fst].
    clear. unfold vR. induction u; simpl; constructor; auto.
  - induction S as [|s S IH]; constructor; auto. unfold vR. clear. induction s; simpl; constructor; auto.
  - unfold vR. induction x; simpl; constructor; auto.
  - unfold vR. induction c; simpl; constructor; auto.
Qed.
Lemma qunit_ok j : vR (qunit j) = unit_vec j.
Proof. unfold vR, qunit, unit_vec. rewrite map_app. simpl. num. f_equal. induction j; simpl; auto. rewrite IHj. num. auto. Qed.
Lemma qcoefficients_ok S u W after a c : vR (qcoefficients S u W after a c) =
  map (fun j => of_layer (map vR S) W (thR after) (vR a) (vR c) (unit_vec j)) (seq 0 (length u)).
Proof.
  unfold qcoefficients, vR at 1. rewrite map_map. apply map_ext. intros j. rewrite qpattern_ok. unfold of_layer.
  change (thR ((qunit j, W) :: after)) with ((vR (qunit j), W) :: thR after). rewrite qunit_ok. auto.
Qed.

(* where every constraint with a multiplier is linear in the layer *)
Definition linear_at (p : qproblem) before u W after (l : list (nat * num)) (v : vec) : Prop :=
  forall k w x c ss, In (k, w) l -> nth_error (qconstraints (qtheta p) (qsamples p)) k = Some (x, c) ->
    slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [])
      (map pconst (hidden zero add mul (qact (qalpha p)) before x)) = Some ss ->
    q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c) =
    of_layer (map vR ss) W (thR after) (vR (hidden zero add mul (qact (qalpha p)) before x)) (vR c) v.
Fixpoint weights_sum (l : list (nat * num)) : R := match l with [] => 0 | (_, w) :: l' => #w + weights_sum l' end.

(* Sum lambda q(v) >= g Sum lambda, with equality at u itself *)
Lemma layer_sum_ok p g before u W after : qtheta p = before ++ (u, W) :: after -> forall l total,
  layer_sum p g before u W after l = Some total -> forall v, length v = length u ->
  linear_at p before u W after l v ->
  (margin_ge #(qalpha p) (thR before ++ (v, W) :: thR after) (dataR (qsamples p)) #g -> outputs (thR before ++ (v, W) :: thR after) = outputs (thR (qtheta p)) ->
     #g * weights_sum l <= dot v (vR total)) /\
  (v = vR u -> dot v (vR total) = #g * weights_sum l).
Proof.
  intros ET. induction l as [|[k w] l IH]; intros total H v LV LIN; cbn [layer_sum] in H.
  - inversion H; subst. assert (Z : dot v (vR (repeat zero (length u))) = 0).
    { clear. generalize (length u). intros n. revert v. induction n as [|n IH]; intros [|x v]; simpl; auto. unfold vR in IH. rewrite IH. num. ring. }
    rewrite Z. simpl. split; intros; lra.
  - destruct (nth_error _ k) as [[x c]|] eqn:N; [|discriminate].
    destruct (layer_sum p g before u W after l) as [t|] eqn:E; [|discriminate].
    destruct (slopes_of _ _ _ _) as [ss|] eqn:F; [|discriminate].
    destruct (nonneg w && _) eqn:T; [|discriminate]. inversion H; subst. tests.
    assert (LIN' : linear_at p before u W after l v) by (intros k' w' x' c' ss' I; apply (LIN k' w'); right; auto).
    destruct (IH t eq_refl v LV LIN') as [I1 I2].
    pose proof (LIN k w x c ss (or_introl eq_refl) N F) as Q. rewrite of_layer_dot, LV, <- qcoefficients_ok in Q.
    rewrite qaxpy_ok, dot_axpy_r. cbn [weights_sum]. split.
    + intros MG HO. specialize (I1 MG HO). rewrite <- Q.
      assert (G : #g <= q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c)).
      { apply MG. unfold constraints_of. rewrite HO.
        change (In (vR x, vR c) (constraints_of (thR (qtheta p)) (dataR (qsamples p)))).
        rewrite constraints_ok. apply in_map_iff. exists (x, c). split; auto. eapply nth_error_In; eauto. }
      assert (#g * #w <= #w * q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c)).
      { rewrite Rmult_comm. apply Rmult_le_compat_l; auto. }
      rewrite Rmult_plus_distr_l. apply Rplus_le_compat; assumption.
    + intros EV. specialize (I2 EV). rewrite I2, <- Q, EV. rewrite qq_ok, ET in H1.
      unfold thR at 1 in H1. rewrite map_app in H1. cbn [map fst snd] in H1. fold (thR before) (thR after) in H1.
      assert (V : forall z, q #(qalpha p) (thR before ++ (vR u, W) :: thR after) (vR x) (vR c) = z -> #g = z)
        by (intros z HZ; rewrite <- HZ; symmetry; exact H1).
      rewrite <- (V _ eq_refl). ring.
Qed.
Lemma same_entries_ok a : forall b, same_entries a b = true -> vR a = vR b.
Proof.
  induction a as [|x a IH]; intros [|y b] H; simpl in H; try discriminate; auto.
  apply andb_prop in H. destruct H as [H1 H2]. tests. simpl. rewrite H1. f_equal. apply IH; auto.
Qed.
Lemma longer u v : 0 < dot u u -> dot u u <= dot v u -> dot u u <= dot v v.
Proof. intros P H. pose proof (cauchy v u) as C. apply Rmult_le_reg_r with (dot u u); auto. nra. Qed.
Lemma sum_squares_dot u : sum_squares 0 Rplus Rmult u = dot u u.
Proof. induction u; simpl; auto. rewrite IHu. auto. Qed.
Lemma of_pattern al ss offs off W after v a c : zero_at off a -> fits al ss offs off ((v, W) :: after) a ->
  sum_products 0 Rplus Rmult c (forward 0 Rplus Rmult (act al) ((v, W) :: after) a) = of_layer ss W after a c v.
Proof. intros Z F. rewrite (fits_value _ _ _ _ _ _ Z F). reflexivity. Qed.

Lemma same_self (th : params R) : same_architecture th th.
Proof. induction th; constructor; auto. Qed.
Lemma near_self e v : 0 < e -> near_vec e v v.
Proof. intros HE. induction v; constructor; auto. rewrite Rminus_eq_0, Rabs_R0; auto. Qed.
Lemma close_self e th : 0 < e -> close e th th.
Proof. intros HE. induction th; constructor; auto. apply near_self; auto. Qed.
(* for one multiplier: linear near theta *)
Lemma linear_near p before u W after x ss : 0 <= #(qalpha p) <= 1 ->
  slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [])
    (map pconst (hidden zero add mul (qact (qalpha p)) before x)) = Some ss ->
  exists e, 0 < e /\ forall v c, near_vec e (vR u) v -> length v = length u ->
    q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c) =
    of_layer (map vR ss) W (thR after) (vR (hidden zero add mul (qact (qalpha p)) before x)) (vR c) v.
Proof.
  intros HA H. set (a := hidden zero add mul (qact (qalpha p)) before x) in *.
  destruct (slopes_of_ok _ _ _ _ _ H) as (offs & K). destruct (ev_ex _ K) as (e & _ & F).
  rewrite pe_consts, (at_rest_ok e ((u, W) :: after) []) in F by auto.
  destruct (fits_near _ HA _ _ _ _ _ F) as (d & D & N). exists d. split; auto. intros v c NV LV.
  assert (FV : fits #(qalpha p) (map vR ss) offs (zeros a) ((v, W) :: thR after) (vR a)).
  { apply N; [| |apply near_self; auto].
    - constructor; [split; auto; cbn [fst]; rewrite vR_length; auto|]. apply same_self.
    - constructor; [exact NV|]. apply close_self; auto. }
  unfold q, q_value. rewrite forward_hidden by discriminate. rewrite <- hidden_ok. fold a.
  apply (of_pattern _ _ offs (zeros a)); auto. apply zeros_ok.
Qed.
(* or everywhere: with alpha = 1 all slopes are 1 *)
Definition falses (ls : params num) : list (list bool) := map (fun l => map (fun _ => false) (snd l)) ls.
Lemma ones al off u a W : #al = 1 -> forall l v b off', all_some (map (slope_of al off u a) W) = Some l ->
  Forall2 (unit_fits 1 off' v b) (vR (map fst l)) W.
Proof.
  intros HA. induction W as [|r W IH]; intros l v b off' H; simpl in H.
  - inversion H; subst. constructor.
  - destruct (slope_of al off u a r) as [[s o]|] eqn:E; [|discriminate].
    destruct (all_some _) as [t|] eqn:F; [|discriminate]. inversion H; subst. constructor; [|apply (IH t); auto].
    right. right. right. split; [|reflexivity]. cbn [fst]. unfold slope_of in E.
    destruct (blind off r); [inversion E; subst; auto|].
    destruct (psign _); [destruct (eqb al one); [|discriminate]| |]; inversion E; subst; first [exact HA|apply toR_1].
Qed.
Lemma no_off al off u a W : Forall2 (unit_off al off u a) (map (fun _ => false) W) W.
Proof. induction W; simpl; constructor; auto. intros H. discriminate. Qed.
Lemma fits_linear al : #al = 1 -> forall (ls : params num) off a ss, slopes_of al off (curve ls []) a = Some ss ->
  forall ls' off' b, same_architecture (thR ls) ls' -> fits 1 (map vR ss) (falses ls) off' ls' b.
Proof.
  intros HA. induction ls as [|[u W] ls IH]; intros off a ss H ls' off' b S.
  - inversion S; subst. exact I.
  - inversion S as [|? [u' W'] ? t [E _] S']; subst. cbn [snd] in E. subst W'.
    destruct ls as [|[u2 W2] ls]; [inversion S'; subst; exact I|].
    change (curve ((u, W) :: (u2, W2) :: ls) []) with ((along u [], W) :: curve ((u2, W2) :: ls) []) in H.
    cbn [curve] in H. rewrite slopes_of_cons in H. destruct (all_some _) as [l|] eqn:F; [|discriminate].
    destruct (slopes_of _ (map snd l) _ _) as [r|] eqn:G; [|discriminate]. inversion H; subst.
    destruct t as [|l2 t]; [inversion S'|].
    change (Forall2 (unit_fits 1 off' u' b) (vR (map fst l)) W /\
            Forall2 (unit_off 1 off' u' b) (map (fun _ => false) W) W /\
            fits 1 (map vR r) (falses ((u2, W2) :: ls)) (map (fun _ => false) W) (l2 :: t)
              (map (act 1) (layer 0 Rplus Rmult u' W b))).
    split; [eapply ones; eauto|split; [apply no_off|]]. eapply IH; eauto.
Qed.
Lemma linear_everywhere p before u W after x ss : #(qalpha p) = 1 \/ after = [] ->
  slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [])
    (map pconst (hidden zero add mul (qact (qalpha p)) before x)) = Some ss ->
  forall v c, length v = length u -> q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c) =
    of_layer (map vR ss) W (thR after) (vR (hidden zero add mul (qact (qalpha p)) before x)) (vR c) v.
Proof.
  intros [A|A] H v c LV.
  - set (a := hidden zero add mul (qact (qalpha p)) before x) in *.
    unfold q, q_value. rewrite forward_hidden by discriminate. rewrite <- hidden_ok. fold a. rewrite A.
    apply (of_pattern 1 _ (falses ((u, W) :: after)) []).
    + intros i C. destruct i; discriminate.
    + apply (fits_linear (qalpha p) A ((u, W) :: after) _ _ _ H). constructor.
      * split; auto. cbn [fst]. rewrite vR_length. auto.
      * apply same_self.
  - subst after. unfold q, q_value. rewrite forward_hidden by discriminate. rewrite <- hidden_ok. reflexivity.
Qed.

Lemma varies_layer th before u W after l th' : th = before ++ (u, W) :: after -> length before = l ->
  varies (Layer l) (thR th) th' -> exists v, length v = length u /\ th' = thR before ++ (v, W) :: thR after /\
    scope_norm2 (Layer l) th' = dot v v.
Proof.
  intros E L (b & w & V & v & a & LB & LV & E1 & E2). subst th th'. unfold thR in E1. rewrite map_app in E1.
  cbn [map fst snd] in E1. fold (thR before) (thR after) in E1.
  assert (LL : length (thR before) = length b) by (unfold thR; rewrite map_length; congruence).
  assert (X : thR before = b /\ (vR u, W) = (w, V) /\ thR after = a).
  { clear - E1 LL. revert b E1 LL. induction (thR before) as [|x t IH]; intros [|y b] E LL; simpl in *; try discriminate.
    - inversion E; auto.
    - inversion E; subst. destruct (IH b H1 ltac:(lia)) as (A & B & C). subst. auto. }
  destruct X as (X1 & X2 & X3). inversion X2; subst. exists v. rewrite vR_length in LV. split; [auto|split; auto].
  simpl. rewrite <- LB, app_nth2, Nat.sub_diag by auto. simpl. apply sum_squares_dot.
Qed.
Lemma outputs_varies before (v u : vec) W after : outputs (before ++ (v, W) :: after) = outputs (before ++ (u, W) :: after).
Proof. unfold outputs. rewrite !rev_app_distr. simpl. destruct (rev after) as [|[w V] t]; auto. Qed.

Theorem layer_sound p global l lam : check_layer (classified p) p global l lam = true ->
  holds (problemR p) (if global then GlobalOptimum (Layer l) else LocalOptimum (Layer l)).
Proof.
  unfold check_layer. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (split_at l (qtheta p)) as [[[before [u W]] after]|] eqn:SP; [|discriminate].
  destruct (layer_sum p g before u W after lam) as [total|] eqn:E; [|discriminate]. intros K.
  apply andb_prop in K. destruct K as [K1 K2]. destruct (split_at_ok _ _ _ _ _ SP) as [LB ET].
  destruct (classified_ok _ _ C) as (HA & _ & HG & _). cbn [problemR alpha] in HA.
  pose proof (same_entries_ok _ _ K1) as TU.
  assert (TH : thR (qtheta p) = thR before ++ (vR u, W) :: thR after).
  { rewrite ET. unfold thR. rewrite map_app. auto. }
  (* what linearity at v gives *)
  assert (MAIN : forall v, length v = length u -> linear_at p before u W after lam v -> linear_at p before u W after lam (vR u) ->
    margin_ge #(qalpha p) (thR before ++ (v, W) :: thR after) (dataR (qsamples p)) #g -> dot (vR u) (vR u) <= dot v v).
  { intros v LV L1 L2 MG.
    destruct (layer_sum_ok p g before u W after ET lam total E v LV L1) as [A _].
    destruct (layer_sum_ok p g before u W after ET lam total E (vR u) (vR_length u) L2) as [_ B].
    specialize (A MG ltac:(rewrite TH; apply outputs_varies)). specialize (B eq_refl). rewrite TU in A, B.
    destruct (Req_dec (dot (vR u) (vR u)) 0) as [Z|Z]; [rewrite Z; apply dot_nonneg|].
    apply longer; [pose proof (dot_nonneg (vR u)); lra|lra]. }
  assert (OWN : scope_norm2 (Layer l) (thR (qtheta p)) = dot (vR u) (vR u)).
  { rewrite TH. simpl. rewrite <- LB. rewrite app_nth2; unfold thR; rewrite map_length; auto. rewrite Nat.sub_diag. simpl. apply sum_squares_dot. }
  apply (holds_intro p g); auto. destruct global.
  - assert (G : #(qalpha p) = 1 \/ after = []).
    { cbn [negb orb] in K2. apply orb_prop in K2. destruct K2 as [K2|K2]; [left; tests; num; auto|right; destruct after; auto; discriminate]. }
    intros th' V. destruct (varies_layer _ _ _ _ _ _ _ ET LB V) as (v & LV & EV & NV).
    intros MG. cbn [problemR theta samples alpha] in *. rewrite OWN, NV. subst th'. apply MAIN; auto.
    + intros k w x c ss I N S. apply (linear_everywhere p before u W after x ss G S); auto.
    + intros k w x c ss I N S. apply (linear_everywhere p before u W after x ss G S). apply vR_length.
  - assert (NEAR : exists e, 0 < e /\ forall v, near_vec e (vR u) v -> length v = length u -> linear_at p before u W after lam v).
    { clear - HA. induction lam as [|[k w] lam (e & PE & K)].
      - exists 1. split; [lra|]. intros v _ _ k w x c ss [].
      - assert (X : exists f, 0 < f /\ forall v, near_vec f (vR u) v -> length v = length u -> forall x c ss,
          nth_error (qconstraints (qtheta p) (qsamples p)) k = Some (x, c) ->
          slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [])
            (map pconst (hidden zero add mul (qact (qalpha p)) before x)) = Some ss ->
          q #(qalpha p) (thR before ++ (v, W) :: thR after) (vR x) (vR c) =
          of_layer (map vR ss) W (thR after) (vR (hidden zero add mul (qact (qalpha p)) before x)) (vR c) v).
        { destruct (nth_error (qconstraints (qtheta p) (qsamples p)) k) as [[x c]|] eqn:N.
          - destruct (slopes_of (qalpha p) (zeros (hidden zero add mul (qact (qalpha p)) before x)) (curve ((u, W) :: after) [])
              (map pconst (hidden zero add mul (qact (qalpha p)) before x))) as [ss|] eqn:S.
            + destruct (linear_near p before u W after x ss HA S) as (f & F & L). exists f. split; auto.
              intros v NV LV x' c' ss' EX ES. inversion EX; subst. rewrite S in ES. inversion ES; subst. apply L; auto.
            + exists 1. split; [lra|]. intros v _ _ x' c' ss' EX ES. inversion EX; subst. congruence.
          - exists 1. split; [lra|]. intros; discriminate. }
        destruct X as (f & F & L). exists (Rmin e f). split; [apply Rmin_pos; auto|].
        intros v NV LV k' w' x c ss [I|I] N S.
        + inversion I; subst. apply L; auto. eapply near_mono; [apply Rmin_r|eauto].
        + apply (K v (near_mono _ _ _ _ (Rmin_l _ _) NV) LV k' w'); auto. }
    destruct NEAR as (e & PE & NR). exists e. split; auto. intros th' V CL MG.
    destruct (varies_layer _ _ _ _ _ _ _ ET LB V) as (v & LV & EV & NV).
    cbn [problemR theta samples alpha] in *. rewrite OWN, NV. subst th'.
    assert (NU : near_vec e (vR u) v).
    { rewrite TH in CL. clear - CL. induction (thR before); inversion CL; subst; auto. }
    apply MAIN; auto. apply NR; [apply near_self; auto|apply vR_length].
Qed.
