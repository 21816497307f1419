(* Pattern.v -- networks whose activations are replaced by fixed slopes: polynomials, of degree 1 in each
   layer.  Where no hidden preactivation is 0 the network agrees nearby with the one whose slopes are its own. *)
Require Import Reals List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors.
Import ListNotations.
Open Scope R_scope.

Section Pass.
  Variables (A : Type) (zero : A) (add mul : A -> A -> A).
  Fixpoint times (s z : list A) : list A :=
    match s, z with a :: s', b :: z' => mul a b :: times s' z' | _, _ => [] end.
  (* one list of slopes per hidden layer *)
  Fixpoint patterned (S : list (list A)) (ls : params A) (a : list A) : list A :=
    match ls with
    | [] => a
    | [(u, W)] => layer zero add mul u W a
    | (u, W) :: rest => patterned (tl S) rest (times (hd [] S) (layer zero add mul u W a))
    end.
  Definition pattern_value (S : list (list A)) (ls : params A) (x c : list A) : A :=
    sum_products zero add mul c (patterned S ls x).
End Pass.
Arguments times {A}. Arguments patterned {A}. Arguments pattern_value {A}.

(* Two kinds of numbers whose operations respect a relation: so do the passes. *)
Section Relation.
  Variables (A B : Type) (zA : A) (addA mulA : A -> A -> A) (zB : B) (addB mulB : B -> B -> B).
  Variable rel : A -> B -> Prop.
  Hypothesis rel_zero : rel zA zB.
  Hypothesis rel_add : forall a b a' b', rel a b -> rel a' b' -> rel (addA a a') (addB b b').
  Hypothesis rel_mul : forall a b a' b', rel a b -> rel a' b' -> rel (mulA a a') (mulB b b').
  Definition rel_params (la : params A) (lb : params B) : Prop :=
    Forall2 (fun l l' => Forall2 rel (fst l) (fst l') /\ snd l = snd l') la lb.

  Lemma rel_nth u u' k : Forall2 rel u u' -> rel (nth k u zA) (nth k u' zB).
  Proof. intros H. revert k. induction H; intros [|k]; simpl; auto. Qed.
  Lemma rel_row_dot u u' r : Forall2 rel u u' -> forall a a', Forall2 rel a a' ->
    rel (row_dot zA addA mulA u r a) (row_dot zB addB mulB u' r a').
  Proof.
    intros HU. induction r as [|[k|] r IH]; intros a a' H; destruct H; simpl; auto.
    apply rel_add; auto. apply rel_mul; auto. apply rel_nth; auto.
  Qed.
  Lemma rel_layer u u' W a a' : Forall2 rel u u' -> Forall2 rel a a' ->
    Forall2 rel (layer zA addA mulA u W a) (layer zB addB mulB u' W a').
  Proof. intros HU HA. unfold layer. induction W; simpl; constructor; auto. apply rel_row_dot; auto. Qed.
  Lemma rel_times s s' : Forall2 rel s s' -> forall z z', Forall2 rel z z' -> Forall2 rel (times mulA s z) (times mulB s' z').
  Proof. induction 1; intros z z' H2; destruct H2; simpl; constructor; auto. Qed.
  Lemma rel_patterned la lb : rel_params la lb -> forall S S' a a', Forall2 (Forall2 rel) S S' -> Forall2 rel a a' ->
    Forall2 rel (patterned zA addA mulA S la a) (patterned zB addB mulB S' lb a').
  Proof.
    intros H. induction H as [|[u W] [u' W'] la lb [HU HW] HL IH]; intros S S' a a' HS HA; [auto|].
    cbn [fst snd] in HU, HW. subst W'. pose proof (rel_layer u u' W a a' HU HA) as L.
    inversion HL; subst; [exact L|].
    cbn [patterned]. apply IH.
    - inversion HS; subst; simpl; auto.
    - apply rel_times; auto. inversion HS; subst; simpl; auto.
  Qed.
  Lemma rel_sum_products c c' : Forall2 rel c c' -> forall a a', Forall2 rel a a' ->
    rel (sum_products zA addA mulA c a) (sum_products zB addB mulB c' a').
  Proof. induction 1; intros a a' H2; destruct H2; simpl; auto. Qed.
  Lemma rel_value la lb S S' x x' c c' : rel_params la lb -> Forall2 (Forall2 rel) S S' -> Forall2 rel x x' ->
    Forall2 rel c c' -> rel (pattern_value zA addA mulA S la x c) (pattern_value zB addB mulB S' lb x' c').
  Proof. intros. apply rel_sum_products; auto. apply rel_patterned; auto. Qed.
End Relation.

(* ---- where the network is its pattern ------------------------------------------------------- *)
Definition slope_ok (al s z : R) : Prop := (s = 1 /\ 0 < z) \/ (s = al /\ z < 0) \/ (s = 1 /\ al = 1).
(* Units that are 0 for all nearby parameters are off: inputs that are 0, and units whose inputs are all off
   (their row is blind) or, for alpha = 0, whose preactivation is negative. *)
Fixpoint blind (off : list bool) (r : row) : bool :=
  match r with
  | [] => true
  | None :: r' => blind (tl off) r'
  | Some _ :: r' => hd false off && blind (tl off) r'
  end.
Definition unit_fits (al : R) (off : list bool) (u a : vec) (s : R) (r : row) : Prop :=
  blind off r = true \/ slope_ok al s (row_dot 0 Rplus Rmult u r a).
Definition unit_off (al : R) (off : list bool) (u a : vec) (o : bool) (r : row) : Prop :=
  o = true -> blind off r = true \/ (al = 0 /\ row_dot 0 Rplus Rmult u r a < 0).
Fixpoint fits (al : R) (S : list (list R)) (offs : list (list bool)) (off : list bool) (ls : params R) (a : vec) : Prop :=
  match ls with
  | [] => True
  | [_] => True
  | (u, W) :: rest =>
      Forall2 (unit_fits al off u a) (hd [] S) W /\ Forall2 (unit_off al off u a) (hd [] offs) W
      /\ fits al (tl S) (tl offs) (hd [] offs) rest (map (act al) (layer 0 Rplus Rmult u W a))
  end.
Definition zero_at (off : list bool) (a : vec) : Prop := forall c, nth c off false = true -> nth c a 0 = 0.
Definition near_vec (e : R) (a b : vec) : Prop := Forall2 (fun s t => Rabs (s - t) < e) a b.
Lemma near_mono e e' a b : e <= e' -> near_vec e a b -> near_vec e' a b.
Proof. intros H C. induction C; constructor; auto. lra. Qed.
Lemma close_mono_p e e' a b : e <= e' -> close e a b -> close e' a b.
Proof. intros H C. induction C; constructor; auto. apply (near_mono e); auto. Qed.
Lemma near_nth e a b k : 0 < e -> near_vec e a b -> Rabs (nth k a 0 - nth k b 0) < e.
Proof. intros HE H. revert k. induction H; intros [|k]; simpl; auto; rewrite Rminus_0_r, Rabs_R0; auto. Qed.

Lemma row_dot_near u r : forall a eta, 0 < eta -> exists e, 0 < e /\ forall u' a', near_vec e u u' -> near_vec e a a' ->
  Rabs (row_dot 0 Rplus Rmult u r a - row_dot 0 Rplus Rmult u' r a') < eta.
Proof.
  induction r as [|[k|] r IH]; intros a eta HE.
  - exists 1. split; [lra|]. intros. simpl. rewrite Rminus_0_r, Rabs_R0. auto.
  - destruct a as [|z a].
    + exists 1. split; [lra|]. intros u' a' _ H. inversion H; subst. simpl. rewrite Rminus_0_r, Rabs_R0. auto.
    + destruct (IH a (eta / 2) ltac:(lra)) as (e & E & K). set (w := nth k u 0).
      pose (M := Rabs w + Rabs z + 1). assert (MP : 0 < M) by (unfold M; pose proof (Rabs_pos w); pose proof (Rabs_pos z); lra).
      exists (Rmin e (Rmin 1 (eta / 2 / M))). assert (Q : 0 < eta / 2 / M) by (apply Rdiv_lt_0_compat; lra).
      split; [repeat apply Rmin_pos; auto; lra|]. set (d := Rmin e (Rmin 1 (eta / 2 / M))).
      assert (D1 : d <= e) by apply Rmin_l.
      assert (D2 : d <= 1) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
      assert (D3 : d <= eta / 2 / M) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
      assert (DP : 0 < d) by (repeat apply Rmin_pos; auto; lra).
      intros u' a' HU HA. inversion HA as [|? z' ? a2 HZ HA2]; subst. cbn [row_dot].
      pose proof (near_nth d u u' k DP HU) as HW. fold w in HW. set (w' := nth k u' 0) in *.
      specialize (K u' a2 (near_mono _ _ _ _ D1 HU) (near_mono _ _ _ _ D1 HA2)). fold w.
      set (p := row_dot 0 Rplus Rmult u r a) in *. set (p' := row_dot 0 Rplus Rmult u' r a2) in *.
      assert (T : Rabs (w * z - w' * z') <= d * M).
      { replace (w * z - w' * z') with (w * (z - z') + (w - w') * z - (w - w') * (z - z')) by ring.
        eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
        eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|]. rewrite !Rabs_mult.
        pose proof (Rabs_pos w). pose proof (Rabs_pos z). pose proof (Rabs_pos (w - w')). pose proof (Rabs_pos (z - z')).
        unfold M. assert (Rabs w * Rabs (z - z') <= Rabs w * d) by (apply Rmult_le_compat_l; lra).
        assert (Rabs (w - w') * Rabs z <= d * Rabs z) by (apply Rmult_le_compat_r; lra).
        assert (Rabs (w - w') * Rabs (z - z') <= d * 1) by (apply Rmult_le_compat; lra). lra. }
      assert (d * M <= eta / 2).
      { apply Rle_trans with (eta / 2 / M * M); [apply Rmult_le_compat_r; lra|right; field; lra]. }
      replace (w * z + p - (w' * z' + p')) with ((w * z - w' * z') + (p - p')) by ring.
      eapply Rle_lt_trans; [apply Rabs_triang|]. lra.
  - destruct a as [|z a].
    + exists 1. split; [lra|]. intros u' a' _ H. inversion H; subst. simpl. rewrite Rminus_0_r, Rabs_R0. auto.
    + destruct (IH a eta HE) as (e & E & K). exists e. split; auto.
      intros u' a' HU HA. inversion HA; subst. cbn [row_dot]. apply K; auto.
Qed.
Lemma layer_near u W : forall a eta, 0 < eta -> exists e, 0 < e /\ forall u' a', near_vec e u u' -> near_vec e a a' ->
  near_vec eta (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a').
Proof.
  induction W as [|r W IH]; intros a eta HE.
  - exists 1. split; [lra|]. intros. constructor.
  - destruct (IH a eta HE) as (e & E & K). destruct (row_dot_near u r a eta HE) as (f & F & L).
    exists (Rmin e f). split; [apply Rmin_pos; auto|]. intros u' a' HU HA. unfold layer. cbn [map]. constructor.
    + apply L; eapply near_mono; eauto; apply Rmin_r.
    + apply K; eapply near_mono; eauto; apply Rmin_l.
Qed.
Lemma act_near al e z z' : 0 <= al <= 1 -> near_vec e z z' -> near_vec e (map (act al) z) (map (act al) z').
Proof. intros HA H. induction H; simpl; constructor; auto. eapply Rle_lt_trans; [apply act_lipschitz; auto|auto]. Qed.
Lemma row_dot_blind u r : forall off a, blind off r = true -> zero_at off a -> row_dot 0 Rplus Rmult u r a = 0.
Proof.
  induction r as [|[k|] r IH]; intros off [|z a] H Z; simpl in *; auto.
  - apply andb_prop in H. destruct H as [H1 H2].
    assert (E : z = 0) by (specialize (Z 0%nat); destruct off; simpl in *; auto; discriminate).
    rewrite E, (IH (tl off) a H2); [ring|]. intros c C. specialize (Z (S c)). destruct off; [destruct c; discriminate|]. auto.
  - apply (IH (tl off) a H). intros c C. specialize (Z (S c)). destruct off; [destruct c; discriminate|]. auto.
Qed.
Lemma slope_ok_near al s z : slope_ok al s z -> exists e, 0 < e /\ forall z', Rabs (z - z') < e -> slope_ok al s z'.
Proof.
  intros [[H1 H2]|[[H1 H2]|[H1 H2]]].
  - exists z. split; auto. intros z' N. apply Rabs_def2 in N. left. split; auto. lra.
  - exists (- z). split; [lra|]. intros z' N. apply Rabs_def2 in N. right. left. split; auto. lra.
  - exists 1. split; [lra|]. intros. right. right. auto.
Qed.
(* what holds of rows, and of each as long as its value changes little, holds as long as all do *)
Lemma rows_near {A} (P : vec -> vec -> A -> list (option nat) -> Prop) u a l W :
  (forall s r, P u a s r -> exists f, 0 < f /\ forall u' a',
    Rabs (row_dot 0 Rplus Rmult u r a - row_dot 0 Rplus Rmult u' r a') < f -> P u' a' s r) ->
  Forall2 (P u a) l W -> exists e, 0 < e /\ forall u' a',
  near_vec e (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a') -> Forall2 (P u' a') l W.
Proof.
  intros one. induction 1 as [|s r l W H F (e & E & K)].
  - exists 1. split; [lra|]. intros. constructor.
  - destruct (one s r H) as (f & FP & L). exists (Rmin e f). split; [apply Rmin_pos; auto|].
    intros u' a' N. unfold layer in N. cbn [map] in N. inversion N; subst. constructor.
    + apply L. eapply Rlt_le_trans; [eauto|apply Rmin_r].
    + apply K. eapply near_mono; [apply Rmin_l|eauto].
Qed.
Lemma units_near al off u a ss W : Forall2 (unit_fits al off u a) ss W -> exists e, 0 < e /\ forall u' a',
  near_vec e (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a') -> Forall2 (unit_fits al off u' a') ss W.
Proof.
  apply (rows_near (unit_fits al off)). intros s r [H|H]; [exists 1; split; [lra|left; auto]|].
  destruct (slope_ok_near _ _ _ H) as (f & FP & L). exists f. split; auto. intros. right. auto.
Qed.
Lemma offs_near al off u a os W : Forall2 (unit_off al off u a) os W -> exists e, 0 < e /\ forall u' a',
  near_vec e (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a') -> Forall2 (unit_off al off u' a') os W.
Proof.
  apply (rows_near (unit_off al off)). intros o r H.
  destruct o; [|exists 1; split; [lra|intros; discriminate]].
  destruct (H eq_refl) as [B|[B1 B2]]; [exists 1; split; [lra|left; auto]|].
  exists (- row_dot 0 Rplus Rmult u r a). split; [lra|]. intros u' a' N _. apply Rabs_def2 in N. right. split; auto. lra.
Qed.
Lemma times_is_act al off u a ss W : zero_at off a -> Forall2 (unit_fits al off u a) ss W ->
  times Rmult ss (layer 0 Rplus Rmult u W a) = map (act al) (layer 0 Rplus Rmult u W a).
Proof.
  intros Z. unfold layer. induction 1 as [|s r ss W H F IH]; simpl; auto. rewrite IH. f_equal.
  destruct H as [H|H]; [rewrite (row_dot_blind u r off a H Z), act_0; ring|].
  unfold act. destruct H as [[H1 H2]|[[H1 H2]|[H1 H2]]]; subst;
    destruct (Rlt_dec 0 (row_dot 0 Rplus Rmult u r a)); try lra.
Qed.
Lemma offs_zero al off u a os W : zero_at off a -> Forall2 (unit_off al off u a) os W ->
  zero_at os (map (act al) (layer 0 Rplus Rmult u W a)).
Proof.
  intros Z. unfold layer. induction 1 as [|o r os W H F IH]; intros [|c] C; simpl in *; auto; try discriminate.
  destruct (H C) as [B|[B1 B2]]; [rewrite (row_dot_blind u r off a B Z); apply act_0|].
  subst al. unfold act. destruct (Rlt_dec 0 (row_dot 0 Rplus Rmult u r a)); lra.
Qed.
Lemma fits_value al ls : forall S offs off a, zero_at off a -> fits al S offs off ls a ->
  forward 0 Rplus Rmult (act al) ls a = patterned 0 Rplus Rmult S ls a.
Proof.
  induction ls as [|[u W] ls IH]; intros S offs off a Z H; auto. destruct ls as [|l ls]; auto.
  destruct H as (H1 & H2 & H3). cbn [forward patterned]. rewrite (times_is_act _ _ _ _ _ _ Z H1).
  apply (IH (tl S) (tl offs) (hd [] offs) _); auto. apply (offs_zero _ _ _ _ _ _ Z H2).
Qed.
(* and nearby networks fit the same pattern *)
Lemma fits_near al : 0 <= al <= 1 -> forall ls S offs off a, fits al S offs off ls a -> exists e, 0 < e /\ forall ls' a',
  same_architecture ls ls' -> close e ls ls' -> near_vec e a a' -> fits al S offs off ls' a'.
Proof.
  intros HA. induction ls as [|[u W] ls IH]; intros S offs off a H.
  - exists 1. split; [lra|]. intros ls' a' F _ _. inversion F. exact I.
  - destruct ls as [|l ls].
    + exists 1. split; [lra|]. intros ls' a' F _ _. inversion F as [|? [u' W'] ? ? _ F']; subst. inversion F'; subst. exact I.
    + destruct H as (H1 & H0 & H2). destruct (units_near _ _ _ _ _ _ H1) as (e1 & E1 & K1).
      destruct (offs_near _ _ _ _ _ _ H0) as (e0 & E0 & K0).
      destruct (IH (tl S) (tl offs) (hd [] offs) _ H2) as (e2 & E2 & K2).
      destruct (layer_near u W a (Rmin e0 (Rmin e1 e2)) ltac:(repeat apply Rmin_pos; auto)) as (e3 & E3 & K3).
      exists (Rmin e2 e3). split; [apply Rmin_pos; auto|]. intros ls' a' F C N.
      inversion F as [|? [u' W'] ? lr [FW FL] F']; subst. inversion C as [|? ? ? ? CU C']; subst.
      cbn [fst snd] in FW, FL, CU. subst W'.
      assert (Z : near_vec (Rmin e0 (Rmin e1 e2)) (layer 0 Rplus Rmult u W a) (layer 0 Rplus Rmult u' W a')).
      { apply K3; (eapply near_mono; [apply Rmin_r|]); eauto. }
      destruct lr as [|l' lr]; [inversion F'|].
      change (Forall2 (unit_fits al off u' a') (hd [] S) W /\ Forall2 (unit_off al off u' a') (hd [] offs) W /\
              fits al (tl S) (tl offs) (hd [] offs) (l' :: lr) (map (act al) (layer 0 Rplus Rmult u' W a'))).
      split; [|split].
      * apply K1. eapply near_mono; [|exact Z]. eapply Rle_trans; [apply Rmin_r|apply Rmin_l].
      * apply K0. eapply near_mono; [|exact Z]. apply Rmin_l.
      * apply K2; auto; [eapply close_mono_p; [apply Rmin_l|eauto]|].
        apply act_near; auto. eapply near_mono; [|exact Z]. eapply Rle_trans; [apply Rmin_r|apply Rmin_r].
Qed.
