(* Semidefinite.v -- positive semidefiniteness of symmetric integer matrices, by elimination with rounding and,
   faster and coarser, by an approximate factor.

   For M = [[a, r'], [r, C]] with a > 0,  t'Mt = a (t_0 + r.t/a)^2 + t'(C - r r'/a)t.  The last matrix
   is rounded to integers, and its size is taken from the diagonal, which is more than the rounding can
   add.  A matrix is given by the upper triangle of its rows.

   For any upper triangular U,  M = U U' + E;  every entry of U beside the diagonal is a quotient, and that of E its
   remainder, so less than the largest pivot P: M is semidefinite if every diagonal entry of E is at least n P. *)
Require Import Reals ZArith List Bool Lra Lia Psatz.
Require Import MaxMargin.Statement MaxMargin.Vectors MaxMargin.Integers.
Import ListNotations.
Open Scope Z_scope.

(* s_j - r_0 r_j / a, up to less than 1 *)
Fixpoint reduce_row (a r0 : Z) (s r : list Z) : option (list Z) :=
  match s, r with
  | [], [] => Some []
  | x :: s', y :: r' =>
      match reduce_row a r0 s' r' with Some t => Some (x - r0 * y / a :: t) | None => None end
  | _, _ => None
  end.
Fixpoint eliminate (n a : Z) (r : list Z) (C : list (list Z)) : option (list (list Z)) :=
  match r, C with
  | [], [] => Some []
  | r0 :: r', (s :: row) :: C' =>
      match reduce_row a r0 row r', eliminate n a r' C' with
      | Some row', Some C'' => Some ((s - r0 * r0 / a - n - 1 :: row') :: C'')
      | _, _ => None
      end
  | _, _ => None
  end.
Fixpoint semidefinite (fuel : nat) (M : list (list Z)) : bool :=
  match M, fuel with
  | [], _ => true
  | (a :: r) :: C, S fuel' =>
      (0 <? a) && match eliminate (Z.of_nat (length r)) a r C with
                  | Some C' => semidefinite fuel' C'
                  | None => false
                  end
  | _, _ => false
  end.

(* U by rows: the pivot and what is beside it *)
Fixpoint factor_row (r : list Z) (U : list (Z * list Z)) : option (list Z) :=
  match r, U with
  | [], [] => Some []
  | e :: r', (p, l) :: U' =>
      match factor_row r' U' with Some own => Some ((e - zdot own l) / p :: own) | None => None end
  | _, _ => None
  end.
Section Factor.
  (* about the square root: what is proved holds whatever it is *)
  Variable root : Z -> Z.
  Fixpoint factor (n P : Z) (M : list (list Z)) : option (list (Z * list Z)) :=
    match M with
    | [] => Some []
    | [] :: _ => None
    | (a :: r) :: C =>
        match factor n P C with
        | Some U =>
            match factor_row r U with
            | Some own =>
                let rest := a - zdot own own - n * P in
                let p := if 0 <? rest then root rest else 0 in
                if (0 <? p) && (p <=? P) && (p * p <=? rest) then Some ((p, own) :: U) else None
            | None => None
            end
        | None => None
        end
    end.
  Definition has_factor (M : list (list Z)) : bool :=
    let largest := fold_right (fun r m => Z.max (hd 0 r) m) 1 M in
    match factor (Z.of_nat (length M)) (1 + root largest) M with Some _ => true | None => false end.
End Factor.

(* ---- soundness ------------------------------------------------------------------------------ *)
Open Scope R_scope.
Fixpoint form (M : list (list Z)) (t : vec) : R :=
  match M, t with
  | (a :: r) :: C, x :: t' => IZR a * (x * x) + 2 * (x * dot (zR r) t') + form C t'
  | _, _ => 0
  end.

Lemma Zdiv_bounds b a : (0 < a)%Z -> IZR b / IZR a - 1 <= IZR (b / a) <= IZR b / IZR a.
Proof.
  intros HA. pose proof (Z_div_mod_eq_full b a) as E. pose proof (Z.mod_pos_bound b a HA) as B.
  pose proof (IZR_lt _ _ HA) as A. apply (f_equal IZR) in E. rewrite plus_IZR, mult_IZR in E.
  destruct B as [B1 B2]. apply IZR_le in B1. apply IZR_lt in B2.
  split; apply Rmult_le_reg_l with (IZR a); auto; replace (IZR a * (IZR b / IZR a)) with (IZR b) by (field; lra);
    try lra. replace (IZR a * (IZR b / IZR a - 1)) with (IZR b - IZR a) by (field; lra). lra.
Qed.
(* what a reduced row loses: at most x^2 + t_j^2 per entry *)
Lemma reduce_row_ok a r0 x : (0 < a)%Z -> forall s r t s', length s = length t -> reduce_row a r0 s r = Some s' ->
  length s = length r /\ length s' = length t /\
  2 * (x * dot (zR s') t) + 2 * (IZR r0 * x * dot (zR r) t / IZR a) <=
  2 * (x * dot (zR s) t) + INR (length t) * (x * x) + dot t t.
Proof.
  intros HA. pose proof (IZR_lt _ _ HA) as A.
  induction s as [|z s IH]; intros [|y r] [|w t] s' L K; cbn [reduce_row] in K; try discriminate.
  - inversion K; subst. simpl. split; [auto|split; auto]. right. field. lra.
  - destruct (reduce_row a r0 s r) as [s2|] eqn:E; [|discriminate]. inversion K; subst.
    simpl in L. injection L as L. destruct (IH r t s2 L E) as (I1 & I2 & I3). cbn [length].
    split; [auto|split; [auto|]]. rewrite S_INR. cbn [zR map dot]. fold (zR s2) (zR s) (zR r).
    rewrite minus_IZR. pose proof (Zdiv_bounds (r0 * y) a HA) as [B1 B2]. rewrite mult_IZR in B1, B2.
    set (d := IZR (r0 * y / a)) in *. set (e := IZR r0 * IZR y / IZR a) in *.
    assert (Q : 2 * (x * ((IZR z - d) * w)) + 2 * (x * (e * w)) <= 2 * (x * (IZR z * w)) + x * x + w * w).
    { assert (2 * ((e - d) * (x * w)) <= x * x + w * w); [|lra].
      pose proof (Rle_0_sqr (x - w)) as S1. pose proof (Rle_0_sqr (x + w)) as S3. unfold Rsqr in S1, S3.
      assert (0 <= e - d <= 1) by lra. destruct (Rle_lt_dec 0 (x * w)); nra. }
    replace (IZR r0 * x * (IZR y * w + dot (zR r) t) / IZR a)
      with (x * (e * w) + IZR r0 * x * dot (zR r) t / IZR a) by (unfold e; field; lra).
    lra.
Qed.
Lemma eliminate_ok n a : (0 < a)%Z -> forall r C t C', length r = length t -> eliminate n a r C = Some C' ->
  form C' t + dot (zR r) t * dot (zR r) t / IZR a + (IZR n - INR (length t)) * dot t t <= form C t.
Proof.
  intros HA. pose proof (IZR_lt _ _ HA) as A.
  induction r as [|r0 r IH]; intros [|[|s row] C] [|x t] C' L K; cbn [eliminate] in K; try discriminate.
  - inversion K; subst. simpl. right. field. lra.
  - destruct (reduce_row a r0 row r) as [row'|] eqn:E; [|discriminate].
    destruct (eliminate n a r C) as [C2|] eqn:F; [|discriminate]. inversion K; subst.
    simpl in L. injection L as L. specialize (IH C t C2 L F).
    assert (LR : length row = length t).
    { rewrite <- L. clear - E. revert row' r E. induction row as [|z row IH]; intros row' [|y r] E; simpl in *; try discriminate; auto.
      destruct (reduce_row a r0 row r) eqn:G; [|discriminate]. f_equal. eapply IH; eauto. }
    destruct (reduce_row_ok a r0 x HA row r t row' LR E) as (_ & _ & B).
    cbn [form zR map dot length]. fold (zR r) (zR row) (zR row'). rewrite S_INR, !minus_IZR.
    pose proof (Zdiv_bounds (r0 * r0) a HA) as [B1 _]. rewrite mult_IZR in B1.
    set (d := IZR (r0 * r0 / a)) in *. set (p := dot (zR r) t) in *.
    replace ((IZR r0 * x + p) * (IZR r0 * x + p) / IZR a)
      with (IZR r0 * IZR r0 / IZR a * (x * x) + 2 * (IZR r0 * x * p / IZR a) + p * p / IZR a) by (field; lra).
    set (e := IZR r0 * IZR r0 / IZR a) in *.
    assert ((e - 1 - d) * (x * x) <= 0) by (assert (0 <= x * x) by nra; nra).
    pose proof (dot_nonneg t). assert (0 <= x * x) by nra. nra.
Qed.
Theorem semidefinite_ok : forall fuel M t, length M = length t -> semidefinite fuel M = true -> 0 <= form M t.
Proof.
  induction fuel as [|fuel IH]; intros [|[|a r] C] t L K; cbn [semidefinite] in K; try discriminate; try (simpl; lra).
  apply andb_prop in K. destruct K as [A K]. apply Z.ltb_lt in A. pose proof (IZR_lt _ _ A) as A'.
  destruct (eliminate _ a r C) as [C'|] eqn:E; [|discriminate].
  destruct t as [|x t]; [discriminate|]. simpl in L. injection L as L.
  assert (X : length r = length C /\ length C' = length C).
  { clear - E. revert C C' E. generalize (Z.of_nat (length r)). intros n.
    induction r as [|r0 r IH]; intros [|[|s row] C] C' E; simpl in E; try discriminate.
    - inversion E; auto.
    - destruct (reduce_row a r0 row r); [|discriminate]. destruct (eliminate n a r C) eqn:F; [|discriminate].
      inversion E; subst. destruct (IH _ _ F). simpl. auto. }
  destruct X as [X1 X2]. assert (LR : length r = length t) by congruence.
  pose proof (eliminate_ok _ a A r C t C' LR E) as B. rewrite <- INR_IZR_INZ, LR in B.
  specialize (IH C' t ltac:(congruence) K). cbn [form].
  set (p := dot (zR r) t) in *.
  assert (0 <= IZR a * ((x + p / IZR a) * (x + p / IZR a))).
  { apply Rmult_le_pos; [lra|]. apply Rle_0_sqr. }
  replace (IZR a * ((x + p / IZR a) * (x + p / IZR a))) with (IZR a * (x * x) + 2 * (x * p) + p * p / IZR a) in H
    by (field; lra).
  lra.
Qed.

(* U' t *)
Fixpoint image (U : list (Z * list Z)) (t : vec) : vec :=
  match U, t with
  | (p, l) :: U', x :: t' => IZR p * x :: axpy x (zR l) (image U' t')
  | _, _ => []
  end.
Definition pivots (P : Z) (U : list (Z * list Z)) : Prop := Forall (fun u => (0 < fst u <= P)%Z) U.
Lemma factor_row_ok P x : forall r U own t, pivots P U -> factor_row r U = Some own -> length t = length U ->
  2 * (x * dot (zR own) (image U t)) <=
  2 * (x * dot (zR r) t) + IZR P * (INR (length t) * (x * x) + dot t t).
Proof.
  induction r as [|e r IH]; intros [|[p l] U] own [|z t] HP K L; cbn [factor_row] in K; try discriminate.
  - inversion K; subst. simpl. lra.
  - destruct (factor_row r U) as [own'|] eqn:E; [|discriminate]. inversion K; subst.
    inversion HP as [|? ? [P1 P2] HP']; subst. cbn [fst] in P1, P2. simpl in L. injection L as L.
    specialize (IH U own' t HP' E L). cbn [zR map image dot length]. fold (zR own') (zR r). rewrite S_INR, dot_axpy_r.
    set (y := dot (zR own') (image U t)) in *. set (q := ((e - zdot own' l) / p)%Z).
    assert (B : 0 <= IZR e - (IZR q * IZR p + dot (zR own') (zR l)) <= IZR P).
    { pose proof (Zdiv_bounds (e - zdot own' l) p P1) as [B1 B2]. fold q in B1, B2. rewrite minus_IZR, zdot_ok in B1, B2.
      apply IZR_lt in P1. apply IZR_le in P2. set (d := dot (zR own') (zR l)) in *.
      assert ((IZR e - d) / IZR p * IZR p = IZR e - d) by (field; lra).
      assert (IZR q * IZR p <= (IZR e - d) / IZR p * IZR p) by (apply Rmult_le_compat_r; lra).
      assert (((IZR e - d) / IZR p - 1) * IZR p <= IZR q * IZR p) by (apply Rmult_le_compat_r; lra). lra. }
    set (E' := IZR e - (IZR q * IZR p + dot (zR own') (zR l))) in *.
    replace (IZR e) with (E' + (IZR q * IZR p + dot (zR own') (zR l))) by (unfold E'; ring). clearbody E'.
    assert (2 * (- E' * (x * z)) <= IZR P * (x * x + z * z)).
    { pose proof (Rle_0_sqr (x - z)) as S1. pose proof (Rle_0_sqr (x + z)) as S2. unfold Rsqr in S1, S2.
      assert (0 <= IZR P) by lra. assert (0 <= x * x + z * z) by nra.
      apply Rle_trans with (E' * (x * x + z * z)); [nra|]. apply Rmult_le_compat_r; lra. }
    lra.
Qed.
Lemma factor_ok root n P : forall M U t, factor root n P M = Some U -> length t = length M ->
  length U = length M /\ pivots P U /\
  dot (image U t) (image U t) + IZR P * ((IZR n + 1 - INR (length t)) * dot t t) <= form M t.
Proof.
  induction M as [|[|a r] C IH]; intros U [|x t] K L; cbn [factor] in K; try discriminate.
  - inversion K; subst. simpl. split; [auto|split; [constructor|]]. lra.
  - destruct (factor root n P C) as [U'|] eqn:E; [|discriminate].
    destruct (factor_row r U') as [own|] eqn:F; [|discriminate]. cbv zeta in K.
    set (p := if (0 <? _)%Z then root _ else 0%Z) in *. destruct (_ && _) eqn:T; [|discriminate]. injection K as K. subst U.
    apply andb_prop in T. destruct T as [T T3]. apply andb_prop in T. destruct T as [T1 T2].
    apply Z.ltb_lt in T1. apply Z.leb_le in T2, T3. simpl in L. injection L as L.
    destruct (IH U' t eq_refl L) as (I1 & I2 & I3). split; [simpl; auto|split; [constructor; auto; simpl; lia|]].
    pose proof (factor_row_ok P x r U' own t I2 F ltac:(congruence)) as B.
    clearbody p. apply IZR_le in T3. rewrite !minus_IZR, !mult_IZR, zdot_ok in T3.
    cbn [image form dot length]. rewrite S_INR, dot_axpy_l, !dot_axpy_r, (dot_comm (image U' t) (zR own)).
    set (y := dot (zR own) (image U' t)) in *. set (o := dot (zR own) (zR own)) in *.
    assert ((IZR p * IZR p) * (x * x) <= (IZR a - o - IZR n * IZR P) * (x * x)) by (apply Rmult_le_compat_r; [nra|auto]).
    lra.
Qed.
Theorem has_factor_ok root M t : length t = length M -> has_factor root M = true -> 0 <= form M t.
Proof.
  unfold has_factor. intros L K. cbv zeta in K. set (P := (1 + _)%Z) in K.
  destruct (factor root _ P M) as [U|] eqn:E; [|discriminate].
  destruct (factor_ok _ _ _ _ _ t E L) as (LU & HP & B). rewrite <- INR_IZR_INZ, L in B.
  pose proof (dot_nonneg (image U t)). pose proof (dot_nonneg t).
  destruct HP as [|u U [P1 P2] _]; [destruct M; [simpl; lra|discriminate]|].
  assert (0 <= IZR P) by (apply IZR_le; lia).
  assert (0 <= IZR P * ((INR (length M) + 1 - INR (length M)) * dot t t)); [|lra].
  apply Rmult_le_pos; auto. lra.
Qed.

(* the matrix  diag(ds) - Gram(vs); a vector is given as a factor and its short entries *)
Definition scaled := (Z * list Z)%type.
Fixpoint minus_gram (ds : list Z) (vs : list scaled) : list (list Z) :=
  match ds, vs with
  | d :: ds', (s, v) :: vs' =>
      ((d - s * s * zdot v v)%Z :: map (fun w => (- (s * fst w * zdot v (snd w)))%Z) vs') :: minus_gram ds' vs'
  | _, _ => []
  end.
Definition scaledR (w : scaled) : vec := scal (IZR (fst w)) (zR (snd w)).
Fixpoint combine_vectors (t : vec) (vs : list scaled) : vec :=
  match t, vs with x :: t', v :: vs' => axpy x (scaledR v) (combine_vectors t' vs') | _, _ => [] end.
Fixpoint weighted_squares (ds : list Z) (t : vec) : R :=
  match ds, t with d :: ds', x :: t' => IZR d * (x * x) + weighted_squares ds' t' | _, _ => 0 end.
Lemma dot_combine w : forall t vs, dot w (combine_vectors t vs) = dot (map (fun v => dot w (scaledR v)) vs) t.
Proof.
  induction t as [|x t IH]; intros [|v vs].
  - apply dot_nil_r.
  - cbn [combine_vectors]. rewrite !dot_nil_r. auto.
  - apply dot_nil_r.
  - cbn [combine_vectors map]. rewrite dot_axpy_r, IH. simpl. ring.
Qed.
Lemma minus_gram_form : forall ds vs t, length ds = length vs -> length vs = length t ->
  form (minus_gram ds vs) t = weighted_squares ds t - dot (combine_vectors t vs) (combine_vectors t vs).
Proof.
  induction ds as [|d ds IH]; intros [|[f v] vs] [|x t] L1 L2; try discriminate; [simpl; ring|].
  simpl in L1, L2. injection L1 as L1. injection L2 as L2.
  cbn [minus_gram form combine_vectors weighted_squares]. rewrite IH by auto.
  rewrite minus_IZR, !mult_IZR, zdot_ok, dot_axpy_l, !dot_axpy_r, (dot_comm (combine_vectors t vs) (scaledR (f, v))), !dot_combine.
  assert (E : dot (zR (map (fun w => (- (f * fst w * zdot v (snd w)))%Z) vs)) t
              = - dot (map (fun w => dot (scaledR (f, v)) (scaledR w)) vs) t).
  { clear. revert t. induction vs as [|w vs IH]; intros [|x t]; simpl; try ring.
    rewrite opp_IZR, !mult_IZR, zdot_ok, IH. unfold scaledR. cbn [fst snd]. rewrite dot_scal_l, dot_scal_r. ring. }
  rewrite E, <- dot_combine.
  assert (D : dot (scaledR (f, v)) (scaledR (f, v)) = IZR f * IZR f * dot (zR v) (zR v)).
  { unfold scaledR. cbn [fst snd]. rewrite dot_scal_l, dot_scal_r. ring. }
  rewrite D. ring.
Qed.
