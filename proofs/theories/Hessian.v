(* Hessian.v -- numbers that carry a gradient and a quadratic form.  Run over them, the pass with fixed slopes gives the
   second-order expansion of a constraint,  q(theta + D) = q + G . D + Q(D) + O(|D|^3).  Q is a list of rows, not
   necessarily symmetric. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Exact.
Import ListNotations.
Open Scope R_scope.

Section Jets.
  Variables (A : Type) (zero one : A) (add mul : A -> A -> A) (axpy : A -> list A -> list A -> list A).
  Definition jet := (A * list A * list (list A))%type.
  Definition value (a : jet) : A := fst (fst a).
  Definition slope (a : jet) : list A := snd (fst a).
  Definition bend (a : jet) : list (list A) := snd a.
  (* k M + N *)
  Fixpoint madd (k : A) (M N : list (list A)) : list (list A) :=
    match M, N with
    | m :: M', n :: N' => axpy k m n :: madd k M' N'
    | [], _ => N
    | _, [] => map (map (mul k)) M
    end.
  Definition outer (a b : list A) : list (list A) := map (fun x => map (mul x) b) a.
  Definition jzero : jet := (zero, [], []).
  Definition jconst (a : A) : jet := (a, [], []).
  Definition jadd (a b : jet) : jet := (add (value a) (value b), axpy one (slope a) (slope b), madd one (bend a) (bend b)).
  Definition jmul (a b : jet) : jet :=
    (mul (value a) (value b), axpy (value a) (slope b) (map (mul (value b)) (slope a)),
     madd (value a) (bend b) (madd (value b) (bend a) (outer (slope a) (slope b)))).
  Definition jvariable (v : list A) (k : nat) : jet := (nth k v zero, repeat zero k ++ [one], []).
  Definition jvalue (S : list (list A)) (th : params A) (v x c : list A) : jet :=
    pattern_value jzero jadd jmul (map (map jconst) S) (lift (jvariable v) 0 th) (map jconst x) (map jconst c).
End Jets.
Arguments value {A}. Arguments slope {A}. Arguments bend {A}. Arguments madd {A}. Arguments outer {A}.
Arguments jzero {A}. Arguments jconst {A}. Arguments jadd {A}. Arguments jmul {A}. Arguments jvariable {A}. Arguments jvalue {A}.
Notation jetR := (jet R).
Definition jaddR := jadd 1 Rplus Rmult axpy.
Definition jmulR := jmul Rmult axpy.

(* the quadratic form of a list of rows *)
Definition qf (M : list vec) (d : vec) : R := dot d (map (fun m => dot m d) M).
Lemma dot_map_madd k d e : forall M N, dot e (map (fun m => dot m d) (madd Rmult axpy k M N)) =
  k * dot e (map (fun m => dot m d) M) + dot e (map (fun m => dot m d) N).
Proof.
  intros M N. revert e N. induction M as [|m M IH]; intros e N.
  - simpl. rewrite dot_nil_r. ring.
  - destruct N as [|n N].
    + cbn [madd]. rewrite map_map. cbn [map]. rewrite dot_nil_r, Rplus_0_r.
      assert (E : forall M e, dot e (map (fun x => dot (map (Rmult k) x) d) M) = k * dot e (map (fun m => dot m d) M)).
      { clear. induction M as [|m M IH]; intros [|y e]; simpl; try ring. rewrite IH.
        change (map (Rmult k) m) with (scal k m). rewrite dot_scal_l. ring. }
      apply (E (m :: M)).
    + destruct e as [|y e]; [simpl; ring|]. cbn [madd map dot]. rewrite IH, dot_axpy_l. ring.
Qed.
Lemma qf_madd k M N d : qf (madd Rmult axpy k M N) d = k * qf M d + qf N d.
Proof. apply dot_map_madd. Qed.
Lemma qf_outer a b d : qf (outer Rmult a b) d = dot a d * dot b d.
Proof.
  unfold qf, outer. rewrite map_map.
  assert (E : forall a e, dot e (map (fun x => dot (map (Rmult x) b) d) a) = dot a e * dot b d).
  { clear. induction a as [|x a IH]; intros [|y e]; simpl; try ring. rewrite IH.
    change (map (Rmult x) b) with (scal x b). rewrite dot_scal_l. ring. }
  apply E.
Qed.
Definition moved (v v' : vec) : vec := axpy (-1) v v'.

(* f has value, gradient and quadratic part a at v *)
Definition follows2 (v : vec) (f : vec -> R) (a : jetR) : Prop :=
  f v = value a /\ exists C, 0 <= C /\ forall e v', 0 < e <= 1 -> near_entries e v v' ->
    Rabs (f v' - value a - dot (slope a) (moved v v') - qf (bend a) (moved v v')) <= C * (e * e * e) /\
    Rabs (dot (slope a) (moved v v')) <= C * e /\ Rabs (qf (bend a) (moved v v')) <= C * (e * e).
Lemma qf_nil d : qf [] d = 0.
Proof. apply dot_nil_r. Qed.
Lemma follows2_const v a : follows2 v (fun _ => a) (jconst a).
Proof.
  split; auto. exists 0. split; [lra|]. intros e v' E N. unfold jconst, value, slope, bend. cbn [fst snd]. rewrite qf_nil. simpl.
  repeat split; apply Rabs_le; lra.
Qed.
Lemma follows2_variable v k : follows2 v (fun v' => nth k v' 0) (jvariable 0 1 v k).
Proof.
  split; auto. exists 1. split; [lra|]. intros e v' E N. unfold jvariable, value, slope, bend. cbn [fst snd]. rewrite qf_nil.
  change (repeat 0 k ++ [1]) with (unit_vec k). rewrite dot_unit. unfold moved. rewrite nth_axpy. specialize (N k).
  assert (0 < e * e * e) by (repeat apply Rmult_lt_0_compat; lra). assert (0 < e * e) by (apply Rmult_lt_0_compat; lra).
  split; [|split].
  - replace (nth k v' 0 - nth k v 0 - (-1 * nth k v 0 + nth k v' 0) - 0) with 0 by ring. rewrite Rabs_R0. lra.
  - replace (-1 * nth k v 0 + nth k v' 0) with (- (nth k v 0 - nth k v' 0)) by ring. rewrite Rabs_Ropp. lra.
  - rewrite Rabs_R0. lra.
Qed.
Lemma follows2_add v f a g b : follows2 v f a -> follows2 v g b -> follows2 v (fun w => f w + g w) (jaddR a b).
Proof.
  intros [E1 (C1 & P1 & H1)] [E2 (C2 & P2 & H2)]. unfold jaddR, jadd. split; [unfold value in *; simpl; lra|].
  exists (C1 + C2). split; [lra|]. intros e v' E N. destruct (H1 e v' E N) as (A1 & B1 & D1). destruct (H2 e v' E N) as (A2 & B2 & D2).
  unfold value, slope, bend in *. cbn [fst snd]. rewrite !dot_axpy_l, !qf_madd.
  apply Rabs_le_inv in A1, B1, D1, A2, B2, D2. repeat split; apply Rabs_le; lra.
Qed.
Lemma Rabs_product x y a b : Rabs x <= a -> Rabs y <= b -> - (a * b) <= x * y <= a * b.
Proof. intros HX HY. apply Rabs_le_inv. apply Rabs_mult_le; auto. Qed.
Lemma follows2_mul v f a g b : follows2 v f a -> follows2 v g b -> follows2 v (fun w => f w * g w) (jmulR a b).
Proof.
  intros [E1 (C1 & P1 & H1)] [E2 (C2 & P2 & H2)]. unfold jmulR, jmul. split; [unfold value in *; simpl; rewrite E1, E2; auto|].
  destruct a as [[a ga] ha], b as [[b gb] hb]. unfold value, slope, bend in *. cbn [fst snd] in *.
  exists (Rabs a * C2 + Rabs b * C1 + 10 * (C1 * C2)).
  assert (Q1 : 0 <= Rabs a * C2) by (apply Rmult_le_pos; auto using Rabs_pos).
  assert (Q2 : 0 <= Rabs b * C1) by (apply Rmult_le_pos; auto using Rabs_pos).
  assert (Q3 : 0 <= C1 * C2) by (apply Rmult_le_pos; auto).
  split; [lra|]. intros e v' E N. destruct (H1 e v' E N) as (A1 & B1 & D1). destruct (H2 e v' E N) as (A2 & B2 & D2).
  rewrite !dot_axpy_l, !qf_madd, qf_outer. change (map (Rmult b) ga) with (scal b ga). rewrite dot_scal_l.
  set (l1 := dot ga (moved v v')) in *. set (l2 := dot gb (moved v v')) in *.
  set (q1 := qf ha (moved v v')) in *. set (q2 := qf hb (moved v v')) in *.
  set (r1 := f v' - a - l1 - q1) in *. set (r2 := g v' - b - l2 - q2) in *.
  set (e2 := e * e) in *. assert (E2P : 0 <= e2 <= e) by (unfold e2; nra).
  set (e3 := e2 * e) in *. assert (E3P : 0 <= e3 <= e2) by (unfold e3; nra).
  assert (M1 : Rabs (q1 + r1) <= 2 * C1 * e2).
  { eapply Rle_trans; [apply Rabs_triang|]. assert (C1 * e3 <= C1 * e2) by (apply Rmult_le_compat_l; lra). lra. }
  assert (M2 : Rabs (q2 + r2) <= 2 * C2 * e2).
  { eapply Rle_trans; [apply Rabs_triang|]. assert (C2 * e3 <= C2 * e2) by (apply Rmult_le_compat_l; lra). lra. }
  assert (F2 : Rabs (g v' - b) <= 3 * C2 * e).
  { replace (g v' - b) with (l2 + (q2 + r2)) by (unfold r2; ring). eapply Rle_trans; [apply Rabs_triang|].
    assert (C2 * e2 <= C2 * e) by (apply Rmult_le_compat_l; lra). lra. }
  pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs a)) A2) as X1. pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs b)) A1) as X2.
  pose proof (Rabs_product _ _ _ _ B1 M2) as X3. pose proof (Rabs_product _ _ _ _ M1 F2) as X4.
  replace (C1 * e * (2 * C2 * e2)) with (2 * (C1 * C2) * e3) in X3 by (unfold e3; ring).
  replace (2 * C1 * e2 * (3 * C2 * e)) with (6 * (C1 * C2) * e3) in X4 by (unfold e3; ring).
  assert (Z3 : 0 <= C1 * C2 * e3) by (apply Rmult_le_pos; lra).
  split; [|split].
  - replace (f v' * g v' - a * b - (a * l2 + b * l1) - (a * q2 + (b * q1 + l1 * l2)))
      with (a * r2 + b * r1 + l1 * (q2 + r2) + (q1 + r1) * (g v' - b)) by (unfold r1, r2; ring).
    apply Rabs_le. lra.
  - pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs a)) B2) as Y1. pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs b)) B1) as Y2.
    assert (0 <= C1 * C2 * e) by (apply Rmult_le_pos; lra). apply Rabs_le. lra.
  - pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs a)) D2) as Y1. pose proof (Rabs_product _ _ _ _ (Rle_refl (Rabs b)) D1) as Y2.
    pose proof (Rabs_product _ _ _ _ B1 B2) as Y3. replace (C1 * e * (C2 * e)) with (C1 * C2 * e2) in Y3 by (unfold e2; ring).
    assert (0 <= C1 * C2 * e2) by (apply Rmult_le_pos; lra). apply Rabs_le. lra.
Qed.
Lemma fvalue_follows2 S th v x c : follows2 v (fvalue S th x c) (jvalue 0 1 Rplus Rmult axpy S th v x c).
Proof.
  relate_values (follows2 v) follows2_const follows2_add follows2_mul follows2_variable.
Qed.
(* near a network that fits the pattern, in the length of the move *)
Lemma entry_le_norm D i : Rabs (nth i D 0) <= norm D.
Proof.
  pose proof (norm_nonneg D). destruct (Rle_lt_dec (Rabs (nth i D 0)) (norm D)) as [|L]; auto. exfalso.
  assert (S : nth i D 0 * nth i D 0 <= dot D D).
  { clear. revert i. induction D as [|x D IH]; intros [|i]; simpl; try lra; pose proof (dot_nonneg D).
    - lra.
    - specialize (IH i). pose proof (Rle_0_sqr x) as X. unfold Rsqr in X. lra. }
  rewrite <- norm_sq in S. assert (Rabs (nth i D 0) * Rabs (nth i D 0) = nth i D 0 * nth i D 0).
  { rewrite <- Rabs_mult. apply Rabs_right. pose proof (Rle_0_sqr (nth i D 0)) as X. unfold Rsqr in X. lra. }
  assert (norm D * norm D < Rabs (nth i D 0) * Rabs (nth i D 0)) by (apply Rmult_le_0_lt_compat; auto). lra.
Qed.
Theorem expansion al S offs off th x c : 0 <= al <= 1 -> zero_at off x -> fits al S offs off th x ->
  let j := jvalue 0 1 Rplus Rmult axpy S th (flat th) x c in
  q al th x c = value j /\ exists K e, 0 <= K /\ 0 < e <= 1 /\ forall th', same_architecture th th' -> close e th th' ->
  let D := moved (flat th) (flat th') in let n := norm D in n <= e ->
    Rabs (q al th' x c - value j - dot (slope j) D - qf (bend j) D) <= K * (n * n * n) /\
    Rabs (dot (slope j) D) <= K * n /\ Rabs (qf (bend j) D) <= K * (n * n).
Proof.
  intros HA HZ HF j. destruct (fits_near al HA _ _ _ _ _ HF) as (e1 & E1 & K1).
  destruct (fvalue_follows2 S th (flat th) x c) as [V (C & C0 & K2)]. fold j in V, K2.
  assert (VAL : forall th2, same_architecture th th2 -> fits al S offs off th2 x -> q al th2 x c = fvalue S th x c (flat th2)).
  { intros th2 F2 H2. rewrite (fvalue_value S th th2) by auto. unfold q, q_value, pattern_value.
    rewrite (fits_value _ _ _ _ _ _ HZ H2). auto. }
  assert (SELF : same_architecture th th) by (clear; induction th; constructor; auto).
  split; [rewrite (VAL th SELF HF); exact V|].
  exists (8 * C), (Rmin e1 (1 / 2)). assert (M1 : Rmin e1 (1 / 2) <= e1) by apply Rmin_l. assert (M2 : Rmin e1 (1 / 2) <= 1 / 2) by apply Rmin_r.
  split; [lra|split; [split; [apply Rmin_pos; lra|lra]|]]. intros th' SA CL. cbv zeta. set (D := moved (flat th) (flat th')). intros HN.
  pose proof (norm_nonneg D) as N0.
  assert (FT : fits al S offs off th' x).
  { apply K1; auto; [eapply close_mono_p; eauto|]. clear - E1. induction x; constructor; auto. rewrite Rminus_eq_0, Rabs_R0; auto. }
  rewrite (VAL th' SA FT). set (n := norm D) in *.
  destruct (Req_dec n 0) as [Z|Z].
  - (* theta' = theta *)
    assert (ZE : forall i, nth i (flat th) 0 = nth i (flat th') 0).
    { intros i. pose proof (entry_le_norm D i) as B. fold n in B. rewrite Z in B. unfold D, moved in B. rewrite nth_axpy in B.
      apply Rabs_le_inv in B. lra. }
    assert (LIM : forall X c1, (forall e, 0 < e <= 1 -> Rabs X <= c1 * e) -> 0 <= c1 -> Rabs X <= 0).
    { intros X c1 HX HC. destruct (Rle_lt_dec (Rabs X) 0) as [|L]; auto. exfalso.
      assert (EP : 0 < Rmin 1 (Rabs X / (c1 + 1) / 2)).
      { apply Rmin_pos; [lra|]. assert (0 < Rabs X / (c1 + 1)) by (apply Rdiv_lt_0_compat; lra). lra. }
      specialize (HX _ (conj EP (Rmin_l _ _))). pose proof (Rmin_r 1 (Rabs X / (c1 + 1) / 2)) as R2.
      assert (c1 * Rmin 1 (Rabs X / (c1 + 1) / 2) <= c1 * (Rabs X / (c1 + 1) / 2)) by (apply Rmult_le_compat_l; auto).
      assert (Rabs X / (c1 + 1) * (c1 + 1) = Rabs X) by (field; lra). set (y := Rabs X / (c1 + 1)) in *. lra. }
    assert (NE : forall e, 0 < e -> near_entries e (flat th) (flat th')) by (intros e HE k; rewrite ZE, Rminus_eq_0, Rabs_R0; auto).
    rewrite Z, !Rmult_0_r. split; [|split]; apply (LIM _ C); auto; intros e HE;
      destruct (K2 e (flat th') HE (NE e (proj1 HE))) as (A & B & F); fold D in A, B, F.
    + eapply Rle_trans; [exact A|]. apply Rmult_le_compat_l; auto. assert (0 <= e * e <= e) by nra. nra.
    + exact B.
    + eapply Rle_trans; [exact F|]. apply Rmult_le_compat_l; auto. nra.
  - assert (NP : 0 < 2 * n <= 1) by lra.
    assert (NE : near_entries (2 * n) (flat th) (flat th')).
    { intros k. pose proof (entry_le_norm D k) as B. fold n in B. unfold D, moved in B. rewrite nth_axpy in B.
      replace (nth k (flat th) 0 - nth k (flat th') 0) with (- (-1 * nth k (flat th) 0 + nth k (flat th') 0)) by ring.
      rewrite Rabs_Ropp. lra. }
    destruct (K2 (2 * n) (flat th') NP NE) as (A & B & F). fold D in A, B, F.
    assert (0 <= C * n) by (apply Rmult_le_pos; auto). assert (0 <= C * (n * n)) by (apply Rmult_le_pos; auto; nra).
    split; [|split].
    + eapply Rle_trans; [exact A|]. right. ring.
    + eapply Rle_trans; [exact B|]. lra.
    + eapply Rle_trans; [exact F|]. lra.
Qed.
