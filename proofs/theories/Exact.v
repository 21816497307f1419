(* Exact.v -- a problem given by rational numbers: its exact margin, and why what is computed with
   rationals is what Statement.v says of the reals. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Integers MaxMargin.TwoLayer.
Import ListNotations.
Open Scope R_scope.

Record qproblem := mkQ { qalpha : num; qtheta : params num; qsamples : list (list num * label) }.

Definition qact (al z : num) : num := if leb z zero then mul al z else z.
Definition qq (al : num) (th : params num) (x c : list num) : num := q_value zero add mul (qact al) th x c.
Definition qconstraints (th : params num) (D : list (list num * label)) :=
  constraints zero one opp (outputs th) D.
Definition qnorm2 (th : params num) : num := squared_norm zero add mul th.

(* Vectors over a common denominator: a dot product in integers is reduced once. *)
Definition dense := (list Z * Z)%type.
Definition common_multiple (d b : Z) : Z := if (d mod b =? 0)%Z then d else (d / Z.gcd d b * b)%Z.
Fixpoint denominator (d : Z) (x : list num) : Z :=
  match x with [] => d | a :: x' => denominator (common_multiple d (Zpos (Qden a))) x' end.
Definition common (x : list num) : dense :=
  let d := denominator 1 x in (map (fun a => Qnum a * (d / Zpos (Qden a)))%Z x, d).
Definition dense_dot (a b : dense) : num := reduce (Qmake (zdot (fst a) (fst b)) (Z.to_pos (snd a * snd b))).
Definition qdot (a b : list num) : num := dense_dot (common a) (common b).

(* The forward pass with rows of weights in place of rows of indices, which are looked up once for all samples. *)
Definition rows_of (th : params num) : list (list dense) :=
  map (fun l => map (fun r => common (row_weights zero (fst l) r)) (snd l)) th.
Definition apply_rows (W : list dense) (a : list num) : list num := let b := common a in map (fun r => dense_dot r b) W.
Fixpoint dense_forward (al : num) (L : list (list dense)) (a : list num) : list num :=
  match L with
  | [] => a
  | [W] => apply_rows W a
  | W :: rest => dense_forward al rest (map (qact al) (apply_rows W a))
  end.
Definition values (al : num) (th : params num) (D : list (list num * label)) : list num :=
  let L := rows_of th in
  flat_map (fun d => let f := dense_forward al L (fst d) in
                     map (fun c => qdot c f) (covectors zero one opp (outputs th) (snd d))) D.

Fixpoint least (l : list num) : option num :=
  match l with
  | [] => None
  | a :: l' => match least l' with Some b => Some (if leb a b then a else b) | None => Some a end
  end.
Definition margin (al : num) th D : option num := least (values al th D).
(* the margin of a well-formed problem whose margin is positive *)
Definition classified (p : qproblem) : option num :=
  if nonneg (qalpha p) && leb (qalpha p) one && well_formed (qtheta p) (qsamples p) then
    match margin (qalpha p) (qtheta p) (qsamples p) with
    | Some g => if positive g then Some g else None
    | None => None
    end
  else None.

(* ---- meaning -------------------------------------------------------------------------------- *)
Definition vR (x : list num) : vec := map toR x.
Definition thR (th : params num) : params R := map (fun l => (vR (fst l), snd l)) th.
Definition dataR (D : list (list num * label)) : data := map (fun d => (vR (fst d), snd d)) D.
Definition problemR (p : qproblem) : problem :=
  mkProblem #(qalpha p) (thR (qtheta p)) (dataR (qsamples p)).

Lemma common_multiple_ok d b : (0 < d)%Z -> (0 < b)%Z ->
  (0 < common_multiple d b)%Z /\ (d | common_multiple d b)%Z /\ (b | common_multiple d b)%Z.
Proof.
  intros HD HB. unfold common_multiple. destruct (Z.eqb_spec (d mod b) 0) as [E|_].
  - split; [|split]; auto; [apply Z.divide_refl|]. apply Z.mod_divide; lia.
  - assert (G : (0 < Z.gcd d b)%Z).
    { pose proof (Z.gcd_nonneg d b). assert (Z.gcd d b <> 0)%Z; [|lia].
      intros E. apply Z.gcd_eq_0_l in E. lia. }
    destruct (Z.gcd_divide_l d b) as [d' D']. destruct (Z.gcd_divide_r d b) as [b' B'].
    set (g := Z.gcd d b) in *. assert (Q : (d / g = d')%Z) by (rewrite D'; apply Z.div_mul; lia).
    rewrite Q. assert (0 < d')%Z by nia. split; [nia|split].
    + exists b'. rewrite D' at 1. rewrite B' at 1. ring.
    + exists d'. ring.
Qed.
Lemma denominator_ok x : forall d, (0 < d)%Z ->
  (0 < denominator d x)%Z /\ (d | denominator d x)%Z /\ Forall (fun a => (Zpos (Qden a) | denominator d x)%Z) x.
Proof.
  induction x as [|a x IH]; intros d HD; cbn [denominator].
  - split; [auto|split; [apply Z.divide_refl|constructor]].
  - destruct (common_multiple_ok d (Zpos (Qden a)) HD ltac:(lia)) as (C1 & C2 & C3).
    destruct (IH _ C1) as (I1 & I2 & I3). split; [auto|split; [|constructor; auto]]; eapply Z.divide_trans; eauto.
Qed.
Lemma common_ok x : (0 < snd (common x))%Z /\ vR x = scal (/ IZR (snd (common x))) (zR (fst (common x))).
Proof.
  unfold common. cbv zeta. cbn [fst snd]. destruct (denominator_ok x 1 ltac:(lia)) as (P & _ & F). split; auto.
  set (d := denominator 1 x) in *. pose proof (IZR_lt _ _ P) as P'. unfold vR, scal, zR. rewrite !map_map.
  apply map_ext_in. intros a I. rewrite Forall_forall in F. destruct (F a I) as [k E].
  assert (Q : (d / Zpos (Qden a) = k)%Z) by (rewrite E; apply Z.div_mul; lia).
  rewrite Q. unfold toR, Q2R. rewrite mult_IZR. assert (A : 0 < IZR (Zpos (Qden a))) by (apply IZR_lt; lia).
  apply (f_equal IZR) in E. rewrite mult_IZR in E. rewrite E in *. field. split; [lra|].
  intros Z. rewrite Z in P'. lra.
Qed.
Lemma dense_dot_ok x y : #(dense_dot (common x) (common y)) = dot (vR x) (vR y).
Proof.
  destruct (common_ok x) as [A1 A2], (common_ok y) as [B1 B2]. rewrite A2 at 1. rewrite B2 at 1.
  rewrite dot_scal_l, dot_scal_r, <- zdot_ok. unfold dense_dot. rewrite toR_reduce. unfold Q2R. cbn [Qnum Qden].
  rewrite Z2Pos.id by nia. rewrite mult_IZR. apply IZR_lt in A1, B1. field. lra.
Qed.
Lemma qdot_ok a b : #(qdot a b) = dot (vR a) (vR b).
Proof. apply dense_dot_ok. Qed.
Lemma dot_sum_products a : forall b, sum_products 0 Rplus Rmult a b = dot a b.
Proof. induction a; intros [|z b]; simpl; rewrite ?IHa; auto. Qed.
Lemma qact_ok al z : #(qact al z) = act #al #z.
Proof.
  unfold qact, act. destruct (leb z zero) eqn:E.
  - tests. num. destruct (Rlt_dec 0 #z); [lra|auto].
  - tests. num. destruct (Rlt_dec 0 #z); [auto|lra].
Qed.
Lemma nth_vR u k : nth k (vR u) 0 = #(nth k u zero).
Proof. unfold vR. rewrite <- toR_0, map_nth. auto. Qed.
Lemma row_dot_ok u r : forall a, #(row_dot zero add mul u r a) = row_dot 0 Rplus Rmult (vR u) r (vR a).
Proof.
  induction r as [|[k|] r IH]; intros [|z a]; simpl; num; auto.
  rewrite IH, nth_vR. auto.
Qed.
Lemma layer_ok u W a : vR (layer zero add mul u W a) = layer 0 Rplus Rmult (vR u) W (vR a).
Proof. unfold vR, layer. rewrite map_map. apply map_ext. intros. apply row_dot_ok. Qed.
Lemma vact_ok al a : vR (map (qact al) a) = map (act #al) (vR a).
Proof. unfold vR. rewrite !map_map. apply map_ext. intros. apply qact_ok. Qed.
Lemma forward_ok al th : forall a,
  vR (forward zero add mul (qact al) th a) = forward 0 Rplus Rmult (act #al) (thR th) (vR a).
Proof.
  induction th as [|[u W] th IH]; intros a; [auto|].
  destruct th as [|l th]; [apply layer_ok|].
  cbn [forward thR map]. cbn [forward thR map] in IH. rewrite IH, vact_ok, layer_ok. auto.
Qed.
Lemma row_weights_R u r : row_weights 0 (vR u) r = vR (row_weights zero u r).
Proof.
  unfold row_weights, vR at 2. rewrite map_map. apply map_ext. intros [k|]; [apply nth_vR|symmetry; apply toR_0].
Qed.
Lemma apply_rows_ok u W a :
  vR (apply_rows (map (fun r => common (row_weights zero u r)) W) a) = layer 0 Rplus Rmult (vR u) W (vR a).
Proof.
  unfold apply_rows, layer. cbv zeta. unfold vR at 1. rewrite !map_map. apply map_ext. intros r.
  rewrite dense_dot_ok, row_dot_dot, row_weights_R. auto.
Qed.
Lemma dense_forward_ok al th : forall a,
  vR (dense_forward al (rows_of th) a) = forward 0 Rplus Rmult (act #al) (thR th) (vR a).
Proof.
  induction th as [|[u W] th IH]; intros a; [auto|].
  destruct th as [|l th]; [apply apply_rows_ok|].
  cbn [rows_of map fst snd dense_forward forward thR]. cbn [rows_of map fst snd dense_forward forward thR] in IH.
  rewrite IH, vact_ok, apply_rows_ok. auto.
Qed.
Lemma sum_products_ok c : forall a, #(sum_products zero add mul c a) = sum_products 0 Rplus Rmult (vR c) (vR a).
Proof. induction c; intros [|z a']; simpl; num; rewrite ?IHc; auto. Qed.
Lemma qq_ok al th x c : #(qq al th x c) = q #al (thR th) (vR x) (vR c).
Proof. unfold qq, q, q_value. rewrite sum_products_ok, forward_ok. auto. Qed.
Lemma sum_squares_ok u : #(sum_squares zero add mul u) = sum_squares 0 Rplus Rmult (vR u).
Proof. induction u; simpl; num; rewrite ?IHu; auto. Qed.
Lemma qnorm2_ok th : #(qnorm2 th) = norm2 (thR th).
Proof.
  unfold qnorm2, norm2. induction th as [|[u W] th IH]; simpl; num; auto.
  rewrite sum_squares_ok, IH. auto.
Qed.
Lemma outputs_thR th : outputs (thR th) = outputs th.
Proof. unfold outputs, thR. rewrite <- map_rev. destruct (rev th) as [|[u W] t]; auto. Qed.
Lemma covectors_ok K y : covectors 0 1 Ropp K y = map vR (covectors zero one opp K y).
Proof.
  destruct y; simpl; unfold vR; num; auto.
  rewrite map_map. apply map_ext. intros j. rewrite map_map. apply map_ext. intros i.
  destruct (i =? k)%nat; num; auto. destruct (i =? j)%nat; num; auto.
Qed.
Definition conR (k : list num * list num) : vec * vec := (vR (fst k), vR (snd k)).
Lemma constraints_ok th D : constraints_of (thR th) (dataR D) = map conR (qconstraints th D).
Proof.
  unfold constraints_of, qconstraints, constraints. rewrite outputs_thR.
  unfold dataR. induction D as [|[x y] D IH]; auto. cbn [map flat_map fst snd].
  rewrite map_app, IH, covectors_ok, !map_map. auto.
Qed.

Lemma least_ok l : forall g, least l = Some g -> In g l /\ forall a, In a l -> #g <= #a.
Proof.
  induction l as [|a l IH]; intros g H; simpl in H; [discriminate|].
  destruct (least l) as [b|] eqn:E.
  - destruct (IH b eq_refl) as [I L]. destruct (leb a b) eqn:F; inversion H; subst; tests.
    + split; [left; auto|]. intros c [C|C]; [subst; lra|]. specialize (L c C). lra.
    + split; [right; auto|]. intros c [C|C]; [subst; lra|]. auto.
  - inversion H; subst. destruct l; [|simpl in E; destruct (least l); discriminate].
    split; [left; auto|]. intros c [C|[]]. subst; lra.
Qed.
Lemma values_ok al th D :
  map toR (values al th D) = map (fun k => q #al (thR th) (vR (fst k)) (vR (snd k))) (qconstraints th D).
Proof.
  unfold values, qconstraints, constraints. cbv zeta. induction D as [|[x y] D IH]; auto.
  cbn [flat_map fst snd]. rewrite !map_app, IH, !map_map. f_equal. apply map_ext. intros c. cbn [fst snd].
  rewrite qdot_ok, dense_forward_ok. unfold q, q_value. auto.
Qed.
Lemma margin_ok al th D g : margin al th D = Some g -> is_margin #al (thR th) (dataR D) #g.
Proof.
  unfold margin. intros H. apply least_ok in H. destruct H as [I L]. unfold is_margin, margin_ge.
  rewrite constraints_ok. pose proof (values_ok al th D) as V. split.
  - intros x c J. apply in_map_iff in J. destruct J as (k & E & J). inversion E; subst.
    apply (in_map (fun k => q #al (thR th) (vR (fst k)) (vR (snd k)))) in J. rewrite <- V in J.
    apply in_map_iff in J. destruct J as (a & Ea & J). rewrite <- Ea. apply L, J.
  - apply (in_map toR) in I. rewrite V in I. apply in_map_iff in I. destruct I as ([x c] & E & I).
    exists (vR x), (vR c). split; [apply in_map_iff; exists (x, c); auto|auto].
Qed.

Lemma vR_length x : length (vR x) = length x. Proof. apply map_length. Qed.
Lemma shapes_fit_thR th : forall d, shapes_fit d (thR th) = shapes_fit d th.
Proof.
  induction th as [|[u W] th IH]; intros d; auto. cbn [thR map shapes_fit fst snd].
  rewrite vR_length. f_equal. apply IH.
Qed.
Lemma well_formed_R th D : well_formed (thR th) (dataR D) = well_formed th D.
Proof.
  unfold well_formed. destruct D as [|[x y] D]; auto. cbn [dataR map fst snd].
  rewrite vR_length, shapes_fit_thR, outputs_thR. unfold thR at 1. rewrite map_length.
  f_equal. cbn [forallb fst snd]. rewrite vR_length. f_equal.
  induction D as [|[x' y'] D IH]; auto. cbn [map forallb fst snd]. rewrite vR_length, IH. auto.
Qed.

Theorem classified_ok p g : classified p = Some g ->
  0 <= alpha (problemR p) <= 1 /\ well_formed (theta (problemR p)) (samples (problemR p)) = true /\
  0 < #g /\ is_margin (alpha (problemR p)) (theta (problemR p)) (samples (problemR p)) #g.
Proof.
  unfold classified. destruct (_ && _) eqn:E; [|discriminate].
  destruct (margin _ _ _) as [g'|] eqn:M; [|discriminate].
  destruct (positive g') eqn:G; [|discriminate]. intros H; inversion H; subst.
  apply margin_ok in M. tests. num. simpl. rewrite well_formed_R. auto.
Qed.
(* what remains to be shown of a claim once theta classifies the data *)
Lemma holds_intro p g c : classified p = Some g -> says (problemR p) #g c -> holds (problemR p) c.
Proof.
  intros H S. apply classified_ok in H. destruct H as (A & W & G & M). repeat split; auto; try apply A.
  exists #g. auto.
Qed.

(* a constraint of a sample with label +-1 *)
Definition sign_of (y : label) : option bool :=
  match y with Positive => Some true | Negative => Some false | Class _ => None end.
Definition ysign (b : bool) : R := if b then 1 else -1.
Lemma sample_constraint th D x y b g : In (x, y) D -> sign_of y = Some b -> forall al,
  margin_ge al th D g -> g <= ysign b * nth 0 (forward 0 Rplus Rmult (act al) th x) 0.
Proof.
  intros I S al H. assert (J : In (x, [ysign b]) (constraints_of th D)).
  { unfold constraints_of, constraints. apply in_flat_map. exists (x, y). split; auto.
    destruct y; inversion S; subst; simpl; auto. }
  specialize (H _ _ J). unfold q, q_value in H.
  destruct (forward 0 Rplus Rmult (act al) th x); simpl in *; lra.
Qed.
