(* LinearOutputs.v -- rule 3.6 with several outputs, for every depth.  With M = Sum lambda_k c_k x_k^T,

     g' Sum lambda <= Sum lambda q(theta') = <M, W_m ... W_1> <= |W_m| ... |W_2| |M W_1^T| <= r |W_m| ... |W_1|

   (Frobenius norms) if r is at least the operator norm of M, and m^m Prod |W_l|^2 <= |theta'|^(2m).  One layer is linear
   in its parameters: there r is the length of Sum lambda_k times the gradients. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Point.
Require Import MaxMargin.Gradient MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.TwoLayer MaxMargin.Serving MaxMargin.Regions MaxMargin.NormBound MaxMargin.DepthClaims.
Require Import MaxMargin.Backward MaxMargin.Residual MaxMargin.Definite MaxMargin.OutputCells.
Import ListNotations.
Open Scope R_scope.

Fixpoint qadd_outer (c x : list num) (M : list (list num)) : list (list num) :=   (* M + c x^T *)
  match M with [] => [] | m :: M' => qaxpy (hd zero c) x m :: qadd_outer (tl c) x M' end.
Definition qmatrix (K : nat) (l : list item) : list (list num) :=
  fold_right (fun it M => qadd_outer (fst (fst it)) (snd (fst it)) M) (repeat [] K) l.
(* Sum lambda_k times the gradient of q_k in the parameters of one layer *)
Definition qpair (W : matrix) (M : list (list num)) (u : list num) : num :=
  fold_right add zero (map (fun p => row_dot zero add mul u (fst p) (snd p)) (combine W M)).
Definition qlayer_gradient (u : list num) (W : matrix) (M : list (list num)) : list num :=
  map (fun j => qpair W M (qunit j)) (seq 0 (length u)).
Definition qsizes (M : list (list num)) : num := fold_right (fun m a => add (qdot m m) a) zero M.
(* (Sum lambda B)^2 m^m / uses >= r^2, for B2 = B^2 *)
Definition matrix_ok (p : qproblem) (k : qregion) (B2 : num) (l : list cell_item) : bool :=
  match items_of p l with
  | Some (items, s) =>
      let M := qmatrix (outputs (qtheta p)) items in
      let square := mul B2 (mul s s) in
      positive s && nonneg B2 && forallb (fun it : item => match snd it with [] => true | _ => false end && (length (fst (fst it)) <=? outputs (qtheta p))%nat) items
      && match qtheta p, k with
         | [(u, W)], QAnyWidth => leb (qsizes M) square
         | [(u, W)], _ => let h := qlayer_gradient u W M in leb (qdot h h) square
         | _, _ =>
             let uses := qprod (region_uses k (qtheta p)) in
             eqb (qalpha p) one && positive uses
             && qsemidefinite (outputs (qtheta p)) (gram (mul (mul square (depth_power (qtheta p))) (inv uses)) M)
         end
  | None => false
  end.
Definition check_matrix (own : option num) (p : qproblem) (k : qregion) (B : num) (l : list cell_item) : bool :=
  match own with Some _ => nonneg B && matrix_ok p k (mul B B) l | None => false end.
Definition check_matrix_optimum (own : option num) (p : qproblem) (l : list cell_item) : bool :=
  match own with
  | Some g => positive (qnorm2 (qtheta p))
              && matrix_ok p QEverywhere (mul (mul g g) (inv (power (qnorm2 (qtheta p)) (length (qtheta p))))) l
  | None => false
  end.

(* ---- <M, f> ------------------------------------------------------------------------------------- *)
Fixpoint trace_from (o : nat) (N : list vec) : R := match N with [] => 0 | n :: N' => nth o n 0 + trace_from (S o) N' end.
Definition mR (M : list (list num)) : list vec := map vR M.
Definition additive (f : vec -> vec) : Prop := forall k a b i, nth i (f (axpy k a b)) 0 = k * nth i (f a) 0 + nth i (f b) 0.
Lemma dot_skipn c y o : dot c (skipn o y) = hd 0 c * nth o y 0 + dot (tl c) (skipn (S o) y).
Proof.
  destruct (skipn_nth y o) as [[E N]|E]; rewrite E.
  - rewrite N, dot_nil_r. assert (X : skipn (S o) y = []).
    { apply skipn_all2. apply (f_equal (@length R)) in E. rewrite skipn_length in E. simpl in E. lia. }
    rewrite X, dot_nil_r. ring.
  - destruct c; simpl; ring.
Qed.
Lemma outer_trace f x : additive f -> forall M c o, (length c <= length M)%nat ->
  trace_from o (map f (mR (qadd_outer c x M))) = dot (vR c) (skipn o (f (vR x))) + trace_from o (map f (mR M)).
Proof.
  intros HF. induction M as [|m M IH]; intros c o L.
  - destruct c; [simpl; ring|simpl in L; lia].
  - cbn [qadd_outer mR map trace_from]. fold (mR (qadd_outer (tl c) x M)) (mR M).
    rewrite IH by (destruct c; simpl in *; lia). rewrite qaxpy_ok, HF, (dot_skipn (vR c)), hd_num, tl_num. ring.
Qed.
Lemma qmatrix_length K l : length (qmatrix K l) = K.
Proof.
  unfold qmatrix. induction l as [|it l IH]; simpl; [apply repeat_length|].
  assert (X : forall c x M, length (qadd_outer c x M) = length M).
  { intros c x M. revert c. induction M; intros c; simpl; auto. }
  rewrite X. auto.
Qed.
Lemma matrix_trace f K l : additive f -> Forall (fun it : item => (length (fst (fst it)) <= K)%nat) l ->
  trace_from 0 (map f (mR (qmatrix K l))) = sumR (map (fun it => dot (cR it) (f (xR it))) l).
Proof.
  intros HF. induction 1 as [|it l L F IH].
  - unfold qmatrix. cbn [fold_right map sumR]. assert (Z : forall i, nth i (f []) 0 = 0).
    { intros i. pose proof (HF 0 [] [] i) as E. simpl in E. pose proof (HF 1 [] [] i) as E1. simpl in E1. lra. }
    clear - Z. generalize 0%nat. induction K as [|K IH]; intros o; simpl; auto. rewrite Z, IH. ring.
  - change (qmatrix K (it :: l)) with (qadd_outer (fst (fst it)) (snd (fst it)) (qmatrix K l)).
    rewrite outer_trace by (auto; rewrite qmatrix_length; auto). rewrite IH. reflexivity.
Qed.

(* ---- Frobenius norms ----------------------------------------------------------------------------- *)
Definition sizes (N : list vec) : R := sumR (map sq N).
Lemma sizes_nonneg N : 0 <= sizes N.
Proof. unfold sizes. induction N as [|n N IH]; simpl; [lra|]. pose proof (dot_nonneg n). unfold sq at 1. lra. Qed.
Fixpoint pairs (u : vec) (W : matrix) (N : list vec) : R :=
  match W, N with r :: W', n :: N' => dot (row_weights 0 u r) n + pairs u W' N' | _, _ => 0 end.
Lemma layer_trace u W N : trace_from 0 (map (layerR u W) N) = pairs u W N.
Proof.
  assert (G : forall N W o, trace_from o (map (layerR u W) N) = pairs u (skipn o W) N); [|apply (G N W 0%nat)].
  clear. induction N as [|n N IH]; intros W o; [destruct (skipn o W); auto|]. cbn [map trace_from]. rewrite IH.
  destruct (Nat.lt_ge_cases o (length W)) as [L|L].
  - assert (E : exists r, skipn o W = r :: skipn (S o) W /\ nth o (layerR u W n) 0 = row_dot 0 Rplus Rmult u r n).
    { clear - L. revert o L. induction W as [|r W IH]; intros [|o] L; simpl in *; try lia; [exists r; auto|apply IH; lia]. }
    destruct E as (r & E1 & E2). rewrite E1, E2, row_dot_dot. reflexivity.
  - rewrite !skipn_all2 by lia. rewrite nth_overflow by (unfold layer; rewrite map_length; lia). simpl. ring.
Qed.
Lemma pairs_bound u W : forall N, pairs u W N * pairs u W N <= frobenius u W * sizes N.
Proof.
  intros N. set (a := map (fun r => norm (row_weights 0 u r)) W). set (b := map norm N).
  assert (A : dot a a = frobenius u W).
  { unfold a, frobenius. clear. induction W as [|r W IH]; simpl; auto. rewrite IH, norm_sq. auto. }
  assert (B : dot b b = sizes N).
  { unfold b, sizes. clear. induction N as [|n N IH]; simpl; auto. rewrite IH, norm_sq. auto. }
  assert (P : Rabs (pairs u W N) <= dot a b).
  { unfold a, b. clear. revert N. induction W as [|r W IH]; intros [|n N]; simpl; try (rewrite Rabs_R0; lra).
    eapply Rle_trans; [apply Rabs_triang|]. pose proof (cauchy_abs (row_weights 0 u r) n). specialize (IH N). lra. }
  pose proof (cauchy a b) as C. rewrite A, B in C. eapply Rle_trans; [|exact C].
  rewrite <- (Rabs_right (pairs u W N * pairs u W N)) by nra. rewrite Rabs_mult. pose proof (Rabs_pos (pairs u W N)). nra.
Qed.
Lemma layer_sizes u W N : sizes (map (layerR u W) N) <= frobenius u W * sizes N.
Proof.
  unfold sizes. induction N as [|n N IH]; simpl; [lra|]. pose proof (layer_lip u W n []) as L.
  assert (X : sq (diff n []) = sq n) by (unfold diff, sq; simpl; destruct n; auto).
  assert (Y : sq (diff (layerR u W n) (layerR u W [])) = sq (layerR u W n)).
  { unfold diff, sq. assert (Z : forall c, dot c (layerR u W []) = 0) by (intros; apply layer_of_nil).
    rewrite dot_axpy_l, !dot_axpy_r, (dot_comm (layerR u W []) (layerR u W n)), !Z. ring. }
  rewrite X, Y in L. lra.
Qed.
Lemma forward1_cons l l2 ls a : forwardR 1 (l :: l2 :: ls) a = forwardR 1 (l2 :: ls) (layerR (fst l) (snd l) a).
Proof. destruct l as [u W]. cbn [forward fst snd]. rewrite map_act1. auto. Qed.
Lemma trace_bound ls : ls <> [] -> forall N, trace_from 0 (map (forwardR 1 ls) N) * trace_from 0 (map (forwardR 1 ls) N) <= prodR (norms ls) * sizes N.
Proof.
  induction ls as [|[u W] ls IH]; intros H N; [congruence|]. destruct ls as [|l ls].
  - change (map (forwardR 1 [(u, W)]) N) with (map (layerR u W) N). rewrite layer_trace. simpl. rewrite Rmult_1_r. apply pairs_bound.
  - assert (E : map (forwardR 1 ((u, W) :: l :: ls)) N = map (forwardR 1 (l :: ls)) (map (layerR u W) N)).
    { rewrite map_map. apply map_ext. intros. apply forward1_cons. }
    rewrite E. eapply Rle_trans; [apply IH; discriminate|].
    change (prodR (norms ((u, W) :: l :: ls))) with (frobenius u W * prodR (norms (l :: ls))).
    pose proof (prodR_nonneg _ (norms_nonneg (l :: ls))). pose proof (layer_sizes u W N).
    replace (frobenius u W * prodR (norms (l :: ls)) * sizes N) with (prodR (norms (l :: ls)) * (frobenius u W * sizes N)) by ring.
    apply Rmult_le_compat_l; auto.
Qed.
(* Sum_o |W m_o|^2 <= r2 |W|^2 for the rows m_o of M *)
Lemma first_layer fuel r2 M u W : 0 <= #r2 -> qsemidefinite fuel (gram r2 M) = true ->
  sizes (map (layerR u W) (mR M)) <= #r2 * frobenius u W.
Proof.
  intros HR H. unfold sizes, frobenius, mR. rewrite !map_map.
  assert (E : sumR (map (fun m => sq (layerR u W (vR m))) M) =
              sumR (map (fun r => sq (map (fun m => dot (vR m) (row_weights 0 u r)) M)) W)).
  { clear. induction W as [|r W IH]; simpl.
    - induction M; simpl; auto. rewrite IHM. unfold sq. simpl. ring.
    - rewrite <- IH. clear IH. induction M as [|m M IH]; simpl; [unfold sq; simpl; ring|]. rewrite IH. unfold sq. simpl.
      rewrite row_dot_dot, (dot_comm (row_weights 0 u r)). ring. }
  rewrite E. clear E. induction W as [|r W IH]; simpl; [lra|].
  pose proof (image_bound fuel r2 M (row_weights 0 u r) HR H) as I. cbv zeta in I. rewrite Rmult_plus_distr_l.
  apply Rplus_le_compat; auto.
Qed.

(* ---- the claims --------------------------------------------------------------------------------- *)
Lemma forward_additive ls : ls <> [] -> additive (forwardR 1 ls).
Proof. intros _ k a b i. rewrite forward1_axpy, nth_axpy. auto. Qed.
Lemma layer_additive u W : additive (layerR u W).
Proof. intros k a b i. rewrite layer_inputs, nth_axpy. auto. Qed.
Lemma qpair_ok W M u : #(qpair W M u) = pairs (vR u) W (mR M).
Proof.
  unfold qpair, mR. revert M. induction W as [|r W IH]; intros [|m M]; simpl; num; auto.
  rewrite IH, row_dot_ok, row_dot_dot. auto.
Qed.
Lemma pairs_linear W M k a b : pairs (axpy k a b) W M = k * pairs a W M + pairs b W M.
Proof.
  revert M. induction W as [|r W IH]; intros [|m M]; simpl; try ring. rewrite IH, <- !row_dot_dot, row_dot_params. ring.
Qed.
Lemma layer_gradient_ok u W M u' : length u' = length u -> pairs u' W (mR M) = dot u' (vR (qlayer_gradient u W M)).
Proof.
  intros L. unfold qlayer_gradient, vR. rewrite map_map, <- L.
  assert (E : map (fun j => #(qpair W M (qunit j))) (seq 0 (length u')) = map (fun j => pairs (unit_vec j) W (mR M)) (seq 0 (length u'))).
  { apply map_ext. intros j. rewrite qpair_ok, qunit_ok. auto. }
  rewrite E. apply (linear_values (fun v => pairs v W (mR M)) ltac:(intros; apply pairs_linear) u' 0).
  apply (linear_zero (fun v => pairs v W (mR M))). intros. apply pairs_linear.
Qed.
Lemma qsizes_ok M : #(qsizes M) = sizes (mR M).
Proof. unfold qsizes, sizes, mR. induction M as [|m M IH]; simpl; num; auto. rewrite qdot_ok, IH. auto. Qed.
Lemma prod_sqs ls : INR (length ls) ^ length ls * prodR (map (fun l => sqs (fst l)) ls) <= norm2 ls ^ length ls.
Proof.
  rewrite norm2_sum. pose proof (amgm (map (fun l : vec * matrix => sqs (fst l)) ls)) as G. rewrite map_length in G. apply G.
  apply Forall_forall. intros r I. apply in_map_iff in I. destruct I as (l & E & _). subst. apply sqs_nonneg.
Qed.
Theorem matrix_bound p k B2 l g : classified p = Some g -> matrix_ok p k B2 l = true -> 0 <= #B2 /\
  forall th' gam, in_region (regionR k) (problemR p) th' -> margin_ge #(qalpha p) th' (dataR (qsamples p)) gam -> 0 <= gam ->
  length th' = length (qtheta p) /\ gam * gam <= #B2 * norm2 th' ^ length th'.
Proof.
  intros C. unfold matrix_ok. destruct (items_of p l) as [[items s]|] eqn:E; [|discriminate]. cbv zeta. intros K.
  apply andb_prop in K. destruct K as [K KM]. apply andb_prop in K. destruct K as [K KI].
  apply andb_prop in K. destruct K as [KS KB]. tests.
  destruct (classified_ok _ _ C) as (HA & HW & _). cbn [problemR alpha theta samples] in HA, HW. rewrite well_formed_R in HW.
  split; auto. intros th' gam HI MG G0. destruct (region_facts k p th' HI) as (HM & HL & HO). split; auto.
  pose proof (items_of_ok p th' gam HO MG l items s E) as G.
  set (Kn := outputs (qtheta p)) in *. set (M := qmatrix Kn items) in *.
  assert (FI : Forall (fun it : item => (length (fst (fst it)) <= Kn)%nat) items).
  { apply Forall_forall. intros it I. rewrite forallb_forall in KI. specialize (KI _ I). apply andb_prop in KI. apply Nat.leb_le, KI. }
  assert (GS : 0 <= gam * #s) by (apply Rmult_le_pos; lra).
  assert (DONE : forall T, gam * #s <= T -> T * T <= #B2 * (#s * #s) * norm2 th' ^ length th' -> gam * gam <= #B2 * norm2 th' ^ length th').
  { intros T T1 T2. assert (SS : 0 < #s * #s) by (apply Rmult_lt_0_compat; auto). apply Rmult_le_reg_r with (#s * #s); auto.
    assert ((gam * #s) * (gam * #s) <= T * T) by (apply Rmult_le_compat; lra). lra. }
  assert (NE : qtheta p <> []).
  { intros Z. unfold well_formed in HW. rewrite Z in HW. destruct (qsamples p) as [|[x y] D]; discriminate. }
  destruct (qtheta p) as [|[u W] rest] eqn:ET; [congruence|]. destruct rest as [|l2 rest].
  - destruct th' as [|[u' W'] [|? ?]]; try discriminate.
    assert (TR : trace_from 0 (map (layerR u' W') (mR M)) = sumR (map (fun it => dot (cR it) (forwardR #(qalpha p) [(u', W')] (xR it))) items)).
    { apply (matrix_trace (layerR u' W') Kn items (layer_additive u' W') FI). }
    rewrite <- TR, layer_trace in G. apply (DONE _ G). cbn [length]. rewrite pow_1.
    assert (N1 : norm2 [(u', W')] = sqs u') by (unfold norm2, sqs; simpl; ring). rewrite N1.
    assert (CASES : (k = QAnyWidth /\ #(qsizes M) <= #B2 * (#s * #s)) \/
                    (regionR k <> AnyWidth /\ let h := vR (qlayer_gradient u W M) in dot h h <= #B2 * (#s * #s))).
    { destruct k; tests; num; rewrite ?qdot_ok in KM; try (right; split; [discriminate|exact KM]). left; auto. }
    destruct CASES as [[EK Q]|[EK Q]].
    + subst k. rewrite qsizes_ok in Q. pose proof (pairs_bound u' W' (mR M)) as P.
      assert (FU : frobenius u' W' <= sqs u').
      { rewrite frobenius_uses. apply squares_at_nodup. destruct HI as (_ & NS & _). inversion NS; auto. }
      pose proof (sizes_nonneg (mR M)). pose proof (frobenius_nonneg u' W'). eapply Rle_trans; [exact P|]. nra.
    + assert (SA : same_architecture (thR (qtheta p)) [(u', W')]).
      { destruct k; try (exfalso; apply EK; reflexivity); apply HI. }
      rewrite ET in SA. inversion SA as [|? ? ? ? [S1 S2] _]; subst. cbn [fst snd] in S1, S2. subst W'. rewrite vR_length in S2.
      rewrite (layer_gradient_ok u W M u' (eq_sym S2)). pose proof (cauchy u' (vR (qlayer_gradient u W M))) as P.
      cbv zeta in Q. assert (SQ : dot u' u' = sqs u') by (unfold sqs; rewrite sum_squares_dot; auto). rewrite SQ in P.
      pose proof (sqs_nonneg u'). eapply Rle_trans; [exact P|]. nra.
  - set (uses := qprod (region_uses k ((u, W) :: l2 :: rest))) in *.
    assert (K2 : eqb (qalpha p) one && positive uses && qsemidefinite Kn
        (gram (mul (mul (mul B2 (mul s s)) (depth_power ((u, W) :: l2 :: rest))) (inv uses)) M) = true) by (destruct k; exact KM).
    clear KM. apply andb_prop in K2. destruct K2 as [K2 KQ]. apply andb_prop in K2. destruct K2 as [K1 K3]. tests. num.
    set (r2 := mul (mul (mul B2 (mul s s)) (depth_power ((u, W) :: l2 :: rest))) (inv uses)) in *.
    assert (UP : prod_uses (region_uses k ((u, W) :: l2 :: rest)) = #uses) by (unfold uses; rewrite qprod_ok; auto).
    assert (R2 : #r2 = #B2 * (#s * #s) * (INR (length th') ^ length th') * / #uses).
    { unfold r2. num. rewrite toR_inv by lra. rewrite depth_power_ok, HL. ring. }
    assert (DP : 0 <= INR (length th') ^ length th') by (apply pow_le, pos_INR).
    assert (RP : 0 <= #r2).
    { rewrite R2. apply Rmult_le_pos; [|apply Rlt_le, Rinv_0_lt_compat; auto].
      apply Rmult_le_pos; [apply Rmult_le_pos; [auto|apply Rmult_le_pos; lra]|auto]. }
    destruct th' as [|[u' W'] [|l2' rest']]; try discriminate.
    rewrite K1 in G. rewrite <- (matrix_trace (forwardR 1 ((u', W') :: l2' :: rest')) Kn items) in G
      by (auto; apply forward_additive; discriminate). fold M in G.
    assert (EM : map (forwardR 1 ((u', W') :: l2' :: rest')) (mR M) = map (forwardR 1 (l2' :: rest')) (map (layerR u' W') (mR M))).
    { rewrite map_map. apply map_ext. intros. apply forward1_cons. }
    set (T := trace_from 0 (map (forwardR 1 ((u', W') :: l2' :: rest')) (mR M))).
    assert (ET2 : T = trace_from 0 (map (forwardR 1 (l2' :: rest')) (map (layerR u' W') (mR M)))) by (unfold T; f_equal; exact EM).
    assert (GT : gam * #s <= T) by exact G. apply (DONE T GT). clearbody T. subst T. eapply Rle_trans; [apply trace_bound; discriminate|].
    pose proof (first_layer _ r2 M u' W' RP KQ) as F1. pose proof (prodR_nonneg _ (norms_nonneg (l2' :: rest'))) as PN.
    pose proof (prod_norms _ _ HM) as PU. rewrite UP in PU. pose proof (prod_sqs ((u', W') :: l2' :: rest')) as PS.
    set (ls := (u', W') :: l2' :: rest') in *.
    apply Rle_trans with (#r2 * prodR (norms ls)).
    { change (prodR (norms ls)) with (frobenius u' W' * prodR (norms (l2' :: rest'))).
      replace (#r2 * (frobenius u' W' * prodR (norms (l2' :: rest')))) with (prodR (norms (l2' :: rest')) * (#r2 * frobenius u' W')) by ring.
      apply Rmult_le_compat_l; auto. }
    apply Rle_trans with (#r2 * (#uses * prodR (map (fun l => sqs (fst l)) ls))); [apply Rmult_le_compat_l; auto|].
    rewrite R2. replace (#B2 * (#s * #s) * INR (length ls) ^ length ls * / #uses * (#uses * prodR (map (fun l => sqs (fst l)) ls)))
      with (#B2 * (#s * #s) * (INR (length ls) ^ length ls * prodR (map (fun l => sqs (fst l)) ls))) by (field; lra).
    apply Rmult_le_compat_l; [|exact PS].
    apply Rmult_le_pos; [auto|apply Rmult_le_pos; lra].
Qed.
Theorem matrix_sound p k B l : check_matrix (classified p) p k B l = true -> holds (problemR p) (MarginAtMost (regionR k) #B).
Proof.
  unfold check_matrix. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K. apply andb_prop in K.
  destruct K as [K1 K2]. destruct (matrix_bound _ _ _ _ _ C K2) as [_ K]. tests.
  apply (holds_intro p g); auto. intros th' HI gam MG. cbn [problemR alpha samples] in MG.
  destruct (Rle_lt_dec 0 gam) as [G|G].
  - apply (nu_from_squares gam #B (norm2 th') (length th') 1); auto; try lra; [apply norm2_nonneg|].
    intros _. destruct (K th' gam HI MG G) as [_ Q]. num. lra.
  - apply Rle_trans with 0; [lra|]. apply Rmult_le_pos; auto. apply pow_le, sqrt_pos.
Qed.
Theorem matrix_optimum_sound p l s : check_matrix_optimum (classified p) p l = true -> s = GlobalOptimum All \/ s = LocalOptimum All ->
  holds (problemR p) s.
Proof.
  unfold check_matrix_optimum. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K. apply andb_prop in K.
  destruct K as [K1 K2]. destruct (matrix_bound _ _ _ _ _ C K2) as [_ K]. tests.
  destruct (classified_ok _ _ C) as (_ & HW & HG & _). cbn [problemR theta samples] in HW. rewrite well_formed_R in HW.
  assert (NP : 0 < norm2 (thR (qtheta p)) ^ length (qtheta p)) by (rewrite <- qnorm2_ok; apply pow_lt; auto).
  assert (ALL : forall th', same_architecture (thR (qtheta p)) th' -> no_better All (problemR p) #g th').
  { intros th' V MG. cbn [problemR alpha samples theta] in *. destruct (K th' #g V MG ltac:(lra)) as [HL Q]. simpl.
    num. rewrite toR_inv in Q by (num; rewrite qnorm2_ok; lra). num. rewrite qnorm2_ok, HL in Q.
    apply (pow_le_inv (length (qtheta p))); try apply norm2_nonneg.
    - destruct (qtheta p); [|simpl; lia]. unfold well_formed in HW. destruct (qsamples p) as [|[x y] D]; discriminate.
    - set (N := norm2 (thR (qtheta p)) ^ length (qtheta p)) in *. set (N' := norm2 th' ^ length (qtheta p)) in *.
      assert (GG : 0 < #g * #g) by (apply Rmult_lt_0_compat; auto). apply Rmult_le_reg_l with (#g * #g * / N).
      + apply Rmult_lt_0_compat; auto. apply Rinv_0_lt_compat; auto.
      + replace (#g * #g * / N * N) with (#g * #g) by (field; lra). exact Q. }
  assert (BOTH : says (problemR p) #g (GlobalOptimum All) /\ says (problemR p) #g (LocalOptimum All)).
  { split; [intros th' V; apply ALL; auto|]. exists 1. split; [lra|]. intros th' V _. apply ALL; auto. }
  intros [E|E]; subst s; (apply (holds_intro p g); [exact C|apply BOTH]).
Qed.
