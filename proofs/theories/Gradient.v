(* Gradient.v -- numbers that carry a gradient.  Run over them, the pass with fixed slopes gives the value
   of a constraint and its gradient in all parameters; this is the gradient in the sense of
   Statement.v, and it depends continuously on the parameters. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors MaxMargin.Pattern.
Import ListNotations.
Open Scope R_scope.

(* a value and a gradient *)
Definition gnum := (R * vec)%type.
Definition gzero : gnum := (0, []).
Definition gadd (a b : gnum) : gnum := (fst a + fst b, axpy 1 (snd a) (snd b)).
Definition gmul (a b : gnum) : gnum := (fst a * fst b, axpy (fst a) (snd b) (scal (fst b) (snd a))).
Definition gconst (a : R) : gnum := (a, []).
Definition unit_vec (k : nat) : vec := repeat 0 k ++ [1].

(* parameters as variables: the coordinates of the flat vector from n on *)
Fixpoint lift {A B} (coordinate : nat -> B) (n : nat) (th : params A) : params B :=
  match th with
  | [] => []
  | (u, W) :: rest => (map coordinate (seq n (length u)), W) :: lift coordinate (n + length u) rest
  end.
Definition variable (v : vec) (k : nat) : gnum := (nth k v 0, unit_vec k).
Definition gvalue (S : list (list R)) (th : params R) (v x c : vec) : gnum :=
  pattern_value gzero gadd gmul (map (map gconst) S) (lift (variable v) 0 th) (map gconst x) (map gconst c).

Lemma nth_axpy k a : forall b i, nth i (axpy k a b) 0 = k * nth i a 0 + nth i b 0.
Proof.
  induction a as [|x a IH]; intros [|y b] i; cbn [axpy]; destruct i; simpl; try ring; auto.
  - clear. revert i. induction a as [|x a IH]; intros [|i]; simpl; try ring. apply IH.
Qed.
Lemma nth_scal k a : forall i, nth i (scal k a) 0 = k * nth i a 0.
Proof. unfold scal. induction a as [|x a IH]; intros [|i]; simpl; try ring. apply IH. Qed.
Lemma dot_unit k v : dot (unit_vec k) v = nth k v 0.
Proof. revert v. unfold unit_vec. induction k as [|k IH]; intros [|x v]; simpl; try ring. rewrite IH. ring. Qed.
Lemma nth_bounded (a : vec) : exists M, 0 <= M /\ forall i, Rabs (nth i a 0) <= M.
Proof.
  induction a as [|x a (M & M0 & H)].
  - exists 0. split; [lra|]. intros [|i]; simpl; rewrite Rabs_R0; lra.
  - exists (Rabs x + M). pose proof (Rabs_pos x). split; [lra|]. intros [|i]; simpl; [lra|]. specialize (H i). lra.
Qed.

(* vectors whose entries differ by less than e *)
Definition near_entries (e : R) (v v' : vec) : Prop := forall k, Rabs (nth k v 0 - nth k v' 0) < e.
Lemma close_flat e th : 0 < e -> forall th', same_architecture th th' -> close e th th' -> near_entries e (flat th) (flat th').
Proof.
  intros HE. induction th as [|[u W] th IH]; intros th' F C; inversion F as [|? [u' W'] ? t [_ FL] F']; subst.
  - intros k. destruct k; simpl; rewrite Rminus_0_r, Rabs_R0; auto.
  - inversion C as [|? ? ? ? CU C']; subst. cbn [fst snd] in *. intros k.
    unfold flat. cbn [flat_map fst]. destruct (Nat.lt_ge_cases k (length u)) as [L|L].
    + rewrite !app_nth1 by lia. apply near_nth; auto.
    + rewrite !app_nth2 by lia. rewrite FL. apply (IH t F' C').
Qed.

(* relating passes over lifted parameters *)
Lemma lift_rel {A B C} (rel : B -> C -> Prop) (cb : nat -> B) (cc : nat -> C) (th : params A) :
  (forall k, rel (cb k) (cc k)) -> forall n, rel_params B C rel (lift cb n th) (lift cc n th).
Proof.
  intros H. induction th as [|[u W] th IH]; intros n; constructor; [|apply IH].
  cbn [fst snd]. split; [|reflexivity]. clear - H. revert n. induction (length u) as [|l IH]; intros n; simpl; constructor; auto.
Qed.
(* the values at a network of the same architecture *)
Lemma lift_values {B} (rel : B -> R -> Prop) (cb : nat -> B) : forall th th' pre, same_architecture th th' ->
  (forall k, rel (cb k) (nth k (pre ++ flat th') 0)) ->
  rel_params B R rel (lift cb (length pre) th) th'.
Proof.
  induction th as [|[u W] th IH]; intros th' pre F H; inversion F as [|? [u' W'] ? t [FW FL] F']; subst; constructor.
  - cbn [fst snd] in *. split; auto. rewrite FL. unfold flat in H. cbn [flat_map fst] in H.
    clear - H. revert pre H. induction u' as [|a u' IH]; intros pre H; simpl; constructor.
    + specialize (H (length pre)). rewrite app_nth2, Nat.sub_diag in H by auto. exact H.
    + assert (E : S (length pre) = length (pre ++ [a])) by (rewrite app_length; simpl; lia). rewrite E.
      apply IH. intros k. specialize (H k). simpl in H. rewrite <- app_assoc. exact H.
  - cbn [fst snd] in *. rewrite FL, <- app_length. apply IH; auto. intros k. specialize (H k).
    unfold flat in *. cbn [flat_map fst] in H. rewrite <- app_assoc. exact H.
Qed.

(* ---- the gradient is one -------------------------------------------------------------------- *)
(* f, a function of the flat vector, has value and gradient a at v *)
Definition tracks (v : vec) (f : vec -> R) (a : gnum) : Prop :=
  f v = fst a /\ exists C, 0 <= C /\ forall e v', 0 < e <= 1 -> near_entries e v v' ->
    Rabs (f v' - fst a - (dot (snd a) v' - dot (snd a) v)) <= C * (e * e) /\
    Rabs (dot (snd a) v' - dot (snd a) v) <= C * e.
Lemma tracks_const v a : tracks v (fun _ => a) (gconst a).
Proof.
  split; auto. exists 0. split; [lra|]. intros e v' E N. simpl. split; apply Rabs_le; lra.
Qed.
Lemma tracks_variable v k : tracks v (fun v' => nth k v' 0) (variable v k).
Proof.
  split; auto. exists 1. split; [lra|]. intros e v' E N. unfold variable. cbn [fst snd]. rewrite !dot_unit.
  specialize (N k). split.
  - replace (nth k v' 0 - nth k v 0 - (nth k v' 0 - nth k v 0)) with 0 by ring. rewrite Rabs_R0. nra.
  - rewrite Rabs_minus_sym. lra.
Qed.
Lemma tracks_add v f a g b : tracks v f a -> tracks v g b -> tracks v (fun w => f w + g w) (gadd a b).
Proof.
  intros [E1 (C1 & P1 & H1)] [E2 (C2 & P2 & H2)]. split; [simpl; lra|].
  exists (C1 + C2). split; [lra|]. intros e v' E N. destruct (H1 e v' E N) as [A1 B1]. destruct (H2 e v' E N) as [A2 B2].
  unfold gadd. cbn [fst snd]. rewrite !dot_axpy_l. apply Rabs_le_inv in A1, B1, A2, B2. split; apply Rabs_le; lra.
Qed.
Lemma Rabs_mult_le a b x y : Rabs a <= x -> Rabs b <= y -> Rabs (a * b) <= x * y.
Proof. intros. rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos. Qed.
Lemma tracks_mul v f a g b : tracks v f a -> tracks v g b -> tracks v (fun w => f w * g w) (gmul a b).
Proof.
  intros [E1 (C1 & P1 & H1)] [E2 (C2 & P2 & H2)]. split; [simpl; rewrite E1, E2; auto|].
  set (A := Rabs (fst a)). set (B := Rabs (fst b)). assert (0 <= A) by apply Rabs_pos. assert (0 <= B) by apply Rabs_pos.
  exists (A * C2 + B * C1 + 4 * (C1 * C2)).
  assert (Q1 : 0 <= A * C2) by (apply Rmult_le_pos; auto). assert (Q2 : 0 <= B * C1) by (apply Rmult_le_pos; auto).
  assert (Q3 : 0 <= C1 * C2) by (apply Rmult_le_pos; auto).
  split; [lra|]. intros e v' E N. destruct (H1 e v' E N) as [A1 B1]. destruct (H2 e v' E N) as [A2 B2].
  unfold gmul. cbn [fst snd]. rewrite !dot_axpy_l, !dot_scal_l.
  set (d1 := dot (snd a) v' - dot (snd a) v) in *. set (d2 := dot (snd b) v' - dot (snd b) v) in *.
  set (r1 := f v' - fst a - d1) in *. set (r2 := g v' - fst b - d2) in *.
  replace (fst a * dot (snd b) v' + fst b * dot (snd a) v' - (fst a * dot (snd b) v + fst b * dot (snd a) v))
    with (fst a * d2 + fst b * d1) by (unfold d1, d2; ring).
  assert (EE : 0 <= e * e <= e) by nra.
  assert (T1 : Rabs (f v' - fst a) <= 2 * C1 * e).
  { replace (f v' - fst a) with (r1 + d1) by (unfold r1; ring). eapply Rle_trans; [apply Rabs_triang|]. nra. }
  assert (T2 : Rabs (g v' - fst b) <= 2 * C2 * e).
  { replace (g v' - fst b) with (r2 + d2) by (unfold r2; ring). eapply Rle_trans; [apply Rabs_triang|]. nra. }
  split.
  - replace (f v' * g v' - fst a * fst b - (fst a * d2 + fst b * d1))
      with (fst a * r2 + fst b * r1 + (f v' - fst a) * (g v' - fst b)) by (unfold r1, r2; ring).
    pose proof (Rabs_mult_le _ _ _ _ (Rle_refl (Rabs (fst a))) A2) as X1.
    pose proof (Rabs_mult_le _ _ _ _ (Rle_refl (Rabs (fst b))) A1) as X2.
    pose proof (Rabs_mult_le _ _ _ _ T1 T2) as X3. fold A in X1. fold B in X2.
    eapply Rle_trans; [apply Rabs_triang|]. eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|]. lra.
  - pose proof (Rabs_mult_le _ _ _ _ (Rle_refl (Rabs (fst a))) B2) as X1.
    pose proof (Rabs_mult_le _ _ _ _ (Rle_refl (Rabs (fst b))) B1) as X2. fold A in X1. fold B in X2.
    eapply Rle_trans; [apply Rabs_triang|].
    assert (0 <= C1 * C2 * e) by (apply Rmult_le_pos; lra). lra.
Qed.

(* functions of the flat vector as numbers *)
Definition fzero : vec -> R := fun _ => 0.
Definition fadd (f g : vec -> R) : vec -> R := fun v => f v + g v.
Definition fmul (f g : vec -> R) : vec -> R := fun v => f v * g v.
Definition fvalue (S : list (list R)) (th : params R) (x c : vec) : vec -> R :=
  pattern_value fzero fadd fmul (map (map (fun a _ => a)) S) (lift (fun k v => nth k v 0) 0 th)
    (map (fun a _ => a) x) (map (fun a _ => a) c).
Lemma Forall2_maps {A B C} (rel : B -> C -> Prop) (f : A -> B) (h : A -> C) l :
  (forall a, rel (f a) (h a)) -> Forall2 rel (map f l) (map h l).
Proof. intros H. induction l; simpl; constructor; auto. Qed.
Lemma Forall2_map_l {A B} (rel : B -> A -> Prop) (f : A -> B) l : (forall a, rel (f a) a) -> Forall2 rel (map f l) l.
Proof. intros H. induction l; simpl; constructor; auto. Qed.

(* What constants, sums, products and variables are related by, the values of a pattern are. *)
Ltac relate_values R const add mul variable :=
  apply rel_value with (rel := R);
  [apply const | intros; apply add; auto | intros; apply mul; auto | apply lift_rel; intros; apply variable
  |apply Forall2_maps; intros; apply Forall2_maps; intros; apply const
  |apply Forall2_maps; intros; apply const | apply Forall2_maps; intros; apply const].
Lemma fvalue_tracks S th v x c : tracks v (fvalue S th x c) (gvalue S th v x c).
Proof.
  relate_values (tracks v) tracks_const tracks_add tracks_mul tracks_variable.
Qed.
Lemma fvalue_value S th th' x c : same_architecture th th' ->
  fvalue S th x c (flat th') = pattern_value 0 Rplus Rmult S th' x c.
Proof.
  intros H. apply (rel_value (vec -> R) R fzero fadd fmul 0 Rplus Rmult (fun f a => f (flat th') = a)).
  - reflexivity.
  - unfold fadd. intros; subst; auto.
  - unfold fmul. intros; subst; auto.
  - apply (lift_values _ _ th th' []); auto.
  - apply Forall2_map_l. intros. apply Forall2_map_l. auto.
  - apply Forall2_map_l. auto.
  - apply Forall2_map_l. auto.
Qed.

(* a network that fits a pattern has the gradient of the pattern *)
Theorem pattern_gradient al S offs off th x c : 0 <= al <= 1 -> zero_at off x -> fits al S offs off th x ->
  gradient (fun th' => q al th' x c) th (snd (gvalue S th (flat th) x c)).
Proof.
  intros HA HZ HF eta HE. destruct (fits_near al HA _ _ _ _ _ HF) as (e1 & E1 & K1).
  destruct (fvalue_tracks S th (flat th) x c) as [V (C & C0 & K2)].
  exists (Rmin (Rmin e1 1) (eta / (C + 1))).
  assert (Q : 0 < eta / (C + 1)) by (apply Rdiv_lt_0_compat; lra).
  split; [repeat apply Rmin_pos; lra|]. intros e th' [EP EE] FA CL.
  assert (L1 : e <= e1) by (eapply Rle_trans; [exact EE|]; eapply Rle_trans; [apply Rmin_l|apply Rmin_l]).
  assert (L2 : e <= 1) by (eapply Rle_trans; [exact EE|]; eapply Rle_trans; [apply Rmin_l|apply Rmin_r]).
  assert (L3 : e <= eta / (C + 1)) by (eapply Rle_trans; [exact EE|apply Rmin_r]).
  assert (VAL : forall th2, same_architecture th th2 -> fits al S offs off th2 x -> q al th2 x c = fvalue S th x c (flat th2)).
  { intros th2 F2 H2. rewrite (fvalue_value S th th2) by auto. unfold q, q_value, pattern_value.
    rewrite (fits_value _ _ _ _ _ _ HZ H2). auto. }
  assert (SELF : same_architecture th th) by (clear; induction th; constructor; auto).
  rewrite (VAL th' FA).
  2: { apply K1; auto; [eapply close_mono_p; eauto|]. clear - E1. induction x; constructor; auto.
       rewrite Rminus_eq_0, Rabs_R0; auto. }
  rewrite (VAL th SELF HF), V.
  destruct (K2 e (flat th') ltac:(lra) (close_flat e th EP th' FA CL)) as [B _].
  eapply Rle_trans; [exact B|]. replace (C * (e * e)) with (C * e * e) by ring.
  apply Rmult_le_compat_r; [lra|].
  apply Rle_trans with (C * (eta / (C + 1))); [apply Rmult_le_compat_l; lra|].
  replace (C * (eta / (C + 1))) with (eta * (C / (C + 1))) by (field; lra).
  rewrite <- (Rmult_1_r eta) at 2. apply Rmult_le_compat_l; [lra|].
  apply Rmult_le_reg_r with (C + 1); [lra|]. replace (C / (C + 1) * (C + 1)) with C by (field; lra). lra.
Qed.

(* ---- and depends continuously on the parameters --------------------------------------------- *)
Definition steady (v : vec) (f : vec -> gnum) (a : gnum) : Prop :=
  f v = a /\ forall eta, 0 < eta -> exists e, 0 < e /\ forall v', near_entries e v v' ->
    Rabs (fst (f v') - fst a) < eta /\ forall i, Rabs (nth i (snd (f v')) 0 - nth i (snd a) 0) < eta.
Lemma near_entries_mono e e' v v' : e <= e' -> near_entries e v v' -> near_entries e' v v'.
Proof. intros H N k. specialize (N k). lra. Qed.
Lemma steady_const v a : steady v (fun _ => gconst a) (gconst a).
Proof.
  split; auto. intros eta HE. exists 1. split; [lra|]. intros v' _. simpl. split; [|intros i; destruct i]; rewrite Rminus_eq_0, Rabs_R0; auto.
Qed.
Lemma steady_variable v k : steady v (fun w => variable w k) (variable v k).
Proof.
  split; auto. intros eta HE. exists eta. split; auto. intros v' N. unfold variable. cbn [fst snd]. split.
  - rewrite Rabs_minus_sym. apply N.
  - intros i. rewrite Rminus_eq_0, Rabs_R0; auto.
Qed.
Lemma steady_add v f a g b : steady v f a -> steady v g b -> steady v (fun w => gadd (f w) (g w)) (gadd a b).
Proof.
  intros [E1 H1] [E2 H2]. split; [rewrite E1, E2; auto|]. intros eta HE.
  destruct (H1 (eta / 2) ltac:(lra)) as (e1 & P1 & K1). destruct (H2 (eta / 2) ltac:(lra)) as (e2 & P2 & K2).
  exists (Rmin e1 e2). split; [apply Rmin_pos; auto|]. intros v' N.
  destruct (K1 v' (near_entries_mono _ _ _ _ (Rmin_l _ _) N)) as [A1 B1].
  destruct (K2 v' (near_entries_mono _ _ _ _ (Rmin_r _ _) N)) as [A2 B2].
  unfold gadd. cbn [fst snd]. split.
  - apply Rabs_def2 in A1, A2. apply Rabs_def1; lra.
  - intros i. rewrite !nth_axpy. specialize (B1 i). specialize (B2 i). apply Rabs_def2 in B1, B2. apply Rabs_def1; lra.
Qed.
(* x y is close to a b if x, y are close to a, b and |a|, |b| <= M *)
Lemma product_near M x y a b d : 0 <= M -> Rabs a <= M -> Rabs b <= M -> 0 < d <= 1 ->
  Rabs (x - a) < d -> Rabs (y - b) < d -> Rabs (x * y - a * b) <= d * (2 * M + 1).
Proof.
  intros HM HA HB HD X Y. replace (x * y - a * b) with (a * (y - b) + (x - a) * b + (x - a) * (y - b)) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|].
  pose proof (Rabs_mult_le a (y - b) M d HA ltac:(lra)). pose proof (Rabs_mult_le (x - a) b d M ltac:(lra) HB).
  pose proof (Rabs_mult_le (x - a) (y - b) d 1 ltac:(lra) ltac:(lra)). lra.
Qed.
Lemma steady_mul v f a g b : steady v f a -> steady v g b -> steady v (fun w => gmul (f w) (g w)) (gmul a b).
Proof.
  intros [E1 H1] [E2 H2]. split; [rewrite E1, E2; auto|]. intros eta HE.
  destruct (nth_bounded (snd a)) as (Ma & PA & BA). destruct (nth_bounded (snd b)) as (Mb & PB & BB).
  pose (M := Rabs (fst a) + Rabs (fst b) + Ma + Mb).
  pose proof (Rabs_pos (fst a)). pose proof (Rabs_pos (fst b)).
  assert (MP : 0 <= M) by (unfold M; lra). pose (d := Rmin 1 (eta / (4 * M + 3))).
  assert (QP : 0 < eta / (4 * M + 3)) by (apply Rdiv_lt_0_compat; lra).
  assert (DP : 0 < d <= 1) by (split; [apply Rmin_pos; lra|apply Rmin_l]).
  assert (DE : 2 * (d * (2 * M + 1)) < eta).
  { apply Rlt_le_trans with (d * (4 * M + 3)); [nra|].
    apply Rle_trans with (eta / (4 * M + 3) * (4 * M + 3)); [apply Rmult_le_compat_r; [lra|apply Rmin_r]|right; field; lra]. }
  destruct (H1 d (proj1 DP)) as (e1 & P1 & K1). destruct (H2 d (proj1 DP)) as (e2 & P2 & K2).
  exists (Rmin e1 e2). split; [apply Rmin_pos; auto|]. intros v' N.
  destruct (K1 v' (near_entries_mono _ _ _ _ (Rmin_l _ _) N)) as [A1 B1].
  destruct (K2 v' (near_entries_mono _ _ _ _ (Rmin_r _ _) N)) as [A2 B2].
  unfold gmul. cbn [fst snd]. split.
  - pose proof (product_near M _ _ (fst a) (fst b) d MP ltac:(unfold M; lra) ltac:(unfold M; lra) DP A1 A2).
    assert (0 <= d * (2 * M + 1)) by (apply Rmult_le_pos; lra). lra.
  - intros i. rewrite !nth_axpy, !nth_scal. specialize (BA i). specialize (BB i).
    pose proof (product_near M _ _ (fst a) (nth i (snd b) 0) d MP ltac:(unfold M; lra) ltac:(unfold M; lra) DP A1 (B2 i)) as X1.
    pose proof (product_near M _ _ (fst b) (nth i (snd a) 0) d MP ltac:(unfold M; lra) ltac:(unfold M; lra) DP A2 (B1 i)) as X2.
    eapply Rle_lt_trans; [|exact DE]. apply Rabs_le_inv in X1, X2. apply Rabs_le. lra.
Qed.
Definition hvalue (S : list (list R)) (th : params R) (x c : vec) : vec -> gnum :=
  pattern_value (fun _ => gzero) (fun f g v => gadd (f v) (g v)) (fun f g v => gmul (f v) (g v))
    (map (map (fun a _ => gconst a)) S) (lift (fun k v => variable v k) 0 th)
    (map (fun a _ => gconst a) x) (map (fun a _ => gconst a) c).
Lemma hvalue_steady S th v x c : steady v (hvalue S th x c) (gvalue S th v x c).
Proof.
  relate_values (steady v) steady_const steady_add steady_mul steady_variable.
Qed.
(* at every v, and for every network of the architecture *)
Lemma gvalue_steady S th v x c eta : 0 < eta -> exists e, 0 < e /\ forall v', near_entries e v v' -> forall i,
  Rabs (nth i (snd (gvalue S th v' x c)) 0 - nth i (snd (gvalue S th v x c)) 0) < eta.
Proof.
  intros HE. destruct (hvalue_steady S th v x c) as [_ H]. destruct (H eta HE) as (e & E & K).
  exists e. split; auto. intros v' N i. destruct (hvalue_steady S th v' x c) as [A _]. rewrite <- A. apply K; auto.
Qed.
Lemma lift_same {A B} (co : nat -> B) (th th' : params A) :
  Forall2 (fun l l' : list A * matrix => snd l = snd l' /\ length (fst l) = length (fst l')) th th' ->
  forall n, lift co n th = lift co n th'.
Proof.
  induction 1 as [|[u W] [u' W'] th th' [E1 E2] F IH]; intros n; auto. cbn [fst snd] in *. subst W'.
  cbn [lift]. rewrite E2, IH. auto.
Qed.
Lemma gvalue_same S th th' v x c : same_architecture th th' -> gvalue S th v x c = gvalue S th' v x c.
Proof. intros H. unfold gvalue. rewrite (lift_same _ _ _ H). auto. Qed.
