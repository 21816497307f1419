(* OutputCells.v -- rules 3.5a and 3.6 for two layers with several outputs and no sharing.  With slopes s_ij that bound
   the activations from above where they matter,

     g' Sum lambda <= Sum lambda q(theta') <= Sum_j v_j . (M_j w_j) <= r Sum |v_j| |w_j| <= r/2 |theta'|^2,

   M_j = Sum_i s_ij C_i x_i^T on the outputs and inputs of neuron j, C_i the sum of sample i's covectors with their
   multipliers, r = 2 B Sum lambda at least the operator norms of all M_j.  Near theta the slopes are those of sigma, or
   any in [alpha, 1] at kinks where C_i . v_j < 0; for alpha = 1 they are 1 everywhere. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Point.
Require Import MaxMargin.Pattern MaxMargin.Gradient MaxMargin.Kkt MaxMargin.LayerCell MaxMargin.TwoLayer MaxMargin.Layout MaxMargin.Serving MaxMargin.Regions.
Require Import MaxMargin.Backward MaxMargin.Residual MaxMargin.Directional MaxMargin.Limits MaxMargin.Definite.
Import ListNotations.
Open Scope R_scope.

(* per neuron the row of its inputs and the column of its outputs *)
Fixpoint neuron_rows (W V : matrix) : list (row * row) :=
  match W with [] => [] | r :: W' => (r, map (hd None) V) :: neuron_rows W' (map (@tl _) V) end.
Definition absent (o : row) : bool := forallb (fun e => match e with None => true | Some _ => false end) o.
(* C_i, x_i, and the slopes of the remaining neurons where they are given *)
Definition item := (list num * list num * list (option num))%type.
Definition item_slope (everywhere : bool) (al : num) (u v : list num) (n : row * row) (it : item) : option num :=
  let '(c, x, os) := it in
  let given := hd None os in
  if eqb al one then match given with None => Some one | Some _ => None end
  else if everywhere then None
  else if absent (snd n) || blind (zeros x) (fst n) then match given with None => Some al | Some _ => None end
  else
    let z := qdot (row_weights zero u (fst n)) x in
    match given with
    | Some s => if eqb z zero && leb al s && leb s one && ltb (qdot c (row_weights zero v (snd n))) zero then Some s else None
    | None => if eqb z zero then None else Some (own_slope al z)
    end.
(* the rows of M_j *)
Fixpoint mrow (l : list (list num * list num)) : list num :=
  match l with [] => [] | (c, x) :: l' => qaxpy (hd zero c) x (mrow l') end.
Fixpoint mrows (o : row) (l : list (list num * list num)) : list (list num) :=
  match o with
  | [] => []
  | e :: o' => (match e with Some _ => mrow l | None => [] end) :: mrows o' (map (fun p => (tl (fst p), snd p)) l)
  end.
Definition sloped (n : row * row) (p : item * num) : list num * list num :=
  (fst (fst (fst p)), map (mul (snd p)) (seen zero (reads (fst n)) (snd (fst (fst p))))).
Definition neuron_ok (everywhere : bool) (al r : num) (u v : list num) (n : row * row) (l : list item) : bool :=
  match all_some (map (item_slope everywhere al u v n) l) with
  | Some ss => qsemidefinite (length (snd n)) (gram (mul r r) (mrows (snd n) (map (sloped n) (combine l ss))))
  | None => false
  end.
Definition next_neuron (it : item) : item := (fst it, tl (snd it)).
Fixpoint neurons_ok (everywhere : bool) (al r : num) (u v : list num) (ns : list (row * row)) (l : list item) : bool :=
  match ns with
  | [] => forallb (fun it : item => match snd it with [] => true | _ => false end) l
  | n :: ns' => neuron_ok everywhere al r u v n l && neurons_ok everywhere al r u v ns' (map next_neuron l)
  end.

(* Witness: sample, multipliers of its covectors in order, slopes by row of layer 1 *)
Definition cell_item := (nat * list num * list (option num))%type.
Fixpoint weighted (ws : list num) (cs : list (list num)) : option (list num * num) :=
  match ws, cs with
  | [], [] => Some ([], zero)
  | w :: ws', c :: cs' =>
      match weighted ws' cs' with
      | Some (t, s) => if nonneg w then Some (qaxpy w c t, add w s) else None
      | None => None
      end
  | _, _ => None
  end.
Fixpoint items_of (p : qproblem) (l : list cell_item) : option (list item * num) :=
  match l with
  | [] => Some ([], zero)
  | (i, ws, os) :: l' =>
      match nth_error (qsamples p) i, items_of p l' with
      | Some (x, y), Some (t, s) =>
          match weighted ws (covectors zero one opp (outputs (qtheta p)) y) with
          | Some (c, s') => Some ((c, x, os) :: t, add s' s)
          | None => None
          end
      | _, _ => None
      end
  end.
Definition cells_ok (p : qproblem) (everywhere : bool) (B : num) (l : list cell_item) : bool :=
  match qtheta p, items_of p l with
  | [(u, W); (v, V)], Some (items, s) =>
      nonneg B && positive s && in_order (u, W) && in_order (v, V)
      && neurons_ok everywhere (qalpha p) (mul (of_Z 2) (mul B s)) u v (neuron_rows W V) items
  | _, _ => false
  end.
Definition own_nu2 (p : qproblem) (g : num) : num := mul g (inv (qnorm2 (qtheta p))).
Definition check_cells (own : option num) (p : qproblem) (global : bool) (l : list cell_item) : bool :=
  match own with
  | Some g => positive (qnorm2 (qtheta p)) && cells_ok p global (own_nu2 p g) l
  | None => false
  end.
Definition check_cells_bound (own : option num) (p : qproblem) (k : qregion) (B : num) (l : list cell_item) : bool :=
  match own, k with
  | Some _, QAnyWidth => false
  | Some _, _ => cells_ok p true B l
  | None, _ => false
  end.

(* ---- networks as neurons ----------------------------------------------------------------------- *)
Definition wj (u : vec) (n : row * row) : vec := row_weights 0 u (fst n).
Definition vj (v : vec) (n : row * row) : vec := row_weights 0 v (snd n).
Definition unit_term (al : R) (u v c x : vec) (n : row * row) : R := dot c (vj v n) * act al (dot (wj u n) x).
Lemma row_dot_cons v r y a : row_dot 0 Rplus Rmult v r (y :: a) =
  match hd None r with Some k => nth k v 0 | None => 0 end * y + row_dot 0 Rplus Rmult v (tl r) a.
Proof. destruct r as [|[k|] r]; simpl; ring. Qed.
Lemma layer_cons v V y a : forall c, dot c (layer 0 Rplus Rmult v V (y :: a)) =
  dot c (row_weights 0 v (map (hd None) V)) * y + dot c (layer 0 Rplus Rmult v (map (@tl _) V) a).
Proof.
  unfold layer, row_weights. induction V as [|r V IH]; intros [|b c]; cbn [map dot]; try ring.
  rewrite IH, row_dot_cons. ring.
Qed.
Lemma layer_of_nil v V c : dot c (layer 0 Rplus Rmult v V []) = 0.
Proof. unfold layer. revert c. induction V as [|r V IH]; intros [|b c]; simpl; auto. rewrite IH, row_dot_nil. ring. Qed.
Lemma forward_neurons al u v c x : forall W V,
  dot c (forward 0 Rplus Rmult (act al) [(u, W); (v, V)] x) = sumR (map (unit_term al u v c x) (neuron_rows W V)).
Proof.
  cbn [forward]. unfold layer at 2. induction W as [|r W IH]; intros V.
  - apply layer_of_nil.
  - cbn [map neuron_rows sumR]. rewrite layer_cons, IH. unfold unit_term, wj, vj. cbn [fst snd]. rewrite row_dot_dot. ring.
Qed.
Lemma squares_columns v V : squares_at v (uses V) =
  squares_at v (used (map (hd None) V)) + squares_at v (uses (map (@tl _) V)).
Proof.
  induction V as [|r V IH]; [unfold squares_at; simpl; ring|].
  change (uses (r :: V)) with (used r ++ uses V). change (uses (map (@tl _) (r :: V))) with (used (tl r) ++ uses (map (@tl _) V)).
  rewrite !squares_at_app, IH. destruct r as [|[k|] r]; cbn [map hd tl].
  - change (used (None :: map (hd None) V)) with (used (map (hd None) V)). change (used []) with (@nil nat).
    assert (Z : squares_at v [] = 0) by reflexivity. rewrite Z. ring.
  - change (used (Some k :: r)) with ([k] ++ used r). change (used (Some k :: map (hd None) V)) with ([k] ++ used (map (hd None) V)).
    rewrite !squares_at_app. ring.
  - change (used (None :: r)) with (used r). change (used (None :: map (hd None) V)) with (used (map (hd None) V)). ring.
Qed.
Lemma neurons_norms u v : forall W V,
  sumR (map (fun n => dot (wj u n) (wj u n) + dot (vj v n) (vj v n)) (neuron_rows W V)) <= squares_at u (uses W) + squares_at v (uses V).
Proof.
  induction W as [|r W IH]; intros V.
  - simpl. pose proof (squares_at_nonneg u []). pose proof (squares_at_nonneg v (uses V)). lra.
  - cbn [neuron_rows map sumR]. change (uses (r :: W)) with (used r ++ uses W). rewrite squares_at_app, (squares_columns v V).
    specialize (IH (map (@tl _) V)). set (n := (r, map (hd None) V)).
    assert (E1 : dot (wj u n) (wj u n) = squares_at u (used r)) by apply row_weights_sq.
    assert (E2 : dot (vj v n) (vj v n) = squares_at v (used (map (hd None) V))) by apply row_weights_sq. lra.
Qed.

(* ---- one neuron --------------------------------------------------------------------------------- *)
Lemma near_row_weights e u u' r : 0 < e -> near_vec e u u' -> near_vec e (row_weights 0 u r) (row_weights 0 u' r).
Proof.
  intros HE N. unfold row_weights. induction r as [|[k|] r IH]; simpl; constructor; auto.
  - apply near_nth; auto.
  - rewrite Rminus_0_r, Rabs_R0. auto.
Qed.
(* products with a fixed vector keep their strict sign nearby *)
Lemma product_keeps c w : dot c w <> 0 -> exists e, 0 < e /\ forall w', near_vec e w w' -> Rabs (dot c w - dot c w') < Rabs (dot c w).
Proof.
  intros Z. assert (P : 0 < Rabs (dot c w)) by (apply Rabs_pos_lt; auto). pose proof (sum_abs_nonneg c) as S.
  exists (Rabs (dot c w) / (sum_abs c + 1) / 2). assert (Q : 0 < Rabs (dot c w) / (sum_abs c + 1)) by (apply Rdiv_lt_0_compat; lra).
  assert (Q2 : 0 <= Rabs (dot c w) / (sum_abs c + 1) / 2) by lra.
  split; [lra|]. intros w' N. eapply Rle_lt_trans; [apply (dot_near _ c _ _ Q2 N)|].
  assert (Rabs (dot c w) / (sum_abs c + 1) * (sum_abs c + 1) = Rabs (dot c w)) by (field; lra).
  set (Q1 := Rabs (dot c w) / (sum_abs c + 1)) in *. lra.
Qed.
Lemma absent_zero v o : absent o = true -> forall c, dot c (row_weights 0 v o) = 0.
Proof.
  unfold absent, row_weights. induction o as [|[k|] o IH]; intros H c; simpl in *; try discriminate; destruct c; simpl; auto.
  rewrite IH by auto. ring.
Qed.
Definition served (everywhere : bool) (e : R) (u v : list num) (u' v' : vec) : Prop :=
  everywhere = true \/ (near_vec e (vR u) u' /\ near_vec e (vR v) v').
Lemma served_mono ev e e' u v u' v' : e <= e' -> served ev e u v u' v' -> served ev e' u v u' v'.
Proof. intros H [S|[A B]]; [left; auto|right]. split; eapply near_mono; eauto. Qed.
Definition cR (it : item) : vec := vR (fst (fst it)).
Definition xR (it : item) : vec := vR (snd (fst it)).
Lemma item_slope_ok ev al u v n it s : 0 <= #al <= 1 -> item_slope ev al u v n it = Some s -> exists e, 0 < e /\ forall u' v',
  served ev e u v u' v' -> unit_term #al u' v' (cR it) (xR it) n <= #s * (dot (cR it) (vj v' n) * dot (wj u' n) (xR it)).
Proof.
  intros HA. destruct it as [[c x] os]. unfold item_slope, unit_term, cR, xR. cbn [fst snd].
  destruct (eqb al one) eqn:E1.
  { intros H. destruct (hd None os); [discriminate|]. inversion H; subst. exists 1. split; [lra|]. intros u' v' _.
    tests. num. rewrite E1, act_1. lra. }
  destruct ev; [discriminate|]. destruct (absent (snd n) || blind (zeros x) (fst n)) eqn:E2.
  { intros H. exists 1. split; [lra|]. intros u' v' _. apply orb_prop in E2. destruct E2 as [E2|E2].
    - unfold vj. rewrite (absent_zero _ _ E2). lra.
    - unfold wj. rewrite <- row_dot_dot, (row_dot_blind u' _ _ _ E2) by apply zeros_ok. rewrite act_0. lra. }
  cbv zeta. assert (ZN : eqb (qdot (row_weights zero u (fst n)) x) zero = false -> dot (wj (vR u) n) (vR x) <> 0).
  { intros E Z. unfold eqb in E. unfold wj in Z. rewrite row_weights_R, <- qdot_ok in Z.
    apply andb_false_iff in E. destruct E as [E|E]; tests; num; lra. }
  destruct (hd None os) as [t|].
  - destruct (_ && _) eqn:T; [|discriminate]. intros H. inversion H; subst. tests. num.
    assert (NG : dot (vR c) (vj (vR v) n) < 0) by (unfold vj; rewrite row_weights_R, <- qdot_ok; auto).
    destruct (product_keeps (vR c) (vj (vR v) n) ltac:(lra)) as (e & E & K). exists e. split; auto.
    intros u' v' [S|[_ N]]; [discriminate|]. specialize (K (vj v' n) (near_row_weights _ _ _ _ E N)).
    rewrite (Rabs_left (dot (vR c) (vj (vR v) n))) in K by auto. apply Rabs_def2 in K.
    set (b := dot (vR c) (vj v' n)) in *. set (z := dot (wj u' n) (vR x)) in *.
    assert (#s * z <= act #al z) by (unfold act; destruct (Rlt_dec 0 z); nra). nra.
  - destruct (eqb _ zero) eqn:E3; [discriminate|]. intros H. inversion H; subst. specialize (ZN eq_refl).
    rewrite dot_comm in ZN.
    destruct (product_keeps (vR x) (wj (vR u) n) ZN) as (e & E & K). exists e. split; auto.
    intros u' v' [S|[N _]]; [discriminate|]. specialize (K (wj u' n) (near_row_weights _ _ _ _ E N)).
    rewrite own_slope_ok, qdot_ok, <- row_weights_R, (dot_comm (row_weights 0 (vR u) (fst n))). fold (wj (vR u) n).
    rewrite (dot_comm (wj u' n)). set (z := dot (vR x) (wj (vR u) n)) in *. set (z' := dot (vR x) (wj u' n)) in *.
    right. unfold act. apply Rabs_def2 in K. unfold Rabs in K.
    destruct (Rcase_abs z), (Rlt_dec 0 z), (Rlt_dec 0 z'); try lra; ring.
Qed.
Lemma mrow_dot w l : dot (vR (mrow l)) w = sumR (map (fun p => hd 0 (vR (fst p)) * dot (vR (snd p)) w) l).
Proof. induction l as [|[c x] l IH]; auto. cbn [mrow map sumR fst snd]. rewrite qaxpy_ok, dot_axpy_l, IH, hd_num. auto. Qed.
Lemma sumR_plus {A} (f g : A -> R) l : sumR (map (fun a => f a + g a) l) = sumR (map f l) + sumR (map g l).
Proof. induction l; simpl; [ring|]. rewrite IHl. ring. Qed.
Lemma sumR_times {A} (f : A -> R) k l : sumR (map (fun a => k * f a) l) = k * sumR (map f l).
Proof. induction l; simpl; [ring|]. rewrite IHl. ring. Qed.
Lemma mrows_dot v w : forall o l, dot (row_weights 0 v o) (map (fun m => dot (vR m) w) (mrows o l)) =
  sumR (map (fun p => dot (vR (fst p)) (row_weights 0 v o) * dot (vR (snd p)) w) l).
Proof.
  induction o as [|e o IH]; intros l.
  - simpl. induction l as [|p l IH]; simpl; auto. rewrite <- IH, dot_nil_r. ring.
  - cbn [row_weights map mrows dot]. fold (row_weights 0 v o). rewrite IH, map_map. cbn [fst snd].
    set (a := match e with Some k => nth k v 0 | None => 0 end).
    assert (E : a * dot (vR (match e with Some _ => mrow l | None => [] end)) w =
                a * sumR (map (fun p => hd 0 (vR (fst p)) * dot (vR (snd p)) w) l)).
    { unfold a. destruct e; [rewrite mrow_dot; auto|ring]. }
    rewrite E, <- sumR_times, <- sumR_plus. f_equal. apply map_ext. intros [c x]. cbn [fst snd].
    destruct c as [|b c]; simpl; ring.
Qed.
Lemma mrows_length o : forall l, length (mrows o l) = length o.
Proof. induction o; intros l; simpl; auto. Qed.
Lemma reads_cover r : forall c, nth c r None <> None -> nth c (reads r) false = true.
Proof. unfold reads. induction r as [|[k|] r IH]; intros [|c] H; simpl in *; auto; congruence. Qed.
Lemma sloped_dot u' n p : dot (vR (snd (sloped n p))) (wj u' n) = #(snd p) * dot (wj u' n) (xR (fst p)).
Proof.
  unfold sloped, xR. cbn [fst snd]. assert (E : vR (map (mul (snd p)) (seen zero (reads (fst n)) (snd (fst (fst p))))) =
    scal #(snd p) (vR (seen zero (reads (fst n)) (snd (fst (fst p)))))).
  { unfold vR, scal. rewrite !map_map. apply map_ext. intros. num. auto. }
  rewrite E, dot_scal_l, seen_R, dot_comm. f_equal. unfold wj. apply seen_dot, reads_cover.
Qed.
Lemma neuron_bound ev al r u v n l : 0 <= #al <= 1 -> 0 <= #r -> neuron_ok ev al r u v n l = true -> exists e, 0 < e /\ forall u' v',
  served ev e u v u' v' ->
  sumR (map (fun it => unit_term #al u' v' (cR it) (xR it) n) l) <= #r * (norm (vj v' n) * norm (wj u' n)).
Proof.
  intros HA HR. unfold neuron_ok. destruct (all_some _) as [ss|] eqn:E; [|discriminate]. intros H.
  assert (SL : exists e, 0 < e /\ forall u' v', served ev e u v u' v' ->
    sumR (map (fun it => unit_term #al u' v' (cR it) (xR it) n) l) <=
    sumR (map (fun p : item * num => dot (cR (fst p)) (vj v' n) * (#(snd p) * dot (wj u' n) (xR (fst p)))) (combine l ss))).
  { clear H. revert ss E. induction l as [|it l IH]; intros ss E; simpl in E.
    - inversion E; subst. exists 1. split; [lra|]. intros; simpl; lra.
    - destruct (item_slope ev al u v n it) as [s|] eqn:S; [|discriminate].
      destruct (all_some _) as [t|] eqn:T; [|discriminate]. inversion E; subst.
      destruct (IH t eq_refl) as (e1 & E1 & K1). destruct (item_slope_ok _ _ _ _ _ _ _ HA S) as (e2 & E2 & K2).
      exists (Rmin e1 e2). split; [apply Rmin_pos; auto|]. intros u' v' SV.
      specialize (K1 u' v' (served_mono _ _ _ _ _ _ _ (Rmin_l e1 e2) SV)).
      specialize (K2 u' v' (served_mono _ _ _ _ _ _ _ (Rmin_r e1 e2) SV)). cbn [map combine sumR fst snd] in *.
      replace (dot (cR it) (vj v' n) * (#s * dot (wj u' n) (xR it))) with
        (#s * (dot (cR it) (vj v' n) * dot (wj u' n) (xR it))) by ring. lra. }
  destruct SL as (e & EP & K). exists e. split; auto. intros u' v' SV. eapply Rle_trans; [apply (K u' v' SV)|].
  assert (LM : (length (vj v' n) <= length (mrows (snd n) (map (sloped n) (combine l ss))))%nat).
  { unfold vj, row_weights. rewrite mrows_length, map_length. lia. }
  pose proof (operator_norm _ r _ (vj v' n) (wj u' n) HR LM H) as O.
  eapply Rle_trans; [|exact O]. right. unfold vj at 2. rewrite mrows_dot, map_map. f_equal. apply map_ext. intros p.
  rewrite sloped_dot. reflexivity.
Qed.

(* ---- the network --------------------------------------------------------------------------------- *)
Lemma neurons_bound ev al r u v : 0 <= #al <= 1 -> 0 <= #r -> forall ns l, neurons_ok ev al r u v ns l = true ->
  exists e, 0 < e /\ forall u' v', served ev e u v u' v' ->
  sumR (map (fun it => sumR (map (unit_term #al u' v' (cR it) (xR it)) ns)) l) <=
  #r / 2 * sumR (map (fun n => dot (wj u' n) (wj u' n) + dot (vj v' n) (vj v' n)) ns).
Proof.
  intros HA HR. induction ns as [|n ns IH]; intros l H.
  - exists 1. split; [lra|]. intros u' v' _. simpl.
    assert (Z : sumR (map (fun _ : item => 0) l) = 0) by (clear; induction l; simpl; lra). rewrite Z. lra.
  - cbn [neurons_ok] in H. apply andb_prop in H. destruct H as [H1 H2].
    destruct (neuron_bound _ _ _ _ _ _ _ HA HR H1) as (e1 & E1 & K1). destruct (IH _ H2) as (e2 & E2 & K2).
    exists (Rmin e1 e2). split; [apply Rmin_pos; auto|]. intros u' v' SV.
    specialize (K1 u' v' (served_mono _ _ _ _ _ _ _ (Rmin_l e1 e2) SV)).
    specialize (K2 u' v' (served_mono _ _ _ _ _ _ _ (Rmin_r e1 e2) SV)). rewrite map_map in K2.
    cbn [map sumR]. rewrite sumR_plus.
    assert (N : norm (vj v' n) * norm (wj u' n) <= / 2 * (dot (wj u' n) (wj u' n) + dot (vj v' n) (vj v' n))).
    { rewrite <- (norm_sq (wj u' n)), <- (norm_sq (vj v' n)). pose proof (Rle_0_sqr (norm (vj v' n) - norm (wj u' n))) as Q.
      unfold Rsqr in Q. lra. }
    assert (#r * (norm (vj v' n) * norm (wj u' n)) <= #r / 2 * (dot (wj u' n) (wj u' n) + dot (vj v' n) (vj v' n))).
    { eapply Rle_trans; [apply Rmult_le_compat_l; [auto|exact N]|]. right. field. }
    change (fun a : item => sumR (map (unit_term #al u' v' (cR (next_neuron a)) (xR (next_neuron a))) ns))
      with (fun a : item => sumR (map (unit_term #al u' v' (cR a) (xR a)) ns)) in K2.
    rewrite Rmult_plus_distr_l. apply Rplus_le_compat; lra.
Qed.
Lemma weighted_ok gam f : forall ws cs c s, weighted ws cs = Some (c, s) -> (forall k, In k cs -> gam <= dot (vR k) f) ->
  gam * #s <= dot (vR c) f /\ 0 <= #s.
Proof.
  induction ws as [|w ws IH]; intros [|k cs] c s H G; cbn [weighted] in H; try discriminate.
  - inversion H; subst. simpl. num. lra.
  - destruct (weighted ws cs) as [[t s']|] eqn:E; [|discriminate]. destruct (nonneg w) eqn:N; [|discriminate].
    inversion H; subst. destruct (IH cs t s' E) as [I1 I2]; [intros; apply G; right; auto|].
    specialize (G k (or_introl eq_refl)). tests. rewrite qaxpy_ok, dot_axpy_l. num.
    assert (gam * #w <= #w * dot (vR k) f) by (rewrite Rmult_comm; apply Rmult_le_compat_l; auto). lra.
Qed.
Lemma items_of_ok p th' gam : outputs th' = outputs (thR (qtheta p)) -> margin_ge #(qalpha p) th' (dataR (qsamples p)) gam ->
  forall l items s, items_of p l = Some (items, s) ->
  gam * #s <= sumR (map (fun it => dot (cR it) (forward 0 Rplus Rmult (act #(qalpha p)) th' (xR it))) items).
Proof.
  intros HO MG. induction l as [|[[i ws] os] l IH]; intros items s H; cbn [items_of] in H.
  - inversion H; subst. simpl. num. lra.
  - destruct (nth_error (qsamples p) i) as [[x y]|] eqn:N; [|discriminate].
    destruct (items_of p l) as [[t s1]|] eqn:E; [|discriminate].
    destruct (weighted _ _) as [[c s2]|] eqn:F; [|discriminate]. inversion H; subst. specialize (IH t s1 eq_refl).
    cbn [map sumR]. num. unfold cR at 1, xR at 1. cbn [fst snd].
    destruct (weighted_ok gam (forward 0 Rplus Rmult (act #(qalpha p)) th' (vR x)) _ _ _ _ F) as [G _].
    + intros k I. rewrite <- dot_sum_products. apply (MG (vR x) (vR k)). unfold constraints_of. rewrite HO.
      change (In (vR x, vR k) (constraints_of (thR (qtheta p)) (dataR (qsamples p)))). rewrite constraints_ok.
      apply in_map_iff. exists (x, k). split; auto. unfold qconstraints, constraints. apply in_flat_map.
      exists (x, y). split; [eapply nth_error_In; eauto|]. cbn [fst snd]. apply in_map_iff. exists k. auto.
    + lra.
Qed.
Theorem cells_bound p ev B l g : classified p = Some g -> cells_ok p ev B l = true -> exists e, 0 < e /\ forall th',
  same_architecture (thR (qtheta p)) th' -> (ev = true \/ close e (thR (qtheta p)) th') -> nu_at_most #B (problemR p) th'.
Proof.
  intros C. unfold cells_ok. destruct (qtheta p) as [|[u W] [|[v V] [|? ?]]] eqn:ET; try discriminate.
  destruct (items_of p l) as [[items s]|] eqn:E; [|discriminate]. intros K.
  apply andb_prop in K. destruct K as [K KN]. apply andb_prop in K. destruct K as [K O2].
  apply andb_prop in K. destruct K as [K O1]. tests.
  destruct (classified_ok _ _ C) as (HA & _). cbn [problemR alpha] in HA.
  assert (RP : 0 <= #(mul (of_Z 2) (mul B s))) by (num; apply Rmult_le_pos; [lra|apply Rmult_le_pos; lra]).
  destruct (neurons_bound _ _ _ _ _ HA RP _ _ KN) as (e & EP & K2). exists e. split; auto.
  intros th' SA CL gam MG. cbn [problemR alpha samples] in MG.
  assert (SA0 := SA). inversion SA as [|? [u' W'] ? ? [E1 L1] S1]; subst. inversion S1 as [|? [v' V'] ? ? [E2 L2] S2]; subst.
  inversion S2; subst. cbn [fst snd] in E1, E2, L1, L2. subst W' V'.
  assert (SV : served ev e u v u' v').
  { destruct CL as [CL|CL]; [left; auto|right]. inversion CL as [|? ? ? ? A CL2]; subst. inversion CL2; subst. auto. }
  specialize (K2 u' v' SV).
  assert (HO : outputs [(u', W); (v', V)] = outputs (thR (qtheta p))) by (rewrite ET; reflexivity).
  pose proof (items_of_ok p _ gam HO MG l items s E) as G.
  assert (EQ : sumR (map (fun it => dot (cR it) (forward 0 Rplus Rmult (act #(qalpha p)) [(u', W); (v', V)] (xR it))) items) =
               sumR (map (fun it => sumR (map (unit_term #(qalpha p) u' v' (cR it) (xR it)) (neuron_rows W V))) items)).
  { f_equal. apply map_ext. intros it. apply forward_neurons. }
  rewrite EQ in G. pose proof (neurons_norms u' v' W V) as NN.
  destruct (in_order_ok _ O1) as [C1 _]. destruct (in_order_ok _ O2) as [C2 _]. cbn [snd] in C1, C2.
  pose proof (squares_at_nodup u' _ (counts_up_nodup _ _ C1)) as Q1. pose proof (squares_at_nodup v' _ (counts_up_nodup _ _ C2)) as Q2.
  change (length [(u', W); (v', V)]) with 2%nat. rewrite <- Rsqr_pow2, Rsqr_sqrt by apply norm2_nonneg.
  change (norm2 [(u', W); (v', V)]) with (sqs u' + (sqs v' + 0)). num.
  apply Rmult_le_reg_r with #s; auto.
  assert (X : 2 * (#B * #s) / 2 * sumR (map (fun n => dot (wj u' n) (wj u' n) + dot (vj v' n) (vj v' n)) (neuron_rows W V))
              <= #B * #s * (sqs u' + (sqs v' + 0))).
  { replace (2 * (#B * #s) / 2) with (#B * #s) by field. apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|lra]. }
  lra.
Qed.
Theorem cells_sound p global l : check_cells (classified p) p global l = true ->
  holds (problemR p) (if global then GlobalOptimum All else LocalOptimum All).
Proof.
  unfold check_cells. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K. apply andb_prop in K.
  destruct K as [K1 K2]. destruct (classified_ok _ _ C) as (_ & _ & HG & _).
  destruct (cells_bound p global _ l g C K2) as (e & EP & K). tests. rewrite qnorm2_ok in K1.
  assert (NB : #(own_nu2 p g) = #g * / norm2 (theta (problemR p))).
  { unfold own_nu2. num. rewrite toR_inv; rewrite qnorm2_ok; auto. lra. }
  assert (L2 : forall th', same_architecture (thR (qtheta p)) th' -> length th' = 2%nat).
  { intros th' SA. unfold cells_ok in K2. destruct (qtheta p) as [|[u W] [|[v V] [|? ?]]]; try discriminate.
    inversion SA as [|? ? ? ? _ S1]; subst. inversion S1 as [|? ? ? ? _ S2]; subst. inversion S2; subst. auto. }
  apply (holds_intro p g); auto. destruct global.
  - intros th' V. apply nu_no_better; auto. rewrite <- NB. apply K; auto.
  - exists e. split; auto. intros th' V CL. apply nu_no_better; auto. rewrite <- NB. apply K; auto.
Qed.
Theorem cells_bound_sound p k B l : check_cells_bound (classified p) p k B l = true ->
  holds (problemR p) (MarginAtMost (regionR k) #B).
Proof.
  unfold check_cells_bound. destruct (classified p) as [g|] eqn:C; [|discriminate]. intros K.
  assert (K2 : cells_ok p true B l = true /\ (forall th', in_region (regionR k) (problemR p) th' -> same_architecture (thR (qtheta p)) th')).
  { destruct k; try discriminate; split; auto; intros th' H; try apply H. }
  destruct K2 as [K2 K3]. destruct (cells_bound p true B l g C K2) as (e & _ & K4).
  apply (holds_intro p g); auto. intros th' HI. apply K4; auto.
Qed.
