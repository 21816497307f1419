(* SecondOrder.v -- rule 3.5c: theta = Sum lambda_k G_k with lambda_k > 0, no kinks, and
   A = I - Sum lambda_k H_k + c Sum G_k G_k^T  positive definite make theta a local optimum.  With t_k = q_k(theta + D) - g >= 0,

     2 theta . D + |D|^2 = D . A D + Sum (2 lambda_k t_k - c (G_k . D)^2) + O(|D|^3),

   and  G_k . D = t_k + O(|D|^2),  so the sum is at least -O(|D|^4) once |D| is small. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Curve.
Require Import MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.Directional MaxMargin.Limits MaxMargin.Definite MaxMargin.Hessian.
Import ListNotations.
Open Scope R_scope.

Definition qjet := jet num.
Definition qjvalue (S : list (list num)) (th : params num) (x c : list num) : qjet :=
  jvalue zero one add mul qaxpy S th (qflat th) x c.
(* multiplier, gradient, half the Hessian *)
Definition second_term := (num * list num * list (list num))%type.
Fixpoint second_terms (p : qproblem) (g : num) (l : list (nat * num)) : option (list second_term) :=
  match l with
  | [] => Some []
  | (k, w) :: l' =>
      match nth_error (qconstraints (qtheta p) (qsamples p)) k, second_terms p g l' with
      | Some (x, c), Some ts =>
          match slopes_of (qalpha p) (zeros x) (curve (qtheta p) []) (map pconst x) with
          | Some ss =>
              if positive w && eqb (qq (qalpha p) (qtheta p) x c) g then
                let j := qjvalue ss (qtheta p) x c in Some ((w, slope j, bend j) :: ts)
              else None
          | None => None
          end
      | _, _ => None
      end
  end.
Definition term_sum (ts : list second_term) : list num :=
  fold_right (fun t s => qaxpy (fst (fst t)) (snd (fst t)) s) [] ts.
Definition qunits (n : nat) : list (list num) := map (fun k => repeat zero k ++ [one]) (seq 0 n).
Definition augmented (n : nat) (c : num) (ts : list second_term) : list (list num) :=
  fold_right (fun t M => madd mul qaxpy (mul (of_Z (-2)) (fst (fst t))) (snd t) (madd mul qaxpy c (outer mul (snd (fst t)) (snd (fst t))) M))
    (qunits n) ts.
(* the upper triangle of the symmetric part *)
Fixpoint triangle (fuel : nat) (M : list (list num)) : list (list num) :=
  match fuel, M with
  | S n, row :: rest =>
      (hd zero row :: map (mul (Qmake 1 2)) (qaxpy one (tl row) (map (hd zero) rest))) :: triangle n (map (@tl _) rest)
  | _, _ => []
  end.
Fixpoint qdefinite (fuel : nat) (M : list (list num)) : bool :=
  match M, fuel with
  | [], _ => true
  | row :: C, S n =>
      positive (hd zero row)
      && match qeliminate (inv (hd zero row)) (tl row) C with Some C' => qdefinite n C' | None => false end
  | _, O => false
  end.
Definition check_second_order (own : option num) (p : qproblem) (c : num) (l : list (nat * num)) : bool :=
  match own with
  | Some g =>
      match second_terms p g l with
      | Some ts =>
          let n := length (qflat (qtheta p)) in
          let M := augmented n c ts in
          nonneg c && (length M =? n)%nat
          && forallb (fun a => eqb a zero) (qaxpy (opp one) (term_sum ts) (qflat (qtheta p)))
          && qdefinite n (triangle n M)
      | None => false
      end
  | None => false
  end.

(* ---- definiteness -------------------------------------------------------------------------------- *)
Lemma qeliminate_length f : forall r C C', qeliminate f r C = Some C' -> length C' = length C.
Proof.
  induction r as [|r0 r IH]; intros [|row C] C' H; cbn [qeliminate] in H; try discriminate; [inversion H; auto|].
  destruct (qeliminate f r C) as [D|] eqn:E; [|discriminate].
  assert (E2 : C' = qaxpy (opp (mul f r0)) (r0 :: r) row :: D) by congruence. subst C'. simpl. f_equal. apply IH; auto.
Qed.
Theorem qdefinite_ok fuel : forall M, qdefinite fuel M = true -> exists mu, 0 < mu /\ forall t, (length t <= length M)%nat ->
  mu * dot t t <= qform M t.
Proof.
  induction fuel as [|n IH]; intros [|row C] H; cbn [qdefinite] in H; try discriminate;
    try (exists 1; split; [lra|]; intros [|x t] L; simpl in *; [lra|lia]).
  apply andb_prop in H. destruct H as [P H]. destruct (qeliminate _ _ C) as [D|] eqn:E; [|discriminate].
  destruct (IH D H) as (m & MP & K). tests. set (a := #(hd zero row)) in *. set (r := vR (tl row)) in *.
  pose (Q := 1 + 2 * (dot r r) * (/ a * / a)). pose proof (dot_nonneg r) as RR.
  assert (IA : 0 < / a) by (apply Rinv_0_lt_compat; auto).
  assert (QP : 0 < Q) by (unfold Q; assert (0 <= dot r r * (/ a * / a)) by (apply Rmult_le_pos; [auto|nra]); lra).
  exists (Rmin (a / 2) (m / Q)). split; [apply Rmin_pos; [lra|apply Rdiv_lt_0_compat; auto]|].
  intros [|x t] L; [simpl; lra|]. simpl in L. specialize (K t ltac:(rewrite (qeliminate_length _ _ _ _ E); lia)).
  rewrite (qeliminate_ok _ _ _ _ E t), toR_inv in K by (fold a; lra). fold a r in K.
  cbn [qform dot]. rewrite hd_num, tl_num. fold a r. set (y := dot r t) in *. set (T := dot t t) in *.
  set (mu := Rmin (a / 2) (m / Q)) in *. assert (U1 : mu <= a / 2) by apply Rmin_l. assert (U2 : mu <= m / Q) by apply Rmin_r.
  assert (U0 : 0 < mu) by (unfold mu; apply Rmin_pos; [lra|apply Rdiv_lt_0_compat; auto]).
  assert (U3 : mu * Q <= m).
  { apply Rle_trans with (m / Q * Q); [apply Rmult_le_compat_r; lra|right; field; lra]. }
  set (w := x + / a * y). assert (X : x = w - / a * y) by (unfold w; ring).
  assert (F : a * (x * x) + 2 * (x * y) = a * (w * w) - / a * (y * y)) by (unfold w; field; lra).
  pose proof (dot_nonneg t) as T0. fold T in T0.
  assert (Y : y * y <= dot r r * T) by apply cauchy.
  assert (XX : x * x <= 2 * (w * w) + 2 * (dot r r * T) * (/ a * / a)).
  { rewrite X. pose proof (Rle_0_sqr (w + / a * y)) as S. unfold Rsqr in S.
    assert ((/ a * / a) * (y * y) <= (/ a * / a) * (dot r r * T)) by (apply Rmult_le_compat_l; [nra|auto]). lra. }
  assert (W : 0 <= w * w) by (pose proof (Rle_0_sqr w) as S; unfold Rsqr in S; auto).
  apply Rle_trans with (mu * (2 * (w * w)) + mu * Q * T).
  { replace (mu * (2 * (w * w)) + mu * Q * T) with (mu * (2 * (w * w) + 2 * (dot r r * T) * (/ a * / a) + T)) by (unfold Q; ring).
    apply Rmult_le_compat_l; lra. }
  assert (mu * (2 * (w * w)) <= a * (w * w)) by nra. assert (mu * Q * T <= m * T) by (apply Rmult_le_compat_r; auto). lra.
Qed.
Definition rowsR (M : list (list num)) : list vec := map vR M.
Lemma qf_cons row rest x t : qf (row :: rest) (x :: t) =
  hd 0 row * (x * x) + x * dot (tl row) t + x * dot (map (hd 0) rest) t + qf (map (@tl _) rest) t.
Proof.
  unfold qf. cbn [map dot].
  assert (E1 : forall m : vec, dot m (x :: t) = hd 0 m * x + dot (tl m) t) by (intros [|y m]; simpl; ring).
  assert (E2 : forall s rest, dot s (map (fun m => dot m (x :: t)) rest) =
    x * dot (map (hd 0) rest) s + dot s (map (fun m => dot m t) (map (@tl _) rest))).
  { clear - E1. induction s as [|y s IH]; intros [|m rest]; simpl map; rewrite ?dot_nil_r; simpl; try ring.
    rewrite IH, E1. ring. }
  rewrite E1, E2. ring.
Qed.
Lemma triangle_ok n : forall M, (length M <= n)%nat -> forall d, qform (triangle n M) d = qf (rowsR M) d.
Proof.
  induction n as [|n IH]; intros [|row rest] L d; simpl in L; try lia; try (simpl; rewrite qf_nil; auto).
  destruct d as [|x t]; [reflexivity|]. cbn [triangle qform rowsR map]. rewrite IH by (rewrite map_length; lia).
  rewrite qf_cons. cbn [vR map hd tl]. fold (rowsR rest).
  assert (H1 : dot (map toR (map (mul (Qmake 1 2)) (qaxpy one (tl row) (map (hd zero) rest)))) t =
    / 2 * (dot (tl (vR row)) t + dot (map (hd 0) (rowsR rest)) t)).
  { assert (E : map toR (map (mul (Qmake 1 2)) (qaxpy one (tl row) (map (hd zero) rest))) =
                scal (/ 2) (vR (qaxpy one (tl row) (map (hd zero) rest)))).
    { unfold scal, vR. rewrite !map_map. apply map_ext. intros z. num. f_equal. unfold toR, Q2R. simpl. lra. }
    rewrite E, dot_scal_l, qaxpy_ok, dot_axpy_l. num. rewrite <- tl_num.
    assert (E3 : vR (map (hd zero) rest) = map (hd 0) (rowsR rest)).
    { unfold vR, rowsR. rewrite !map_map. apply map_ext. intros z. rewrite <- hd_num. auto. }
    rewrite E3. ring. }
  rewrite H1, <- hd_num. assert (E4 : rowsR (map (@tl _) rest) = map (@tl _) (rowsR rest)).
  { unfold rowsR. rewrite !map_map. apply map_ext. intros z. rewrite tl_num. auto. }
  rewrite E4. field.
Qed.
Lemma triangle_length n : forall M, (length M <= n)%nat -> length (triangle n M) = length M.
Proof. induction n as [|n IH]; intros [|row rest] L; simpl in *; try lia; auto. f_equal. rewrite IH; rewrite map_length; auto; lia. Qed.

(* ---- rational jets -------------------------------------------------------------------------------- *)
Definition jetOK (a : qjet) (b : jetR) : Prop := #(value a) = value b /\ vR (slope a) = slope b /\ rowsR (bend a) = bend b.
Lemma vR_scal k a : vR (map (mul k) a) = map (Rmult #k) (vR a).
Proof. unfold vR. rewrite !map_map. apply map_ext. intros. num. auto. Qed.
Lemma madd_ok k M : forall N, rowsR (madd mul qaxpy k M N) = madd Rmult axpy #k (rowsR M) (rowsR N).
Proof.
  unfold rowsR. induction M as [|m M IH]; intros [|n N]; cbn [madd map]; auto.
  - f_equal; [apply vR_scal|]. rewrite !map_map. apply map_ext. intros. apply vR_scal.
  - rewrite IH, qaxpy_ok. auto.
Qed.
Lemma outer_ok a b : rowsR (outer mul a b) = outer Rmult (vR a) (vR b).
Proof. unfold rowsR, outer. induction a as [|x a IH]; simpl; auto. rewrite IH, vR_scal. auto. Qed.
Lemma qjvalue_ok S th x c : jetOK (qjvalue S th x c)
  (jvalue 0 1 Rplus Rmult axpy (map vR S) (thR th) (flat (thR th)) (vR x) (vR c)).
Proof.
  unfold qjvalue, jvalue. rewrite lift_thR.
  assert (KC : forall a, jetOK (jconst a) (jconst #a)) by (intros; repeat split).
  apply (rel_value qjet jetR _ _ _ _ _ _ jetOK).
  - repeat split. apply toR_0.
  - intros a b a' b' (A1 & A2 & A3) (B1 & B2 & B3). unfold jadd. split; [|split]; unfold value, slope, bend in *; cbn [fst snd].
    + num. congruence.
    + rewrite qaxpy_ok. num. congruence.
    + rewrite madd_ok. num. congruence.
  - intros a b a' b' (A1 & A2 & A3) (B1 & B2 & B3). unfold jmul. split; [|split]; unfold value, slope, bend in *; cbn [fst snd].
    + num. congruence.
    + rewrite qaxpy_ok, vR_scal. congruence.
    + rewrite !madd_ok, outer_ok. congruence.
  - apply lift_rel. intros k. unfold jvariable. split; [|split]; unfold value, slope, bend; cbn [fst snd].
    + rewrite flat_R, nth_vR. auto.
    + unfold vR. rewrite map_app. simpl. num. f_equal. clear. induction k; simpl; auto. rewrite IHk. num. auto.
    + reflexivity.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros s. rewrite map_map. apply Forall2_maps. intros a. apply KC.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros a. apply KC.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros a. apply KC.
Qed.

(* ---- the sum over the constraints ------------------------------------------------------------------ *)
Definition lin (D : vec) (t : second_term) : R := dot (vR (snd (fst t))) D.
Definition quad (D : vec) (t : second_term) : R := qf (rowsR (snd t)) D.
Definition gain (c : R) (D : vec) (t : second_term) : R :=
  2 * (#(fst (fst t)) * lin D t) + 2 * (#(fst (fst t)) * quad D t) - c * (lin D t * lin D t).
Lemma one_gain c w K n t l Q rho : 0 <= c -> 0 < w -> 0 <= K -> 0 <= n <= 1 -> 0 <= t -> 3 * (c * K) * n <= w ->
  t = l + Q + rho -> Rabs rho <= K * (n * n * n) -> Rabs l <= K * n -> Rabs Q <= K * (n * n) ->
  - ((2 * (w * K) + 8 * (c * (K * K))) * (n * n * n)) <= 2 * (w * l) + 2 * (w * Q) - c * (l * l).
Proof.
  intros HC HW HK HN HT H3 E B1 B2 B3. apply Rabs_le_inv in B1, B2, B3.
  set (n2 := n * n) in *. assert (N2 : 0 <= n2 <= n) by (unfold n2; nra). set (n3 := n2 * n) in *. assert (N3 : 0 <= n3 <= n2) by (unfold n3; nra).
  set (s := Q + rho). assert (S : - (2 * K * n2) <= s <= 2 * K * n2).
  { unfold s. assert (K * n3 <= K * n2) by (apply Rmult_le_compat_l; lra). lra. }
  assert (L : l = t - s) by (unfold s; lra).
  assert (S2 : s * s <= 4 * (K * K) * n3).
  { assert (KN : 0 <= 2 * K * n2) by (apply Rmult_le_pos; lra). assert (s * s <= (2 * K * n2) * (2 * K * n2)) by nra.
    assert (n2 * n2 <= n3) by (unfold n3; apply Rmult_le_compat_l; lra). assert (0 <= K * K) by nra.
    assert (K * K * (n2 * n2) <= K * K * n3) by (apply Rmult_le_compat_l; auto). lra. }
  assert (T3 : t <= 3 * K * n).
  { assert (K * n2 <= K * n) by (apply Rmult_le_compat_l; lra). lra. }
  assert (LL : l * l <= 2 * (t * t) + 2 * (s * s)).
  { rewrite L. pose proof (Rle_0_sqr (t + s)) as X. unfold Rsqr in X. lra. }
  assert (CT : c * (t * t) <= w * t).
  { assert (c * t <= w).
    { apply Rle_trans with (c * (3 * K * n)); [apply Rmult_le_compat_l; auto|]. lra. }
    rewrite <- Rmult_assoc. apply Rmult_le_compat_r; auto. }
  assert (CL : c * (l * l) <= 2 * (c * (t * t)) + 2 * (c * (s * s))).
  { assert (c * (l * l) <= c * (2 * (t * t) + 2 * (s * s))) by (apply Rmult_le_compat_l; auto). lra. }
  assert (CS : c * (s * s) <= 4 * (c * (K * K)) * n3).
  { assert (c * (s * s) <= c * (4 * (K * K) * n3)) by (apply Rmult_le_compat_l; auto). lra. }
  assert (WR : w * rho <= w * (K * n3)) by (apply Rmult_le_compat_l; lra).
  assert (EQ : w * l + w * Q = w * t - w * rho) by (rewrite E; ring).
  fold n3. lra.
Qed.
Lemma terms_gain p g c : 0 <= #(qalpha p) <= 1 -> 0 <= c -> forall l ts, second_terms p g l = Some ts ->
  exists K e, 0 <= K /\ 0 < e <= 1 /\ forall th', same_architecture (thR (qtheta p)) th' -> close e (thR (qtheta p)) th' ->
  margin_ge #(qalpha p) th' (dataR (qsamples p)) #g ->
  let D := moved (flat (thR (qtheta p))) (flat th') in norm D <= e ->
  - (K * (norm D * norm D * norm D)) <= sumR (map (gain c D) ts).
Proof.
  intros HA HC. induction l as [|[k w] l IH]; intros ts H; cbn [second_terms] in H.
  - inversion H; subst. exists 0, 1. split; [lra|split; [lra|]]. intros. simpl. lra.
  - destruct (nth_error _ k) as [[x cc]|] eqn:N; [|discriminate].
    destruct (second_terms p g l) as [ts'|] eqn:E; [|discriminate].
    destruct (slopes_of _ _ _ _) as [ss|] eqn:F; [|discriminate].
    destruct (positive w && _) eqn:T; [|discriminate]. cbv zeta in H. injection H as H. subst ts. tests.
    destruct (IH ts' eq_refl) as (K1 & e1 & KP1 & EP1 & B1). clear IH.
    destruct (slopes_of_ok _ _ _ _ _ F) as (offs & EV). destruct (ev_ex _ EV) as (e0 & _ & FT).
    rewrite pe_consts, (at_rest_ok e0 (qtheta p) []) in FT by auto.
    destruct (expansion #(qalpha p) (map vR ss) offs (zeros x) (thR (qtheta p)) (vR x) (vR cc) HA (zeros_ok x) FT)
      as (V & K2 & e2 & KP2 & EP2 & B2).
    destruct (qjvalue_ok ss (qtheta p) x cc) as (J1 & J2 & J3).
    set (j := qjvalue ss (qtheta p) x cc) in *.
    set (jr := jvalue 0 1 Rplus Rmult axpy (map vR ss) (thR (qtheta p)) (flat (thR (qtheta p))) (vR x) (vR cc)) in *.
    assert (V2 : value jr = #g) by (rewrite <- V, <- qq_ok; auto).
    assert (CK : 0 <= 3 * (c * K2)) by (assert (0 <= c * K2) by (apply Rmult_le_pos; auto); lra).
    assert (WP : 0 < #w / (3 * (c * K2) + 1)) by (apply Rdiv_lt_0_compat; lra).
    exists (K1 + (2 * (#w * K2) + 8 * (c * (K2 * K2)))), (Rmin e1 (Rmin e2 (#w / (3 * (c * K2) + 1)))).
    assert (M1 : Rmin e1 (Rmin e2 (#w / (3 * (c * K2) + 1))) <= e1) by apply Rmin_l.
    assert (M2 : Rmin e1 (Rmin e2 (#w / (3 * (c * K2) + 1))) <= e2) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
    assert (M3 : Rmin e1 (Rmin e2 (#w / (3 * (c * K2) + 1))) <= #w / (3 * (c * K2) + 1))
      by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
    assert (KW : 0 <= #w * K2) by (apply Rmult_le_pos; lra). assert (KK : 0 <= c * (K2 * K2)) by (apply Rmult_le_pos; [auto|nra]).
    split; [lra|split; [split; [repeat apply Rmin_pos; lra|lra]|]]. intros th' SA CL MG. cbv zeta. intros HN.
    specialize (B1 th' SA (close_mono_p _ _ _ _ M1 CL) MG ltac:(lra)).
    specialize (B2 th' SA (close_mono_p _ _ _ _ M2 CL)). cbv zeta in B1, B2.
    set (D := moved (flat (thR (qtheta p))) (flat th')) in *. set (n := norm D) in *. assert (N0 : 0 <= n) by apply norm_nonneg.
    destruct (B2 ltac:(lra)) as (R1 & R2 & R3). rewrite V2 in R1.
    assert (TP : 0 <= q #(qalpha p) th' (vR x) (vR cc) - #g).
    { assert (HO : outputs th' = outputs (thR (qtheta p))) by (symmetry; apply outputs_same; auto).
      assert (#g <= q #(qalpha p) th' (vR x) (vR cc)); [|lra]. apply MG. unfold constraints_of. rewrite HO.
      change (In (vR x, vR cc) (constraints_of (thR (qtheta p)) (dataR (qsamples p)))). rewrite constraints_ok.
      apply in_map_iff. exists (x, cc). split; auto. eapply nth_error_In; eauto. }
    set (l0 := dot (slope jr) D) in *. set (q0 := qf (bend jr) D) in *.
    assert (SMALL : 3 * (c * K2) * n <= #w).
    { apply Rle_trans with ((3 * (c * K2) + 1) * (#w / (3 * (c * K2) + 1))); [apply Rmult_le_compat; lra|right; field; lra]. }
    pose proof (one_gain c #w K2 n (q #(qalpha p) th' (vR x) (vR cc) - #g) l0 q0
      (q #(qalpha p) th' (vR x) (vR cc) - #g - l0 - q0) HC ltac:(auto) KP2 ltac:(lra) TP SMALL ltac:(ring) R1 R2 R3) as G.
    assert (GE : gain c D (w, slope j, bend j) = 2 * (#w * l0) + 2 * (#w * q0) - c * (l0 * l0)).
    { unfold gain, lin, quad. cbn [fst snd]. rewrite J2, J3. auto. }
    cbn [map sumR]. rewrite GE, Rmult_plus_distr_r. lra.
Qed.

(* ---- the claim ------------------------------------------------------------------------------------- *)
Lemma units_qf n d : length d = n -> qf (rowsR (qunits n)) d = dot d d.
Proof.
  intros L. unfold qf, rowsR, qunits. rewrite !map_map. f_equal. subst n.
  assert (E : forall k, dot (vR (repeat zero k ++ [one])) d = nth k d 0).
  { intros k. assert (X : vR (repeat zero k ++ [one]) = unit_vec k).
    { unfold vR, unit_vec. rewrite map_app. simpl. num. f_equal. induction k; simpl; auto. rewrite IHk. num. auto. }
    rewrite X. apply dot_unit. }
  erewrite map_ext; [|exact E]. clear E.
  assert (G : forall d pre, map (fun k => nth k (pre ++ d) 0) (seq (length pre) (length d)) = d); [|apply (G d [])].
  clear. induction d as [|x d IH]; intros pre; [auto|]. cbn [length seq map].
  assert (X : nth (length pre) (pre ++ x :: d) 0 = x) by (rewrite app_nth2, Nat.sub_diag by lia; auto). rewrite X. f_equal.
  specialize (IH (pre ++ [x])). rewrite <- app_assoc in IH. simpl in IH. rewrite app_length in IH. simpl in IH.
  replace (length pre + 1)%nat with (S (length pre)) in IH by lia. exact IH.
Qed.
Lemma augmented_qf n c d ts : length d = n -> qf (rowsR (augmented n c ts)) d =
  dot d d - 2 * sumR (map (fun t : second_term => #(fst (fst t)) * quad d t) ts) + #c * sumR (map (fun t => lin d t * lin d t) ts).
Proof.
  intros L. unfold augmented. induction ts as [|t ts IH]; cbn [fold_right map sumR].
  - rewrite units_qf by auto. ring.
  - rewrite !madd_ok, !qf_madd, outer_ok, qf_outer, IH. num. unfold quad at 2, lin at 3 4. ring.
Qed.
Lemma term_sum_dot d ts : dot (vR (term_sum ts)) d = sumR (map (fun t : second_term => #(fst (fst t)) * lin d t) ts).
Proof. unfold term_sum. induction ts as [|t ts IH]; auto. cbn [fold_right map sumR]. rewrite qaxpy_ok, dot_axpy_l, IH. auto. Qed.
Lemma gain_sum c D ts : sumR (map (gain c D) ts) =
  2 * sumR (map (fun t : second_term => #(fst (fst t)) * lin D t) ts) + 2 * sumR (map (fun t : second_term => #(fst (fst t)) * quad D t) ts)
  - c * sumR (map (fun t => lin D t * lin D t) ts).
Proof. induction ts as [|t ts IH]; cbn [map sumR]; [ring|]. rewrite IH. unfold gain. ring. Qed.
Lemma norm2_flat th : norm2 th = dot (flat th) (flat th).
Proof.
  unfold norm2, flat. induction th as [|[u W] th IH]; auto. cbn [squared_norm flat_map fst]. rewrite IH, sum_squares_dot.
  generalize (flat_map fst th). clear. intros v. induction u as [|x u IH]; simpl; [ring|]. rewrite <- IH. ring.
Qed.
Lemma flat_length th th' : same_architecture th th' -> length (flat th) = length (flat th').
Proof. unfold flat. induction 1 as [|[u W] [u' W'] th th' [_ E] F IH]; auto. cbn [flat_map fst snd] in *. rewrite !app_length, IH, E. auto. Qed.
Lemma moved_length v v' : length v = length v' -> length (moved v v') = length v.
Proof. intros L. unfold moved. apply (axpy_length (-1) v v'). auto. Qed.
(* parameters within e move by at most (length) e *)
Lemma close_norm e th th' : 0 < e -> same_architecture th th' -> close e th th' ->
  norm (moved (flat th) (flat th')) <= INR (length (flat th)) * e.
Proof.
  intros HE SA CL. assert (NE := close_flat e th HE th' SA CL). pose proof (flat_length _ _ SA) as L.
  unfold moved. revert NE L. generalize (flat th) (flat th'). intros v v' NE L.
  assert (B : forall i, Rabs (nth i (axpy (-1) v v') 0) <= e).
  { intros i. rewrite nth_axpy. specialize (NE i). replace (-1 * nth i v 0 + nth i v' 0) with (- (nth i v 0 - nth i v' 0)) by ring.
    rewrite Rabs_Ropp. lra. }
  assert (LD : length (axpy (-1) v v') = length v) by (apply axpy_length; auto).
  rewrite <- LD. clear - B HE. revert B. generalize (axpy (-1) v v'). intros d B.
  assert (S : norm d <= sum_abs d).
  { apply norm_le; [apply sum_abs_nonneg|]. clear. induction d as [|x d IH]; simpl; [lra|].
    pose proof (sum_abs_nonneg d). pose proof (Rabs_pos x). assert (x * x = Rabs x * Rabs x).
    { rewrite <- Rabs_mult. symmetry. apply Rabs_right. pose proof (Rle_0_sqr x) as X. unfold Rsqr in X. lra. }
    assert (0 <= Rabs x * sum_abs d) by (apply Rmult_le_pos; auto). lra. }
  eapply Rle_trans; [exact S|]. clear S. induction d as [|x d IH]; cbn [sum_abs length]; [simpl; lra|].
  rewrite S_INR. specialize (IH (fun i => B (S i))). specialize (B 0%nat). simpl in B. lra.
Qed.
Theorem second_order_sound p c l : check_second_order (classified p) p c l = true -> holds (problemR p) (LocalOptimum All).
Proof.
  unfold check_second_order. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (second_terms p g l) as [ts|] eqn:E; [|discriminate]. cbv zeta. intros K.
  apply andb_prop in K. destruct K as [K KD]. apply andb_prop in K. destruct K as [K KS].
  apply andb_prop in K. destruct K as [KC KL]. apply Nat.eqb_eq in KL. tests.
  destruct (classified_ok _ _ C) as (HA & _). cbn [problemR alpha] in HA.
  set (n := length (qflat (qtheta p))) in *. destruct (qdefinite_ok _ _ KD) as (mu & MP & PD).
  rewrite triangle_length in PD by lia.
  destruct (terms_gain p g #c HA KC l ts E) as (KK & e1 & KP & EP & GB).
  set (v := flat (thR (qtheta p))) in *. assert (LV : length v = n) by (unfold v; rewrite flat_R, vR_length; auto).
  apply (holds_intro p g); auto.
  pose (e2 := Rmin e1 (mu / (KK + 1))). assert (QP : 0 < mu / (KK + 1)) by (apply Rdiv_lt_0_compat; lra).
  assert (E2 : 0 < e2) by (unfold e2; apply Rmin_pos; lra).
  assert (E21 : e2 <= e1) by apply Rmin_l. assert (E22 : e2 <= mu / (KK + 1)) by apply Rmin_r.
  pose (e := e2 / (INR n + 1)). pose proof (pos_INR n) as NP. assert (EE : 0 < e) by (apply Rdiv_lt_0_compat; lra).
  assert (EL : (INR n + 1) * e = e2) by (unfold e; field; lra).
  assert (ES : e <= e1) by nra.
  exists e. split; auto. intros th' SA CL MG. cbn [problemR theta samples alpha] in *. simpl.
  pose (D := moved v (flat th')). assert (SA2 := SA). change (same_architecture (thR (qtheta p)) th') in SA2.
  assert (LF : length v = length (flat th')) by (apply flat_length; auto).
  assert (LD : length D = n) by (unfold D; rewrite moved_length; auto).
  assert (HN : norm D <= e2).
  { pose proof (close_norm e _ _ EE SA2 CL) as B. fold v D in B. rewrite LV in B. lra. }
  pose proof (norm_nonneg D) as N0.
  specialize (GB th' SA2 (close_mono_p _ _ _ _ ES CL) MG). cbv zeta in GB. fold v D in GB. specialize (GB ltac:(lra)).
  specialize (PD D ltac:(lia)). rewrite triangle_ok, augmented_qf in PD by (auto; lia). rewrite gain_sum in GB.
  (* 2 theta . D *)
  assert (TD : sumR (map (fun t : second_term => #(fst (fst t)) * lin D t) ts) = dot v D).
  { rewrite <- term_sum_dot. assert (Z := zeros_dot _ KS D). rewrite qaxpy_ok, dot_axpy_l in Z. num.
    rewrite <- flat_R in Z. fold v in Z. lra. }
  rewrite TD in GB. rewrite <- norm_sq in PD. set (m := norm D) in *.
  assert (SM : KK * (m * m * m) <= mu * (m * m)).
  { assert (KK * m <= mu).
    { apply Rle_trans with ((KK + 1) * (mu / (KK + 1))); [apply Rmult_le_compat; lra|right; field; lra]. }
    replace (KK * (m * m * m)) with (KK * m * (m * m)) by ring. apply Rmult_le_compat_r; [nra|auto]. }
  rewrite !norm2_flat. fold v.
  assert (ND : m * m = dot (flat th') (flat th') - 2 * dot v (flat th') + dot v v).
  { unfold m. rewrite norm_sq. unfold D, moved. rewrite dot_axpy_l, !dot_axpy_r, (dot_comm (flat th') v). ring. }
  assert (VD : dot v D = dot v (flat th') - dot v v) by (unfold D, moved; rewrite dot_axpy_r; ring).
  lra.
Qed.
