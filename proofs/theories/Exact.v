(* Exact.v -- a problem given by rational numbers: its exact margin, and why what is computed with
   rationals is what Statement.v says of the reals. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors.
Import ListNotations.
Open Scope R_scope.

Record qproblem := mkQ { qalpha : num; qtheta : params num; qsamples : list (list num * label) }.

Definition qact (al z : num) : num := if leb z zero then mul al z else z.
Definition qq (al : num) (th : params num) (x c : list num) : num := q_value zero add mul (qact al) th x c.
Definition qconstraints (th : params num) (D : list (list num * label)) :=
  constraints zero one opp (outputs th) D.
Definition qnorm2 (th : params num) : num := squared_norm zero add mul th.
Definition qdot (a b : list num) : num := sum_products zero add mul a b.

Fixpoint least (l : list num) : option num :=
  match l with
  | [] => None
  | a :: l' => match least l' with Some b => Some (if leb a b then a else b) | None => Some a end
  end.
Definition margin (al : num) th D : option num :=
  least (map (fun k => qq al th (fst k) (snd k)) (qconstraints th D)).
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

Lemma qdot_ok a : forall b, #(qdot a b) = dot (vR a) (vR b).
Proof. unfold qdot. induction a; destruct b; simpl; num; rewrite ?IHa; auto. Qed.
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
Lemma margin_ok al th D g : margin al th D = Some g -> is_margin #al (thR th) (dataR D) #g.
Proof.
  unfold margin. intros H. apply least_ok in H. destruct H as [I L]. unfold is_margin, margin_ge.
  rewrite constraints_ok. split.
  - intros x c J. apply in_map_iff in J. destruct J as ([x' c'] & E & J). inversion E; subst.
    rewrite <- qq_ok. apply L. apply in_map_iff. exists (x', c'). auto.
  - apply in_map_iff in I. destruct I as ([x c] & E & I). exists (vR x), (vR c).
    rewrite <- qq_ok. split; [apply in_map_iff; exists (x, c); auto|simpl in E; subst; auto].
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
