(* Products.v -- inner products of a tree's items, computed once for all of its nodes, and the semidefinite matrix
   of a quadratic leaf (Relaxation.v) in machine integers.

   A node needs  v = Sum a_i x_i  only through v . v and v . x_i: these come from the Gram matrix if there are few
   items, and from v itself if there are many.  The leaf's matrix, its rows divided by D t F and 2 F b_i, is
   diag(c) - Gram(v, x_J)  with  c_0 = 4 kappa s/(t F)^2,  c_i = D kappa/(F^2 b_i).  Multiplied by p/q, and its first
   row and column by 1/h, it is rounded to integers of some 52 bits; the diagonal pays for that. *)
Require Import Reals ZArith List Bool Lra Lia Psatz.
Require Import MaxMargin.Statement MaxMargin.Vectors MaxMargin.Integers MaxMargin.Semidefinite.
Import ListNotations.
Open Scope Z_scope.

(* a value that the program computes when it is needed, once *)
CoInductive later (A : Type) := Later (a : A).
Arguments Later {A}.

Fixpoint combine (a : list Z) (xs : list (list Z)) : list Z :=
  match a, xs with
  | c :: a', x :: xs' => if c =? 0 then combine a' xs' else zaxpy c x (combine a' xs')
  | _, _ => []
  end.
Definition gram (xs : list (list Z)) : list (list Z) := map (fun x => map (zdot x) xs) xs.

(* What is known of v: all v . x_i, or v in digits of 20 bits, so that products with long entries of x stay short. *)
Inductive vector := Listed (p : list Z) | Digits (ds : list (list Z)).
Definition base : Z := 1048576.
Fixpoint digits (k : nat) (v : list Z) : list (list Z) :=
  match k with
  | O => [v]
  | S k' => map (fun c => c mod base) v :: digits k' (map (fun c => c / base) v)
  end.
Fixpoint digits_dot (x : list Z) (ds : list (list Z)) : Z :=
  match ds with [] => 0 | [d] => zdot x d | d :: ds' => zdot x d + base * digits_dot x ds' end.
Definition combination (G : option (list (list Z))) (k : nat) (xs : list (list Z)) (a : list Z) : Z * vector :=
  match G with
  | Some rows => let p := map (fun r => zdot r a) rows in (zdot a p, Listed p)
  | None => let v := combine a xs in (zdot v v, Digits (digits k v))
  end.
Definition product (w : vector) (i : nat) (x : list Z) : Z :=
  match w with Listed p => nth i p 0 | Digits ds => digits_dot x ds end.
(* the items with a parabola: b_i <> 0 *)
Fixpoint picks (b : list Z) (xs : list (list Z)) : list (Z * list Z) :=
  match b, xs with
  | d :: b', x :: xs' => if d =? 0 then picks b' xs' else (d, x) :: picks b' xs'
  | _, _ => []
  end.
Fixpoint chosen (b z : list Z) : list Z :=
  match b, z with
  | d :: b', c :: z' => if d =? 0 then chosen b' z' else c :: chosen b' z'
  | _, _ => []
  end.
Definition products (w : vector) (b : list Z) (xs : list (list Z)) : list Z :=
  match w with Listed p => chosen b p | Digits ds => map (fun j => digits_dot (snd j) ds) (picks b xs) end.

(* [upper]: the upper triangle of -above/below Gram(vectors), rounded down *)
Record table := mkTable
  { vectors : list (list Z); full : option (list (list Z)); cuts : nat;
    upper : list (later (list Z)); above : Z; below : Z; largest : Z }.
Fixpoint uppers (p q : Z) (xs : list (list Z)) : list (later (list Z)) :=
  match xs with
  | [] => []
  | x :: xs' => Later (map (fun y => - (p * zdot x y) / q) (x :: xs')) :: uppers p q xs'
  end.
Definition size_of_entries : Z := 4503599627370496.   (* 2^52 *)
Definition make_table (nodes : nat) (xs : list (list Z)) : table :=
  let m := fold_right (fun x m => Z.max (zdot x x) m) 1 xs in
  let p := if m <=? size_of_entries then size_of_entries / m else 1 in
  let q := if m <=? size_of_entries then 1 else m / size_of_entries in
  let n := length xs in
  (* few items with short products; the cost of a node is n^2 with the Gram matrix, and n times the inputs without *)
  let few := (m <=? 35184372088832) && (n <=? nodes)%nat && (n <=? 2 * length (hd [] xs))%nat in
  mkTable xs (if few then Some (gram xs) else None) (if m <=? 4294967296 then 0%nat else 2%nat) (uppers p q xs) p q m.

Fixpoint rounded_rows (n c f : Z) (b : list Z) (U : list (later (list Z))) : list (list Z) :=
  match b, U with
  | d :: b', Later u :: U' =>
      if d =? 0 then rounded_rows n c f b' U'
      else match u with
           | g :: u' => (c / (f * d) + g - n :: chosen b' u') :: rounded_rows n c f b' U'
           | [] => []
           end
  | _, _ => []
  end.
Definition about_root : Z -> Z := Z.sqrt.
Definition rounded_semidefinite (tb : table) (F D kappa s tF vv : Z) (pr b : list Z) : bool :=
  let n := Z.of_nat (length pr) in
  let h := 1 + fold_right (fun z m => Z.max (Z.abs z) m) 0 pr / largest tb in
  let th := tF * tF * (h * h) in
  let p := above tb in
  let q := below tb in
  (0 <? h) && (0 <? th)
  && has_factor about_root
       ((p * (4 * kappa * s - tF * tF * vv) / (q * th) - n :: map (fun z => - (p * z) / (q * h)) pr)
        :: rounded_rows n (p * (D * kappa)) (q * (F * F)) b (upper tb)).

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma zdot_comm a b : zdot a b = zdot b a.
Proof. apply eq_IZR. rewrite !zdot_ok. apply dot_comm. Qed.
Lemma zdot_axpy k x a y : zdot y (zaxpy k x a) = k * zdot y x + zdot y a.
Proof. apply eq_IZR. rewrite plus_IZR, mult_IZR, !zdot_ok, zaxpy_ok, dot_axpy_r. auto. Qed.
Lemma zdot_combine y : forall a xs, zdot y (combine a xs) = zdot (map (zdot y) xs) a.
Proof.
  assert (N : zdot y [] = 0) by (destruct y; auto).
  induction a as [|c a IH]; intros [|x xs]; simpl; auto.
  destruct (Z.eqb_spec c 0); [subst; rewrite IH; ring|]. rewrite zdot_axpy, IH. ring.
Qed.
Definition holds_table (xs : list (list Z)) (tb : table) : Prop :=
  vectors tb = xs /\ (full tb = None \/ full tb = Some (gram xs)) /\ upper tb = uppers (above tb) (below tb) xs /\ 0 < above tb /\ 0 < below tb.
Lemma make_table_ok nodes xs : holds_table xs (make_table nodes xs).
Proof.
  unfold make_table. set (m := fold_right _ _ _).
  assert (M : 1 <= m) by (unfold m; clear; induction xs; cbn [fold_right]; lia). cbv zeta. clearbody m.
  repeat split; cbn [vectors full upper above below].
  - destruct (_ && _); auto.
  - unfold size_of_entries. destruct (Z.leb_spec m 4503599627370496); [|lia]. apply Z.div_str_pos. lia.
  - unfold size_of_entries. destruct (Z.leb_spec m 4503599627370496); [lia|]. apply Z.div_str_pos. lia.
Qed.
Lemma chosen_map (f : list Z -> Z) : forall b xs, chosen b (map f xs) = map (fun j => f (snd j)) (picks b xs).
Proof.
  induction b as [|d b IH]; intros [|x xs]; simpl; auto. destruct (d =? 0); simpl; rewrite IH; auto.
Qed.
Lemma digits_ok x : forall k v, digits_dot x (digits k v) = zdot x v.
Proof.
  assert (S : forall x v, zdot x v = zdot x (map (fun c => c mod base) v) + base * zdot x (map (fun c => c / base) v)).
  { clear. induction x as [|a x IH]; intros [|c v]; cbn [zdot map]; auto.
    rewrite (IH v). pose proof (Z.div_mod c base ltac:(discriminate)) as D. rewrite D at 1. ring. }
  induction k as [|k IH]; intros v; [reflexivity|]. rewrite (S x v), <- (IH (map (fun c => c / base) v)).
  cbn [digits digits_dot]. destruct k; reflexivity.
Qed.
Lemma combination_ok xs G k a vv w : G = None \/ G = Some (gram xs) -> combination G k xs a = (vv, w) ->
  vv = zdot (combine a xs) (combine a xs) /\
  (forall i x, nth_error xs i = Some x -> product w i x = zdot x (combine a xs)) /\
  (forall b, products w b xs = map (fun j => zdot (snd j) (combine a xs)) (picks b xs)).
Proof.
  intros [H|H] E; subst G; unfold combination in E; inversion E; subst; clear E; cbn [product products].
  { split; [auto|split; intros]; [apply digits_ok|]. apply map_ext. intros j. apply digits_ok. }
  assert (P : map (fun r => zdot r a) (gram xs) = map (fun x => zdot x (combine a xs)) xs).
  { unfold gram. rewrite map_map. apply map_ext. intros x. rewrite zdot_combine. auto. }
  rewrite P. split; [|split].
  - rewrite (zdot_combine (combine a xs)), zdot_comm. f_equal. apply map_ext. intros x. apply zdot_comm.
  - intros i x H. apply nth_error_nth. apply (map_nth_error (fun x => zdot x (combine a xs))), H.
  - intros b. apply chosen_map.
Qed.

Open Scope R_scope.
Fixpoint comb (t : vec) (ws : list vec) : vec :=
  match t, ws with x :: t', w :: ws' => axpy x w (comb t' ws') | _, _ => [] end.
Fixpoint squares (cs t : vec) : R :=
  match cs, t with c :: cs', x :: t' => c * (x * x) + squares cs' t' | _, _ => 0 end.
Lemma dot_comb w : forall t ws, dot w (comb t ws) = dot (map (dot w) ws) t.
Proof.
  induction t as [|x t IH]; intros [|v ws]; cbn [comb map]; rewrite ?dot_nil_r; auto.
  rewrite dot_axpy_r, IH. simpl. ring.
Qed.
(* M is  g (diag(cs) - Gram(ws))  up to 1 beside the diagonal, and at least n less on it *)
Fixpoint rounds (g n : R) (M : list (list Z)) (cs : vec) (ws : list vec) : Prop :=
  match M, cs, ws with
  | [], [], [] => True
  | (a :: r) :: C, c :: cs', w :: ws' =>
      IZR a + n <= g * (c - dot w w)
      /\ Forall2 (fun e v => Rabs (IZR e + g * dot w v) <= 1) r ws' /\ rounds g n C cs' ws'
  | _, _, _ => False
  end.
Lemma rounded_row_ok g w x r ws : Forall2 (fun e v => Rabs (IZR e + g * dot w v) <= 1) r ws ->
  forall t, length t = length ws ->
  2 * (x * dot (zR r) t) <= - (2 * (g * (x * dot (map (dot w) ws) t))) + INR (length t) * (x * x) + dot t t.
Proof.
  induction 1 as [|e v r ws E _ IH]; intros [|z t] L; try discriminate; [simpl; lra|].
  simpl in L. injection L as L. specialize (IH t L). cbn [length]. rewrite S_INR. cbn [zR map dot]. fold (zR r).
  apply Rabs_le_inv in E. set (d := IZR e + g * dot w v) in *.
  replace (IZR e) with (d - g * dot w v) by (unfold d; ring). clearbody d.
  assert (2 * (d * (x * z)) <= x * x + z * z); [|lra].
  pose proof (Rle_0_sqr (x - z)) as S1. pose proof (Rle_0_sqr (x + z)) as S2. unfold Rsqr in S1, S2.
  destruct (Rle_lt_dec 0 (x * z)); nra.
Qed.
Lemma rounds_ok g n : forall M cs ws t, rounds g n M cs ws -> length t = length ws ->
  form M t + (n + 1 - INR (length t)) * dot t t <= g * (squares cs t - dot (comb t ws) (comb t ws)).
Proof.
  induction M as [|[|a r] C IH]; intros [|c cs] [|w ws] [|x t] H L; try contradiction; try discriminate.
  - simpl. lra.
  - destruct H as (H1 & H2 & H3). simpl in L. injection L as L. specialize (IH cs ws t H3 L).
    pose proof (rounded_row_ok g w x r ws H2 t L) as B. rewrite <- dot_comb in B.
    cbn [form squares comb dot length]. rewrite S_INR, dot_axpy_l, !dot_axpy_r, (dot_comm (comb t ws) w).
    set (y := dot w (comb t ws)) in *. set (Q := dot (comb t ws) (comb t ws)) in *.
    assert ((IZR a + n) * (x * x) <= g * (c - dot w w) * (x * x)) by (apply Rmult_le_compat_r; [nra|auto]).
    lra.
Qed.

Lemma floor_near a q : (0 < q)%Z -> Rabs (IZR (- a / q) + IZR a / IZR q) <= 1.
Proof.
  intros H. pose proof (Zdiv_bounds (- a) q H) as [B1 B2]. rewrite opp_IZR in B1, B2.
  unfold Rdiv in *. apply Rabs_le. lra.
Qed.
Lemma floor_div a q x : (0 < q)%Z -> IZR a / IZR q = x -> IZR (a / q) <= x.
Proof. intros H E. pose proof (Zdiv_bounds a q H) as [_ B]. lra. Qed.
Section Rounding.
  Variables (p q : Z).
  Hypotheses (P : (0 < p)%Z) (Q : (0 < q)%Z).
  Let g := IZR p / IZR q.
  Lemma chosen_near x : forall b xs,
    Forall2 (fun e v => Rabs (IZR e + g * dot (zR x) v) <= 1)
      (chosen b (map (fun y => (- (p * zdot x y) / q)%Z) xs)) (map (fun j => zR (snd j)) (picks b xs)).
  Proof.
    induction b as [|d b IH]; intros [|y xs]; simpl; auto. destruct (d =? 0)%Z; auto. simpl. constructor; auto.
    pose proof (floor_near (p * zdot x y) q Q) as N. rewrite mult_IZR, zdot_ok in N.
    replace (g * dot (zR x) (zR y)) with (IZR p * dot (zR x) (zR y) / IZR q) by (unfold g, Rdiv; ring). exact N.
  Qed.
  Lemma rounded_rows_ok n c f : (0 < f)%Z -> forall b xs, Forall (fun j => (0 < fst j)%Z) (picks b xs) ->
    rounds g (IZR n) (rounded_rows n (p * c) (q * f) b (uppers p q xs))
      (map (fun j => IZR c / (IZR f * IZR (fst j))) (picks b xs)) (map (fun j => zR (snd j)) (picks b xs)).
  Proof.
    intros HF. pose proof (IZR_lt _ _ HF) as F'. pose proof (IZR_lt _ _ Q) as Q'.
    induction b as [|d b IH]; intros [|x xs] H; simpl; auto. simpl in H. destruct (d =? 0)%Z; auto.
    inversion H as [|? ? H1 H2]; subst. cbn [fst] in H1. pose proof (IZR_lt _ _ H1) as D'.
    cbn [map fst snd]. split; [|split; [apply chosen_near|apply IH; auto]].
    rewrite minus_IZR, plus_IZR.
    assert (A1 : IZR ((p * c) / (q * f * d)) <= g * (IZR c / (IZR f * IZR d))).
    { apply floor_div; [nia|]. unfold g. rewrite !mult_IZR. field. lra. }
    assert (A2 : IZR (- (p * zdot x x) / q) <= - (g * dot (zR x) (zR x))).
    { apply floor_div; auto. unfold g. rewrite opp_IZR, mult_IZR, zdot_ok. field. lra. }
    lra.
  Qed.
End Rounding.
Lemma length_picks_products w b xs a : (forall b, products w b xs = map (fun j => zdot (snd j) a) (picks b xs)) ->
  length (products w b xs) = length (picks b xs).
Proof. intros H. rewrite H, map_length. auto. Qed.

(* with D tF, 2 F b_i taken into the variables, this is the matrix of Relaxation.v *)
Theorem rounded_semidefinite_ok tb F D kappa s tF xs b v Y :
  holds_table xs tb -> (0 < D)%Z -> (0 < kappa)%Z -> (0 < F * F)%Z -> Forall (fun j => (0 < fst j)%Z) (picks b xs) ->
  rounded_semidefinite tb F D kappa s tF (zdot v v) (map (fun j => zdot (snd j) v) (picks b xs)) b = true ->
  length Y = length (picks b xs) ->
  0 <= form (minus_gram (4 * D * D * kappa * s :: map (fun j => 4 * D * kappa * fst j) (picks b xs))%Z
                        ((D * tF, v) :: map (fun j => (2 * F * fst j, snd j)) (picks b xs))%Z) (1 :: Y).
Proof.
  intros (_ & _ & HU & HP & HQ) HD HK HF HB K L. unfold rounded_semidefinite in K. cbv zeta in K. rewrite HU in K.
  set (p := above tb) in *. set (q := below tb) in *. set (J := picks b xs) in *.
  rewrite map_length in K. set (h := (1 + _ / _)%Z) in K.
  apply andb_prop in K. destruct K as [K HS]. apply andb_prop in K. destruct K as [HH HT]. apply Z.ltb_lt in HH, HT.
  clearbody h. rewrite minus_gram_form by (simpl; rewrite ?map_length; auto).
  pose proof (IZR_lt _ _ HP) as P'. pose proof (IZR_lt _ _ HQ) as Q'. pose proof (IZR_lt _ _ HD) as D'.
  pose proof (IZR_lt _ _ HF) as F'. pose proof (IZR_lt _ _ HH) as H'. pose proof (IZR_lt _ _ HT) as T'.
  rewrite mult_IZR in F'. rewrite !mult_IZR in T'. set (g := IZR p / IZR q). assert (G : 0 < g) by (apply Rdiv_lt_0_compat; auto).
  assert (FN : IZR F <> 0) by (intros E; rewrite E in F'; lra).
  assert (TN : IZR tF <> 0) by (intros E; rewrite E in T'; lra).
  set (n := Z.of_nat (length J)) in *.
  set (cs := 4 * IZR kappa * IZR s / (IZR tF * IZR tF * (IZR h * IZR h))
             :: map (fun j => IZR (D * kappa) / (IZR (F * F) * IZR (fst j))) J).
  set (ws := scal (/ IZR h) (zR v) :: map (fun j => zR (snd j)) J).
  set (tau := IZR D * IZR tF * IZR h :: map (fun y => 2 * IZR F * IZR (fst (fst y)) * snd y) (List.combine J Y)).
  assert (RO : rounds g (IZR n)
     ((p * (4 * kappa * s - tF * tF * zdot v v) / (q * (tF * tF * (h * h))) - n
       :: map (fun z => - (p * z) / (q * h)) (map (fun j => zdot (snd j) v) J))%Z
      :: rounded_rows n (p * (D * kappa)) (q * (F * F)) b (uppers p q xs)) cs ws).
  { cbn [rounds cs ws]. split; [|split].
    - rewrite minus_IZR. assert (A : IZR (p * (4 * kappa * s - tF * tF * zdot v v) / (q * (tF * tF * (h * h)))) <=
        g * (4 * IZR kappa * IZR s / (IZR tF * IZR tF * (IZR h * IZR h)) - dot (scal (/ IZR h) (zR v)) (scal (/ IZR h) (zR v)))); [|lra].
      apply floor_div; [nia|]. unfold g. rewrite dot_scal_l, dot_scal_r, !mult_IZR, minus_IZR, !mult_IZR, zdot_ok.
      field. lra.
    - rewrite map_map. clear - HQ HH H' Q'. induction J as [|j J IH]; simpl; constructor; auto.
      pose proof (floor_near (p * zdot (snd j) v) (q * h) ltac:(nia)) as N. rewrite !mult_IZR, zdot_ok in N.
      rewrite dot_scal_l, (dot_comm (zR v)).
      replace (g * (/ IZR h * dot (zR (snd j)) (zR v))) with (IZR p * dot (zR (snd j)) (zR v) / (IZR q * IZR h));
        [exact N|]. unfold g. field. lra.
    - apply rounded_rows_ok; auto. }
  assert (LT : length tau = length ws).
  { unfold tau, ws. simpl. rewrite !map_length, combine_length, L. f_equal. lia. }
  pose proof (rounds_ok _ _ _ _ _ tau RO LT) as B.
  assert (LJ : length (rounded_rows n (p * (D * kappa)) (q * (F * F)) b (uppers p q xs)) = length J).
  { destruct RO as (_ & _ & RO). cbn [cs ws] in RO. clear - RO. revert RO.
    generalize (rounded_rows n (p * (D * kappa)) (q * (F * F)) b (uppers p q xs)).
    generalize (fun j : Z * list Z => IZR (D * kappa) / (IZR (F * F) * IZR (fst j))).
    intros f M. generalize (IZR n). intros n'. clear n. revert M. induction J as [|j J IH]; intros [|[|a r] M] H; simpl in *; try contradiction; auto.
    f_equal. apply IH. apply H. }
  apply (has_factor_ok _ _ tau) in HS; [|rewrite LT; unfold ws; simpl; rewrite LJ, map_length; auto].
  assert (N1 : INR (length tau) = IZR n + 1).
  { rewrite LT. unfold ws. cbn [length]. rewrite map_length, S_INR. unfold n. rewrite <- INR_IZR_INZ. auto. }
  rewrite N1 in B. assert (B' : 0 <= squares cs tau - dot (comb tau ws) (comb tau ws)).
  { apply Rmult_le_reg_l with g; auto. lra. }
  assert (S : squares cs tau =
     weighted_squares (4 * D * D * kappa * s :: map (fun j => 4 * D * kappa * fst j) J)%Z (1 :: Y)).
  { unfold cs, tau. cbn [squares weighted_squares]. f_equal.
    - rewrite !mult_IZR. field. lra.
    - clear - HB L FN F' D'. revert Y L. induction J as [|j J IH]; intros [|y Y] L; try discriminate; auto.
      inversion HB as [|? ? H1 H2]; subst. simpl in L. injection L as L.
      cbn [List.combine map squares weighted_squares fst snd]. rewrite (IH H2 Y L). f_equal.
      apply IZR_lt in H1. rewrite !mult_IZR. field. lra. }
  assert (C : forall w, dot w (comb tau ws) =
     dot w (combine_vectors (1 :: Y) ((D * tF, v) :: map (fun j => (2 * F * fst j, snd j)) J)%Z)).
  { intros w. unfold tau, ws. cbn [comb combine_vectors]. rewrite !dot_axpy_r. unfold scaledR at 1. cbn [fst snd].
    rewrite !dot_scal_r, mult_IZR. f_equal; [field; lra|].
    clear - L. revert Y L. induction J as [|j J IH]; intros [|y Y] L; try discriminate; auto.
    simpl in L. injection L as L. cbn [List.combine map comb combine_vectors fst snd]. rewrite !dot_axpy_r, (IH Y L).
    unfold scaledR. cbn [fst snd]. rewrite dot_scal_r, !mult_IZR. ring. }
  rewrite S, C, dot_comm, C in B'. exact B'.
Qed.
