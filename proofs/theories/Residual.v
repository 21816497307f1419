(* Residual.v -- rules 3.2 and 3.11: how far theta is from the cone of the gradients of its near-active constraints,
   from both sides.  Two layers without sharing, any number of outputs.

   Upper bound: an element Sum lambda_k g_k(s_k) of the cone.  Lower bound: a direction d with g . d <= 0 for every
   gradient g of the cone, hence  theta . d <= (theta - v) . d <= |theta - v| |d|  for every v in it. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.TwoLayer MaxMargin.Gradient MaxMargin.Kkt MaxMargin.Serving MaxMargin.Backward.
Import ListNotations.
Open Scope R_scope.

(* |w . x| <= eps |w| |x|, lengths on the inputs of r *)
Definition near_kink (eps : num) (w : list num) (r : row) (x : list num) : bool :=
  let z := qdot w x in
  let y := seen zero (reads r) x in
  leb (mul z z) (mul (mul eps eps) (mul (qdot w w) (qdot y y))).
Definition own_slope (al z : num) : num := if leb z zero then al else one.
(* the slope given, if it may be, or that of sigma *)
Definition given_slope (al eps : num) (w : list num) (r : row) (x : list num) (o : option num) : option num :=
  match o with
  | None => Some (own_slope al (qdot w x))
  | Some s => if leb al s && leb s one && near_kink eps w r x then Some s else None
  end.
Fixpoint given_slopes (al eps : num) (u : list num) (W : matrix) (x : list num) (l : list (option num)) : option (list num) :=
  match W, l with
  | [], [] => Some []
  | r :: W', o :: l' =>
      match given_slope al eps (row_weights zero u r) r x o, given_slopes al eps u W' x l' with
      | Some s, Some t => Some (s :: t)
      | _, _ => None
      end
  | _, _ => None
  end.
(* constraint, multiplier, slopes *)
Definition slope_term := (nat * num * list (option num))%type.
Record two_layer := mkTwo { w1 : list num; m1 : matrix; w2 : list num; m2 : matrix }.
Definition two_layer_gradient (al : num) (n : two_layer) (ss x c : list num) : list num :=
  let a := map (qact al) (layer zero add mul (w1 n) (m1 n) x) in
  let b := backward zero qaxpy c (w2 n) (m2 n) in
  row_gradients zero mul (m1 n) (pointwise_with mul b ss) x ++ row_gradients zero mul (m2 n) c a.
Fixpoint cone_sum (p : qproblem) (limit eps : num) (n : two_layer) (l : list slope_term) : option (list num) :=
  match l with
  | [] => Some (map (fun _ => zero) (qflat (qtheta p)))
  | (k, w, os) :: l' =>
      match nth_error (qconstraints (qtheta p) (qsamples p)) k, cone_sum p limit eps n l' with
      | Some (x, c), Some total =>
          match given_slopes (qalpha p) eps (w1 n) (m1 n) x os with
          | Some ss =>
              if nonneg w && leb (qq (qalpha p) (qtheta p) x c) limit
              then Some (qaxpy w (two_layer_gradient (qalpha p) n ss x c) total) else None
          | None => None
          end
      | _, _ => None
      end
  end.

(* the largest s t for a slope s of the neuron *)
Definition top (al eps : num) (w : list num) (r : row) (x : list num) (t : num) : num :=
  if near_kink eps w r x then (if leb t zero then mul al t else t) else mul (own_slope al (qdot w x)) t.
Fixpoint tops (al eps : num) (u : list num) (W : matrix) (x b d : list num) : num :=
  match W, b, d with
  | r :: W', bj :: b', dj :: d' => add (top al eps (row_weights zero u r) r x (mul bj dj)) (tops al eps u W' x b' d')
  | _, _, _ => zero
  end.
(* the largest g . d over the gradients g of a constraint *)
Definition largest (al eps : num) (n : two_layer) (d1 d2 x c : list num) : num :=
  let a := map (qact al) (layer zero add mul (w1 n) (m1 n) x) in
  add (qdot c (layer zero add mul d2 (m2 n) a))
      (tops al eps (w1 n) (m1 n) x (backward zero qaxpy c (w2 n) (m2 n)) (layer zero add mul d1 (m1 n) x)).
Definition check_lower (p : qproblem) (limit eps lo : num) (n : two_layer) (d1 d2 : list num) : bool :=
  let v := qflat (qtheta p) in
  let d := d1 ++ d2 in
  let vd := qdot v d in
  (length d1 =? length (w1 n))%nat && (length d2 =? length (w2 n))%nat && positive vd
  && leb (mul (mul lo lo) (mul (qdot v v) (qdot d d))) (mul vd vd)
  && forallb (fun k => ltb limit (qq (qalpha p) (qtheta p) (fst k) (snd k))
                       || leb (largest (qalpha p) eps n d1 d2 (fst k) (snd k)) zero)
       (qconstraints (qtheta p) (qsamples p)).
Definition check_residual (own : option num) (p : qproblem) (lo hi delta eps : num) (l : list slope_term)
    (direction : list (list num)) : bool :=
  match own, qtheta p with
  | Some g, [(u, W); (v, V)] =>
      let n := mkTwo u W v V in
      let limit := mul (add one delta) g in
      let th := qflat (qtheta p) in
      nonneg lo && nonneg hi && nonneg delta && nonneg eps && in_order (u, W) && in_order (v, V)
      && match cone_sum p limit eps n l with
         | Some total =>
             let r := qaxpy (opp one) total th in
             leb (qdot r r) (mul (mul hi hi) (qdot th th))
         | None => false
         end
      && (leb lo zero || match direction with [d1; d2] => check_lower p limit eps lo n d1 d2 | _ => false end)
  | _, _ => false
  end.

(* ---- what is computed with rationals --------------------------------------------------------- *)
Definition two (n : two_layer) : params R := [(vR (w1 n), m1 n); (vR (w2 n), m2 n)].
Lemma two_layer_gradient_ok al n ss x c : vR (two_layer_gradient al n ss x c) =
  gradient_two #al (vR (w1 n)) (m1 n) (vR (w2 n)) (m2 n) (vR ss) (vR x) (vR c).
Proof.
  unfold two_layer_gradient, gradient_two. unfold vR at 1. rewrite map_app.
  match goal with |- map toR ?a ++ map toR ?b = _ => change (vR a ++ vR b = gradient_two #al (vR (w1 n)) (m1 n) (vR (w2 n)) (m2 n) (vR ss) (vR x) (vR c)) end.
  rewrite !row_gradients_ok, vact_ok, layer_ok, (pointwise_ok mul Rmult) by (intros; num; auto).
  rewrite backward_ok. auto.
Qed.
Lemma near_kink_ok eps w r x : 0 <= #eps ->
  if near_kink eps w r x then Rabs (dot (vR w) (vR x)) <= #eps * (norm (vR w) * norm (seen 0 (reads r) (vR x)))
  else #eps * (norm (vR w) * norm (seen 0 (reads r) (vR x))) < Rabs (dot (vR w) (vR x)).
Proof.
  intros HE. rewrite <- seen_R. unfold near_kink. cbv zeta.
  set (y := vR (seen zero (reads r) x)).
  assert (P : 0 <= #eps * (norm (vR w) * norm y)).
  { apply Rmult_le_pos; auto. apply Rmult_le_pos; apply norm_nonneg. }
  assert (Q : (#eps * (norm (vR w) * norm y)) * (#eps * (norm (vR w) * norm y)) =
              #eps * #eps * (dot (vR w) (vR w) * dot y y)).
  { rewrite <- (norm_sq (vR w)), <- (norm_sq y). ring. }
  pose proof (Rabs_pos (dot (vR w) (vR x))) as PA.
  assert (SQ : Rabs (dot (vR w) (vR x)) * Rabs (dot (vR w) (vR x)) = dot (vR w) (vR x) * dot (vR w) (vR x)).
  { rewrite <- Rabs_mult. apply Rabs_right. nra. }
  destruct (leb _ _) eqn:E; tests; num; rewrite !qdot_ok in E; fold y in E.
  - destruct (Rle_lt_dec (Rabs (dot (vR w) (vR x))) (#eps * (norm (vR w) * norm y))) as [|L]; auto. nra.
  - destruct (Rlt_le_dec (#eps * (norm (vR w) * norm y)) (Rabs (dot (vR w) (vR x)))) as [|L]; auto. nra.
Qed.
Lemma own_slope_ok al z : #(own_slope al z) = if Rlt_dec 0 #z then 1 else #al.
Proof. unfold own_slope. destruct (leb z zero) eqn:E; tests; num; destruct (Rlt_dec 0 #z); num; auto; lra. Qed.
Lemma weights_two n r : weights_of (two n) r = vR (row_weights zero (w1 n) r).
Proof. unfold weights_of, two. cbn [input_layer]. apply row_weights_R. Qed.
Lemma given_slope_ok n al eps r x o s : 0 <= #al <= 1 -> 0 <= #eps ->
  given_slope al eps (row_weights zero (w1 n) r) r x o = Some s -> slope_within #al #eps (two n) (vR x) r #s.
Proof.
  intros HA HE H. unfold slope_within. rewrite weights_two. pose proof (near_kink_ok eps (row_weights zero (w1 n) r) r x HE) as N.
  destruct o as [t|]; simpl in H.
  - destruct (_ && _) eqn:T; [|discriminate]. inversion H; subst. apply andb_prop in T. destruct T as [T K].
    rewrite K in N. tests. num. split; [auto|]. intros; lra.
  - inversion H; subst. rewrite own_slope_ok, qdot_ok. split; auto. intros _. destruct (Rlt_dec 0 _); lra.
Qed.
Lemma given_slopes_ok n al eps x : 0 <= #al <= 1 -> 0 <= #eps -> forall W l ss,
  given_slopes al eps (w1 n) W x l = Some ss -> Forall2 (slope_within #al #eps (two n) (vR x)) W (vR ss).
Proof.
  intros HA HE. induction W as [|r W IH]; intros [|o l] ss H; simpl in H; try discriminate.
  - inversion H; constructor.
  - destruct (given_slope _ _ _ _ _ _) as [s|] eqn:E; [|discriminate].
    destruct (given_slopes _ _ _ _ _ _) as [t|] eqn:F; [|discriminate]. inversion H; subst. constructor.
    + eapply given_slope_ok; eauto.
    + apply (IH l t F).
Qed.

(* ---- the upper bound -------------------------------------------------------------------------- *)
Lemma axpy_length_eq k a : forall b, length a = length b -> length (axpy k a b) = length b.
Proof. induction a as [|x a IH]; intros [|y b] H; simpl in *; auto; discriminate || (f_equal; auto). Qed.
Lemma cone_sum_ok p g delta eps n : qtheta p = [(w1 n, m1 n); (w2 n, m2 n)] -> 0 <= #(qalpha p) <= 1 -> 0 <= #eps ->
  in_order (w1 n, m1 n) = true -> in_order (w2 n, m2 n) = true -> forall l total,
  cone_sum p (mul (add one delta) g) eps n l = Some total -> in_cone (problemR p) #g #delta #eps (vR total).
Proof.
  intros ET HA HE O1 O2. destruct (in_order_ok _ O1) as [C1 L1]. destruct (in_order_ok _ O2) as [C2 L2].
  cbn [fst snd] in C1, L1, C2, L2.
  assert (TH : thR (qtheta p) = two n) by (rewrite ET; auto).
  induction l as [|[[k w] os] l IH]; intros total H; cbn [cone_sum] in H.
  - inversion H; subst. unfold in_cone. cbn [problemR theta]. rewrite flat_R. split.
    + unfold vR. rewrite !map_length. auto.
    + exists []. split; [intros ? ? ? ? []|]. intros i. simpl. rewrite nth_vR.
      assert (Z : forall l : list num, #(nth i (map (fun _ => zero) l) zero) = 0); [|apply Z].
      intros l. revert i. induction l as [|a l IHl]; intros [|i]; simpl; num; auto.
  - destruct (nth_error _ k) as [[x c]|] eqn:N; [|discriminate].
    destruct (cone_sum p (mul (add one delta) g) eps n l) as [t|] eqn:E; [|discriminate].
    destruct (given_slopes _ _ _ _ _ _) as [ss|] eqn:F; [|discriminate].
    destruct (nonneg w && _) eqn:T; [|discriminate]. inversion H; subst. tests. num.
    destruct (IH t eq_refl) as (LT & L & I1 & I2). clear IH.
    set (G := two_layer_gradient (qalpha p) n ss x c).
    assert (GG : slope_gradient #(qalpha p) [vR ss] (two n) (vR x) (vR c) (vR G)).
    { unfold G. rewrite two_layer_gradient_ok. apply gradient_two_ok; auto; rewrite vR_length; auto. }
    unfold in_cone. cbn [problemR theta samples alpha] in *. rewrite TH in *. split.
    + rewrite qaxpy_ok. destruct GG as [GL _]. rewrite axpy_length_eq; auto. congruence.
    + exists (((vR x, vR c), (#w, vR G)) :: L). split.
      * intros x' c' w' G' [I|I]; [|apply I1; auto]. inversion I; subst x' c' w' G'.
        split; [|split; [|split; [auto|]]].
        -- rewrite <- TH, constraints_ok. apply in_map_iff. exists (x, c). split; auto. eapply nth_error_In; eauto.
        -- rewrite <- TH, <- qq_ok. auto.
        -- exists (vR ss). split; [|exact GG]. unfold two at 1. cbn [input_matrix]. eapply given_slopes_ok; eauto.
      * intros i. rewrite qaxpy_ok, nth_axpy. cbn [map snd entry_sum]. rewrite <- I2. auto.
Qed.
Lemma pointwise_minus a : forall b, length a = length b -> pointwise Rminus a b = axpy (-1) b a.
Proof.
  unfold pointwise. induction a as [|x a IH]; intros [|y b] L; simpl in *; try discriminate; auto.
  rewrite IH by auto. f_equal. ring.
Qed.
Lemma norm_within r h v : 0 <= h -> dot r r <= h * h * dot v v -> norm r <= h * norm v.
Proof.
  intros H K. apply norm_le; [apply Rmult_le_pos; [auto|apply norm_nonneg]|].
  replace (h * norm v * (h * norm v)) with (h * h * (norm v * norm v)) by ring. rewrite norm_sq. auto.
Qed.

(* ---- the lower bound -------------------------------------------------------------------------- *)
Lemma top_ok n al eps r x s t : 0 <= #al <= 1 -> 0 <= #eps -> slope_within #al #eps (two n) (vR x) r s ->
  s * #t <= #(top al eps (row_weights zero (w1 n) r) r x t).
Proof.
  intros HA HE. unfold slope_within. rewrite weights_two. intros [H1 H2].
  pose proof (near_kink_ok eps (row_weights zero (w1 n) r) r x HE) as N. unfold top.
  destruct (near_kink _ _ _ _).
  - specialize (H1 N). destruct (leb t zero) eqn:E; tests; num; nra.
  - specialize (H2 N). num. rewrite own_slope_ok, qdot_ok, H2. lra.
Qed.
Lemma tops_ok n al eps x : 0 <= #al <= 1 -> 0 <= #eps -> forall W s b d,
  Forall2 (slope_within #al #eps (two n) (vR x)) W s ->
  dot (vR b) (pointwise Rmult s (vR d)) <= #(tops al eps (w1 n) W x b d).
Proof.
  intros HA HE. induction W as [|r W IH]; intros s b d H; inversion H as [|? t ? ss H1 H2]; subst.
  - simpl. num. rewrite dot_nil_r. lra.
  - destruct d as [|dj d]; [unfold pointwise; simpl; rewrite dot_nil_r; destruct b; simpl; num; lra|].
    destruct b as [|bj b]; [simpl; num; lra|]. cbn [tops]. num. specialize (IH ss b d H2).
    pose proof (top_ok n al eps r x t (mul bj dj) HA HE H1) as T. num.
    unfold pointwise in *. simpl. replace (#bj * (t * #dj)) with (t * (#bj * #dj)) by ring.
    apply Rplus_le_compat; [exact T|exact IH].
Qed.
Lemma largest_ok n al eps d1 d2 x c s G : 0 <= #al <= 1 -> 0 <= #eps ->
  length d1 = length (w1 n) -> length d2 = length (w2 n) ->
  Forall2 (slope_within #al #eps (two n) (vR x)) (m1 n) s -> slope_gradient #al [s] (two n) (vR x) (vR c) G ->
  dot G (vR (d1 ++ d2)) <= #(largest al eps n d1 d2 x c).
Proof.
  intros HA HE L1 L2 HS [_ HG]. specialize (HG [(vR d1, m1 n); (vR d2, m2 n)]).
  unfold flat in HG. cbn [flat_map fst] in HG. rewrite app_nil_r in HG.
  unfold vR at 1. rewrite map_app. fold (vR d1) (vR d2). rewrite HG.
  2: { unfold two. repeat constructor; auto; cbn [fst]; rewrite !vR_length; auto. }
  unfold two. rewrite derivative_two. unfold largest. num. rewrite qdot_ok, layer_ok, vact_ok, layer_ok.
  apply Rplus_le_compat_l. rewrite <- backward_ok, <- layer_ok. apply tops_ok; auto.
Qed.
Lemma dot_entries d v L : (forall i, nth i v 0 = entry_sum i L) ->
  dot v d = sumR (map (fun t => fst t * dot (snd t) d) L).
Proof.
  revert v L. induction d as [|y d IH]; intros v L H.
  - rewrite dot_nil_r. clear H. induction L as [|[w G] L IHL]; simpl; auto. rewrite dot_nil_r, <- IHL. ring.
  - assert (T : dot v (y :: d) = nth 0 v 0 * y + dot (tl v) d) by (destruct v; simpl; ring). rewrite T.
    pose (L' := map (fun t : R * vec => (fst t, tl (snd t))) L).
    assert (E : forall i, nth i (tl v) 0 = entry_sum i L').
    { intros i. replace (nth i (tl v) 0) with (nth (S i) v 0) by (destruct v; [destruct i|]; auto). rewrite H.
      unfold L'. clear. induction L as [|[w [|z G]] L IHL]; simpl; auto; rewrite <- IHL; destruct i; auto. }
    rewrite (IH _ _ E), H. unfold L'. rewrite map_map. clear. cbn [fst snd].
    induction L as [|[w G] L IHL]; simpl; [ring|]. rewrite <- Rplus_assoc, (Rplus_comm _ (w * dot (tl G) d)), !Rplus_assoc.
    replace (w * dot G (y :: d)) with (w * dot (tl G) d + w * nth 0 G 0 * y) by (destruct G; simpl; ring).
    rewrite <- IHL. ring.
Qed.
Lemma sumR_nonpos l : Forall (fun a => a <= 0) l -> sumR l <= 0.
Proof. induction 1; simpl; lra. Qed.

Theorem residual_sound p lo hi delta eps l d : check_residual (classified p) p lo hi delta eps l d = true ->
  holds (problemR p) (KktResidual #lo #hi #delta #eps).
Proof.
  unfold check_residual. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (qtheta p) as [|[u W] [|[v V] [|? ?]]] eqn:ET; try discriminate.
  set (n := mkTwo u W v V). cbv zeta. intros K. apply andb_prop in K. destruct K as [K KL].
  apply andb_prop in K. destruct K as [K KU]. apply andb_prop in K. destruct K as [K O2].
  apply andb_prop in K. destruct K as [K O1].
  destruct (cone_sum p _ eps n l) as [total|] eqn:E; [|discriminate]. tests. num.
  assert (HE : 0 <= #eps) by assumption. assert (HH : 0 <= #hi) by assumption. assert (HL : 0 <= #lo) by assumption.
  destruct (classified_ok _ _ C) as (HA & _ & _ & _). cbn [problemR alpha] in HA.
  assert (TH : thR (qtheta p) = two n) by (rewrite ET; auto).
  apply (holds_intro p g); auto. unfold says, is_kkt_residual. cbn [problemR theta]. rewrite TH.
  assert (FL : flat (two n) = vR (qflat (qtheta p))) by (rewrite <- TH; apply flat_R).
  split; [auto|split; [|split]].
  - destruct (in_order_ok _ O1) as [C1 _]. destruct (in_order_ok _ O2) as [C2 _].
    constructor; [exact (counts_up_nodup _ _ C1)|constructor; [exact (counts_up_nodup _ _ C2)|constructor]].
  - intros y (LY & L & I1 & I2). cbn [problemR theta samples alpha] in *. rewrite TH in LY, I1.
    apply orb_prop in KL. destruct KL as [KL|KL].
    { tests. num. pose proof (norm_nonneg (pointwise Rminus (flat (two n)) y)). pose proof (norm_nonneg (flat (two n))). nra. }
    destruct d as [|d1 [|d2 [|? ?]]]; try discriminate. unfold check_lower in KL. cbv zeta in KL.
    apply andb_prop in KL. destruct KL as [KL KA]. apply andb_prop in KL. destruct KL as [KL KS].
    apply andb_prop in KL. destruct KL as [KL KP]. apply andb_prop in KL. destruct KL as [K1 K2].
    apply Nat.eqb_eq in K1, K2. tests. num. rewrite !qdot_ok, <- FL in *.
    set (dd := vR (d1 ++ d2)) in *.
    assert (NP : dot y dd <= 0).
    { rewrite (dot_entries dd y _ I2). apply sumR_nonpos. rewrite Forall_forall. intros t I.
      apply in_map_iff in I. destruct I as ([w G] & Et & I). subst t. apply in_map_iff in I. destruct I as ([[x c] [w' G']] & Ew & I).
      cbn [snd] in Ew. inversion Ew; subst w' G'. cbn [fst snd].
      destruct (I1 _ _ _ _ I) as (IC & QL & WP & s & HS & HG).
      rewrite <- TH, constraints_ok in IC. apply in_map_iff in IC. destruct IC as ([x0 c0] & Ex & IC). inversion Ex; subst x c.
      rewrite forallb_forall in KA. specialize (KA _ IC). cbn [fst snd] in KA. rewrite <- TH, <- qq_ok in QL.
      apply orb_prop in KA. destruct KA as [KA|KA].
      - tests. num. lra.
      - tests. num. pose proof (largest_ok n (qalpha p) eps d1 d2 x0 c0 s G HA HE K1 K2 HS HG) as T. fold dd in T. nra. }
    rewrite pointwise_minus by (rewrite LY; auto).
    assert (CS : dot (flat (two n)) dd <= norm (axpy (-1) y (flat (two n))) * norm dd).
    { eapply Rle_trans; [|apply cauchy_norm]. rewrite dot_axpy_l. lra. }
    assert (LB : #lo * norm (flat (two n)) * norm dd <= dot (flat (two n)) dd).
    { destruct (Rle_lt_dec (#lo * norm (flat (two n)) * norm dd) (dot (flat (two n)) dd)) as [|LT]; auto. exfalso.
      rewrite <- (norm_sq (flat (two n))), <- (norm_sq dd) in KS. nra. }
    assert (DP : 0 < norm dd).
    { pose proof (norm_nonneg dd). pose proof (norm_nonneg (axpy (-1) y (flat (two n)))). nra. }
    apply Rmult_le_reg_r with (norm dd); auto. lra.
  - exists (vR total).
    pose proof (cone_sum_ok p g delta eps n ET HA HE O1 O2 l total E) as IC. split; [exact IC|].
    destruct IC as [LT _]. cbn [problemR theta] in LT. rewrite TH in LT.
    rewrite pointwise_minus by auto. rewrite <- ?ET in KU. rewrite !qdot_ok, qaxpy_ok, <- FL in KU. num.
    apply norm_within; auto.
Qed.
