(* Relaxation.v -- what a list of coefficients says of  Sum_i psi_i(w . x_i)  at one node of a tree (rule 3.7),
   in integers.  psi_i is linear on either side of 0: slope [iup] for z > 0 and [idn] for z <= 0; the node has
   one range [l, h] per item that encloses w . x_i.  To keep numbers short, all x_i have a common factor F,
   [ix] being x_i/F, and all a_i of a node a common factor t.

   Lines: for any a_i, with  k_i = max { psi_i(z) - a_i z : l <= z <= h },  K = Sum k_i,  vec = Sum a_i x_i,
   Sum_i psi_i(w . x_i) <= vec . w + K.  Parabolas: the same with  psi_i(z) - a_i z - b_i/D z^2, and then
   vec . w + Sum b_i/D (w . x_i)^2 <= T - K  on the unit sphere by a semidefinite matrix. *)
Require Import Reals ZArith List Bool Lra Lia Psatz.
Require Import MaxMargin.Statement MaxMargin.Vectors MaxMargin.Integers MaxMargin.Semidefinite MaxMargin.Products.
Import ListNotations.
Open Scope Z_scope.

Record item := mkItem { ix : list Z; iup : Z; idn : Z }.
Definition range := (Z * Z)%type.
Definition psi (it : item) (z : Z) : Z := if 0 <? z then iup it * z else idn it * z.
Definition end_excess (it : item) (a z : Z) : Z := psi it z - a * z.
Definition line_max (c l h : Z) : Z := if 0 <=? c then c * Z.max l h else c * Z.min l h.
(* the largest of psi_i(z) - a z  at the ends, and at 0 if that is between; few products, since they are long *)
Definition excess (it : item) (a : Z) (r : range) : Z :=
  let '(l, h) := r in
  if (l <=? 0) && (h <=? 0) then line_max (idn it - a) l h
  else if (0 <=? l) && (0 <=? h) then line_max (iup it - a) l h
  else if l <? 0 then
    let c := iup it - a in let d := idn it - a in
    Z.max (if 0 <=? c then c * h else 0) (if 0 <=? d then 0 else d * l)
  else Z.max (end_excess it a l) (end_excess it a h).

(* K; None unless there is one coefficient per item *)
Fixpoint excesses (t : Z) (its : list item) (rs : list range) (a : list Z) : option Z :=
  match its, rs, a with
  | [], [], [] => Some 0
  | it :: its', r :: rs', c :: a' =>
      match excesses t its' rs' a' with Some k => Some (excess it (t * c) r + k) | None => None end
  | _, _, _ => None
  end.

(* n/d rounded up *)
Definition over (n d : Z) : Z := - (- n / d).
(* at least  c z - b/D z^2  on lo <= z <= hi *)
Definition side_max (c b D lo hi : Z) : Z :=
  let cD := c * D in
  let bl := b * lo in
  let bh := b * hi in
  if (0 <? b) && (2 * bl <? cD) && (cD <? 2 * bh) then over (c * cD) (4 * b)
  else over (Z.max ((cD - bl) * lo) ((cD - bh) * hi)) D.
Definition excess_parabola (it : item) (a b D : Z) (r : range) : Z :=
  let '(l, h) := r in
  if h <=? 0 then side_max (idn it - a) b D l h
  else if 0 <? l then side_max (iup it - a) b D l h
  else Z.max (side_max (iup it - a) b D 0 h) (side_max (idn it - a) b D l 0).
Fixpoint excesses_parabolas (t D : Z) (its : list item) (rs : list range) (a b : list Z) : option Z :=
  match its, rs, a, b with
  | [], [], [], [] => Some 0
  | it :: its', r :: rs', c :: a', d :: b' =>
      match excesses_parabolas t D its' rs' a' b' with
      | Some k =>
          if d =? 0 then Some (excess it (t * c) r + k)
          else if 0 <? d then Some (excess_parabola it (t * c) d D r + k) else None
      | None => None
      end
  | _, _, _, _ => None
  end.
(* in few bits, and in all of them if these are not enough *)
Definition close_quadratic (tb : table) (F T D kappa t : Z) (its : list item) (rs : list range) (a b : list Z) : bool :=
  match excesses_parabolas t D its rs a b with
  | Some k =>
      let s := T - k - kappa in
      let xs := vectors tb in
      let '(vv, w) := combination (full tb) (cuts tb) xs a in
      (0 <? D) && (0 <? kappa)
      && (((0 <? F * F) && rounded_semidefinite tb F D kappa s (t * F) vv (products w b xs) b)
          || let J := picks b xs in
             semidefinite (S (length J))
               (minus_gram (4 * D * D * kappa * s :: map (fun j => 4 * D * kappa * fst j) J)
                           ((D * (t * F), combine a xs) :: map (fun j => (2 * F * fst j, snd j)) J)))
  | None => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Open Scope R_scope.
Definition psiR (it : item) (z : R) : R := if Rlt_dec 0 z then IZR (iup it) * z else IZR (idn it) * z.
(* w . x_i *)
Definition at_item (F : Z) (it : item) (u : vec) : R := IZR F * dot u (zR (ix it)).
Fixpoint total (F : Z) (its : list item) (u : vec) : R :=
  match its with [] => 0 | it :: its' => psiR it (at_item F it u) + total F its' u end.
Fixpoint in_ranges (F : Z) (u : vec) (its : list item) (rs : list range) : Prop :=
  match its, rs with
  | it :: its', (l, h) :: rs' => IZR l <= at_item F it u <= IZR h /\ in_ranges F u its' rs'
  | _, _ => True
  end.

Lemma line_max_ok c l h z : IZR l <= z <= IZR h -> IZR c * z <= IZR (line_max c l h).
Proof.
  intros [L H]. unfold line_max.
  assert (IZR h <= IZR (Z.max l h)) by (apply IZR_le; lia). assert (IZR (Z.min l h) <= IZR l) by (apply IZR_le; lia).
  destruct (Z.leb_spec 0 c) as [C|C]; [apply IZR_le in C|apply IZR_lt in C]; rewrite mult_IZR; nra.
Qed.
Lemma excess_ok it a l h z : IZR l <= z <= IZR h -> psiR it z <= IZR a * z + IZR (excess it a (l, h)).
Proof.
  intros HZ. unfold excess. cbv zeta.
  assert (UP : IZR (iup it - a) * z = IZR (iup it) * z - IZR a * z) by (rewrite minus_IZR; ring).
  assert (DN : IZR (idn it - a) * z = IZR (idn it) * z - IZR a * z) by (rewrite minus_IZR; ring).
  destruct ((l <=? 0) && (h <=? 0))%Z eqn:E1.
  { apply andb_prop in E1. destruct E1 as [_ E1]. apply Z.leb_le, IZR_le in E1.
    pose proof (line_max_ok (idn it - a) l h z HZ). unfold psiR. destruct (Rlt_dec 0 z); lra. }
  destruct ((0 <=? l) && (0 <=? h))%Z eqn:E2.
  { apply andb_prop in E2. destruct E2 as [E2 _]. apply Z.leb_le, IZR_le in E2.
    pose proof (line_max_ok (iup it - a) l h z HZ). unfold psiR. destruct (Rlt_dec 0 z); [lra|].
    assert (z = 0) by lra. subst z. lra. }
  destruct (Z.ltb_spec l 0) as [L|L].
  - set (x := if (0 <=? iup it - a)%Z then _ else _). set (y := if (0 <=? idn it - a)%Z then _ else _).
    assert (X : IZR x <= IZR (Z.max x y)) by (apply IZR_le; lia).
    assert (Y : IZR y <= IZR (Z.max x y)) by (apply IZR_le; lia).
    apply IZR_lt in L. unfold psiR. destruct (Rlt_dec 0 z) as [P|P].
    + assert (IZR (iup it - a) * z <= IZR x); [|lra]. unfold x.
      destruct (Z.leb_spec 0 (iup it - a)) as [C|C]; [apply IZR_le in C|apply IZR_lt in C]; rewrite ?mult_IZR; nra.
    + assert (IZR (idn it - a) * z <= IZR y); [|lra]. unfold y.
      destruct (Z.leb_spec 0 (idn it - a)) as [C|C]; [apply IZR_le in C|apply IZR_lt in C]; rewrite ?mult_IZR; nra.
  - exfalso. apply IZR_le in L. assert (L' : (0 <= l)%Z) by (apply le_IZR; auto).
    assert (H' : (0 <= h)%Z) by (apply le_IZR; lra). apply Z.leb_le in L', H'. rewrite L', H' in E2. discriminate.
Qed.

#[local] Opaque excess.
Definition vectors_of (its : list item) : list (list Z) := map ix its.
Lemma dot_combine_cons u c x a xs :
  dot u (zR (combine (c :: a) (x :: xs))) = IZR c * dot u (zR x) + dot u (zR (combine a xs)).
Proof. cbn [combine]. destruct (Z.eqb_spec c 0); [subst; ring|]. rewrite zaxpy_ok, dot_axpy_r. ring. Qed.
Lemma excesses_ok F t u its : forall rs a k, in_ranges F u its rs -> excesses t its rs a = Some k ->
  total F its u <= IZR (t * F) * dot u (zR (combine a (vectors_of its))) + IZR k.
Proof.
  induction its as [|it its IH]; intros [|[l h] rs] [|c a] k HR HX; cbn [excesses] in HX; try discriminate.
  - inversion HX; subst. simpl. rewrite dot_nil_r. lra.
  - destruct (excesses t its rs a) as [k'|] eqn:E; [|discriminate].
    destruct HR as [HR HR']. specialize (IH _ _ _ HR' E). pose proof (excess_ok it (t * c) l h _ HR) as X.
    inversion HX; subst. cbn [total vectors_of map]. fold (vectors_of its). rewrite dot_combine_cons, plus_IZR.
    unfold at_item in *. rewrite mult_IZR in X. rewrite mult_IZR in *. lra.
Qed.

Lemma over_ok n d : (0 < d)%Z -> IZR n / IZR d <= IZR (over n d).
Proof.
  intros HD. unfold over. rewrite opp_IZR. pose proof (Zdiv_bounds (- n) d HD) as [_ B]. rewrite opp_IZR in B.
  replace (- IZR n / IZR d) with (- (IZR n / IZR d)) in B by (field; apply not_0_IZR; lia). lra.
Qed.
Lemma side_max_ok c b D lo hi z : (0 < D)%Z -> (0 < b)%Z -> IZR lo <= z <= IZR hi ->
  IZR c * z - IZR b / IZR D * (z * z) <= IZR (side_max c b D lo hi).
Proof.
  intros HD HB HZ. pose proof (IZR_lt _ _ HD) as D'. pose proof (IZR_lt _ _ HB) as B'. unfold side_max.
  set (be := IZR b / IZR D). assert (BE : IZR b = be * IZR D) by (unfold be; field; lra).
  assert (P : 0 < be) by (apply Rdiv_lt_0_compat; auto).
  cbv zeta. set (ml := ((c * D - b * lo) * lo)%Z). set (mh := ((c * D - b * hi) * hi)%Z).
  assert (V : forall e M, ((c * D - b * e) * e <= M)%Z -> IZR c * IZR e - be * (IZR e * IZR e) <= IZR (over M D)).
  { intros e M HM. eapply Rle_trans; [|apply over_ok; auto]. apply IZR_le in HM.
    apply Rmult_le_reg_r with (IZR D); auto. replace (IZR M / IZR D * IZR D) with (IZR M) by (field; lra).
    rewrite mult_IZR, minus_IZR, !mult_IZR, BE in HM. lra. }
  rewrite (proj2 (Z.ltb_lt 0 b)) by auto. cbn [andb].
  destruct ((2 * (b * lo) <? c * D)%Z && (c * D <? 2 * (b * hi))%Z) eqn:E.
  - eapply Rle_trans; [|apply over_ok; lia]. rewrite !mult_IZR, BE.
    replace (IZR c * (IZR c * IZR D) / (4 * (be * IZR D))) with (IZR c * IZR c / (4 * be)) by (field; lra).
    apply Rmult_le_reg_l with (4 * be); [lra|].
    replace (4 * be * (IZR c * IZR c / (4 * be))) with (IZR c * IZR c) by (field; lra).
    pose proof (Rle_0_sqr (IZR c - 2 * be * z)) as Q. unfold Rsqr in Q. lra.
  - apply andb_false_iff in E. pose proof (V lo (Z.max ml mh) (Z.le_max_l _ _)) as VL.
    pose proof (V hi (Z.max ml mh) (Z.le_max_r _ _)) as VH.
    destruct E as [E|E]; apply Z.ltb_ge, IZR_le in E; rewrite !mult_IZR, BE in E.
    + assert (IZR c <= 2 * be * IZR lo) by (apply Rmult_le_reg_r with (IZR D); lra).
      assert (0 <= (z - IZR lo) * (be * (z + IZR lo) - IZR c)) by (apply Rmult_le_pos; nra). lra.
    + assert (2 * be * IZR hi <= IZR c) by (apply Rmult_le_reg_r with (IZR D); lra).
      assert (0 <= (IZR hi - z) * (IZR c - be * (z + IZR hi))) by (apply Rmult_le_pos; nra). lra.
Qed.
Lemma excess_parabola_ok it a b D l h z : (0 < D)%Z -> (0 < b)%Z -> IZR l <= z <= IZR h ->
  psiR it z <= IZR a * z + IZR b / IZR D * (z * z) + IZR (excess_parabola it a b D (l, h)).
Proof.
  intros HD HB HZ. unfold excess_parabola, psiR.
  assert (UP : forall lo hi, IZR lo <= z <= IZR hi ->
    IZR (iup it) * z <= IZR a * z + IZR b / IZR D * (z * z) + IZR (side_max (iup it - a) b D lo hi)).
  { intros. pose proof (side_max_ok (iup it - a) b D lo hi z HD HB H) as Q. rewrite minus_IZR in Q. lra. }
  assert (DN : forall lo hi, IZR lo <= z <= IZR hi ->
    IZR (idn it) * z <= IZR a * z + IZR b / IZR D * (z * z) + IZR (side_max (idn it - a) b D lo hi)).
  { intros. pose proof (side_max_ok (idn it - a) b D lo hi z HD HB H) as Q. rewrite minus_IZR in Q. lra. }
  destruct (Z.leb_spec h 0) as [H|H]; [apply IZR_le in H|apply IZR_lt in H].
  - destruct (Rlt_dec 0 z); [lra|]. apply DN; auto.
  - destruct (Z.ltb_spec 0 l) as [L|L]; [apply IZR_lt in L|apply IZR_le in L].
    + destruct (Rlt_dec 0 z); [|lra]. apply UP; auto.
    + set (mu := side_max (iup it - a) b D 0 h) in *. set (md := side_max (idn it - a) b D l 0) in *.
      assert (MU : IZR mu <= IZR (Z.max mu md)) by (apply IZR_le; lia).
      assert (MD : IZR md <= IZR (Z.max mu md)) by (apply IZR_le; lia).
      destruct (Rlt_dec 0 z).
      * specialize (UP 0%Z h ltac:(lra)). fold mu in UP. lra.
      * specialize (DN l 0%Z ltac:(lra)). fold md in DN. lra.
Qed.
#[local] Opaque excess_parabola.
(* Sum b_i (u . x_i)^2 *)
Fixpoint squares_of (F : Z) (u : vec) (J : list (Z * list Z)) : R :=
  match J with
  | [] => 0
  | (b, x) :: J' => IZR b * ((IZR F * dot u (zR x)) * (IZR F * dot u (zR x))) + squares_of F u J'
  end.
Lemma excesses_parabolas_ok F t D u : (0 < D)%Z -> forall its rs a b k, in_ranges F u its rs ->
  excesses_parabolas t D its rs a b = Some k ->
  Forall (fun j => (0 < fst j)%Z) (picks b (vectors_of its)) /\
  total F its u <= IZR (t * F) * dot u (zR (combine a (vectors_of its))) + IZR k
                   + squares_of F u (picks b (vectors_of its)) / IZR D.
Proof.
  intros HD. pose proof (IZR_lt _ _ HD) as D'.
  induction its as [|it its IH]; intros [|[l h] rs] [|c a] [|d b] k HR HX; cbn [excesses_parabolas] in HX; try discriminate.
  - inversion HX; subst. simpl. rewrite dot_nil_r. split; auto. right. field. lra.
  - destruct (excesses_parabolas t D its rs a b) as [k'|] eqn:E; [|discriminate].
    destruct HR as [HR HR']. destruct (IH _ _ _ _ HR' E) as [IH1 IH2]. clear IH.
    cbn [vectors_of map picks]. fold (vectors_of its). rewrite dot_combine_cons.
    cbn [total]. rewrite mult_IZR in IH2. rewrite mult_IZR. destruct (Z.eqb_spec d 0).
    + pose proof (excess_ok it (t * c) l h _ HR) as X. inversion HX; subst. split; auto. rewrite plus_IZR.
      rewrite mult_IZR in X. unfold at_item in *. lra.
    + destruct (Z.ltb_spec 0 d) as [P|]; [|discriminate]. split; [constructor; auto|].
      pose proof (excess_parabola_ok it (t * c) d D l h _ HD P HR) as X. inversion HX; subst.
      rewrite plus_IZR. cbn [squares_of]. rewrite mult_IZR in X. unfold at_item in *.
      set (y := dot u (zR (ix it))) in *. set (q := squares_of F u (picks b (vectors_of its))) in *.
      replace ((IZR d * (IZR F * y * (IZR F * y)) + q) / IZR D)
        with (IZR d / IZR D * (IZR F * y * (IZR F * y)) + q / IZR D) by (field; lra). lra.
Qed.
Theorem close_quadratic_ok tb F T D kappa t its rs a b u : holds_table (vectors_of its) tb ->
  close_quadratic tb F T D kappa t its rs a b = true ->
  dot u u = 1 -> in_ranges F u its rs -> total F its u <= IZR T.
Proof.
  unfold close_quadratic. intros HT K HU HR. destruct (excesses_parabolas t D its rs a b) as [k|] eqn:E; [|discriminate].
  pose proof HT as (EV & HG & _). rewrite EV in K.
  destruct (combination (full tb) (cuts tb) (vectors_of its) a) as [vv w] eqn:EC.
  destruct (combination_ok _ _ _ _ _ _ HG EC) as (CV & _ & CP). cbv zeta in K.
  set (v := combine a (vectors_of its)) in *. rewrite CP in K. subst vv.
  apply andb_prop in K. destruct K as [K HS]. apply andb_prop in K. destruct K as [HD HK].
  apply Z.ltb_lt in HD, HK. destruct (excesses_parabolas_ok F t D u HD _ _ _ _ _ HR E) as [HJ B].
  fold v in B. set (J := picks b (vectors_of its)) in *. set (Y := map (fun j => IZR F * dot u (zR (snd j))) J).
  assert (FORM : 0 <= form (minus_gram (4 * D * D * kappa * (T - k - kappa) :: map (fun j => 4 * D * kappa * fst j) J)%Z
                        ((D * (t * F), v) :: map (fun j => (2 * F * fst j, snd j)) J)%Z) (1 :: Y)).
  { apply orb_prop in HS. destruct HS as [HS|HS].
    - apply andb_prop in HS. destruct HS as [HF HS]. apply Z.ltb_lt in HF.
      apply (rounded_semidefinite_ok _ _ _ _ _ _ _ _ _ Y HT HD HK HF HJ HS).
      unfold Y, J. rewrite map_length. auto.
    - apply (semidefinite_ok _ _ (1 :: Y)) in HS; auto. clear; unfold Y; cbn [length minus_gram].
      f_equal; rewrite map_length; induction J; simpl; auto. }
  clear HS. rename FORM into HS. apply IZR_lt in HD, HK.
  rewrite minus_gram_form in HS by (unfold Y; simpl; rewrite !map_length; auto).
  cbn [weighted_squares combine_vectors] in HS.
  set (c0 := combine_vectors Y (map (fun j : Z * list Z => ((2 * F * fst j)%Z, snd j)) J)) in *.
  set (C := axpy 1 (scaledR ((D * (t * F))%Z, v)) c0) in *.
  assert (W : weighted_squares (map (fun j => (4 * D * kappa * fst j)%Z) J) Y = 4 * IZR D * IZR kappa * squares_of F u J).
  { unfold Y. clear. induction J as [|[d x] J IH]; cbn [map weighted_squares squares_of fst snd]; [ring|].
    rewrite IH, !mult_IZR. ring. }
  assert (UC : dot u C = IZR D * (IZR (t * F) * dot u (zR v)) + 2 * squares_of F u J).
  { unfold C, c0, Y. rewrite dot_axpy_r. unfold scaledR at 1. cbn [fst snd]. rewrite dot_scal_r, mult_IZR.
    assert (X : dot u (combine_vectors (map (fun j => IZR F * dot u (zR (snd j))) J)
                   (map (fun j : Z * list Z => ((2 * F * fst j)%Z, snd j)) J)) = 2 * squares_of F u J); [|rewrite X; ring].
    clear. induction J as [|[d x] J IH]; cbn [map combine_vectors squares_of fst snd]; [rewrite dot_nil_r; ring|].
    rewrite dot_axpy_r, IH. unfold scaledR. cbn [fst snd]. rewrite dot_scal_r, !mult_IZR. ring. }
  rewrite W in HS. rewrite !mult_IZR, !minus_IZR in HS.
  pose proof (dot_nonneg (axpy (- (2 * IZR D * IZR kappa)) u C)) as Q.
  rewrite dot_axpy_l, !dot_axpy_r, (dot_comm C u), UC, HU in Q.
  set (s := IZR T - IZR k - IZR kappa) in *. set (uv := IZR (t * F) * dot u (zR v)) in *. set (q := squares_of F u J) in *.
  set (CC := dot C C) in *.
  assert (SE : s = IZR T - IZR k - IZR kappa) by reflexivity. clearbody CC uv q s.
  assert (R : 0 <= 4 * IZR D * IZR kappa * (IZR D * (IZR kappa + s - uv) - q)) by lra.
  assert (P : 0 < 4 * IZR D * IZR kappa) by (apply Rmult_lt_0_compat; lra).
  assert (G0 : 0 <= IZR D * (IZR kappa + s - uv) - q).
  { apply Rmult_le_reg_l with (4 * IZR D * IZR kappa); auto. lra. }
  assert (G : q / IZR D <= IZR kappa + s - uv).
  { apply Rmult_le_reg_l with (IZR D); auto. replace (IZR D * (q / IZR D)) with q by (field; lra). lra. }
  lra.
Qed.
