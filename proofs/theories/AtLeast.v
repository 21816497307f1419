(* AtLeast.v -- margin_at_least: an explicit network theta' of a region with nu(theta') >= B, compared by squares. *)
Require Import Reals QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Point MaxMargin.TwoLayer MaxMargin.LayerCell MaxMargin.Serving MaxMargin.Regions.
Import ListNotations.
Open Scope R_scope.

(* theta with other parameters (none: theta itself), or another network *)
Inductive point := Parameters (us : list (list num)) | Network (th : params num).
Definition point_of (p : qproblem) (w : point) : option (params num) :=
  match w with
  | Parameters [] => Some (qtheta p)
  | Parameters us => with_all (qtheta p) us
  | Network th => if well_formed th (qsamples p) then Some th else None
  end.

Definition sign_kept_q (v v' : num) : bool := (leb v zero || nonneg v') && (nonneg v || leb v' zero).
Definition kept_q (k : qregion) (w w' : list num) (m : list bool) (x : list num) : bool :=
  let z := qdot w x in
  let z' := qdot w' x in
  match k with
  | QCell => if leb z zero then leb z' zero else nonneg z'
  | QNear d =>
      let s := seen zero m x in
      leb (mul z z) (mul (mul d d) (mul (qdot w w) (qdot s s))) || nonneg (mul z z')
  | _ => true
  end.
Definition weights_q (th : params num) (r : row) : list num := row_weights zero (input_layer th) r.
Fixpoint all_kept (k : qregion) (p : qproblem) (th' : params num) (ns ns' : list (num * row)) : bool :=
  match ns, ns' with
  | [], [] => true
  | n :: t, n' :: t' =>
      sign_kept_q (fst n) (fst n')
      && forallb (fun d => kept_q k (weights_q (qtheta p) (snd n)) (weights_q th' (snd n')) (reads (snd n)) (fst d)) (qsamples p)
      && all_kept k p th' t t'
  | _, _ => false
  end.
Definition entry_eq (a b : option nat) : {a = b} + {a <> b}.
Proof. decide equality. apply Nat.eq_dec. Defined.
Definition matrix_eq : forall a b : matrix, {a = b} + {a <> b} := list_eq_dec (list_eq_dec entry_eq).
Fixpoint same_matrices (a b : params num) : bool :=
  match a, b with
  | [], [] => true
  | (u, W) :: a', (u', W') :: b' =>
      (if matrix_eq W W' then true else false)
      && (length u =? length u')%nat && same_matrices a' b'
  | _, _ => false
  end.
Definition reads_some_neuron (th : params num) (r : row) : bool :=
  existsb (fun j =>
      match nth_error (input_matrix th) j with
      | Some r' => within r (reads r') && existsb (fun o => match nth j o None with Some _ => true | None => false end)
                                            (match th with [_; (_, W)] => W | _ => [] end)
      | None => false
      end) (seq 0 (length (input_matrix th))).
Definition stays (k : qregion) (p : qproblem) (th' : params num) : bool :=
  match k with
  (* Cells are of networks of two layers with one output: for others in_region would say nothing. *)
  | QCell | QNear _ => plain (qtheta p) && (region_ok k && same_matrices (qtheta p) th')
                       && all_kept k p th' (neurons zero (qtheta p)) (neurons zero th')
  | QEverywhere => same_matrices (qtheta p) th'
  | QAnyWidth =>
      (length th' =? length (qtheta p))%nat && forallb (fun l => ascending (uses (snd l))) th'
      && (outputs th' =? outputs (qtheta p))%nat
      && forallb (fun r => forallb (fun r' => (length r =? length r')%nat) (input_matrix th')) (input_matrix (qtheta p))
      && (negb (length (qtheta p) =? 2)%nat || forallb (reads_some_neuron (qtheta p)) (input_matrix th'))
  end.
Definition check_at_least (own : option num) (p : qproblem) (k : qregion) (B : num) (w : point) : bool :=
  match own, point_of p w with
  | Some _, Some th' =>
      match margin (qalpha p) th' (qsamples p) with
      | Some g' => stays k p th' && positive g' && nonneg B
                   && leb (mul (mul B B) (power (qnorm2 th') (length th'))) (mul g' g')
      | None => false
      end
  | _, _ => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma same_matrices_ok a : forall b, same_matrices a b = true -> same_architecture (thR a) (thR b).
Proof.
  induction a as [|[u W] a IH]; intros [|[u' W'] b] H; cbn [same_matrices] in H; try discriminate; [constructor|].
  apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [H1 H2].
  destruct (matrix_eq W W') as [E|]; [|discriminate]. apply Nat.eqb_eq in H2. subst.
  constructor; [split; auto; cbn [fst]; rewrite !vR_length; auto|apply IH; auto].
Qed.
Lemma sign_kept_ok v v' : sign_kept_q v v' = true -> sign_kept #v #v'.
Proof.
  unfold sign_kept_q. intros H. apply andb_prop in H. destruct H as [H1 H2].
  apply orb_prop in H1. apply orb_prop in H2. destruct H1, H2; tests; num; split; intros; lra.
Qed.
Lemma kept_ok k w w' m D : region_ok k = true -> (k = QCell \/ exists d, k = QNear d) ->
  forallb (fun d => kept_q k w w' m (fst d)) D = true -> kept_in k (dataR D) m (vR w) (vR w').
Proof.
  intros HR HK H. rewrite forallb_forall in H. destruct HK as [HK|[d HK]]; subst k; simpl.
  - intros x y I. apply in_map_iff in I. destruct I as ([x0 y0] & E & I). inversion E; subst. cbn [fst snd].
    specialize (H _ I). cbn [kept_q fst] in H. rewrite <- !qdot_ok.
    destruct (leb (qdot w x0) zero) eqn:L; tests; num; split; intros; lra.
  - simpl in HR. tests. intros x y I Q. apply in_map_iff in I. destruct I as ([x0 y0] & E & I). inversion E; subst. cbn [fst snd] in *.
    specialize (H _ I). cbn [kept_q fst] in H. rewrite <- seen_R in Q. rewrite <- (qdot_ok w) in *. rewrite <- (qdot_ok w' x0).
    apply orb_prop in H. destruct H as [H|H]; tests; num; [|lra]. exfalso.
    rewrite (qdot_ok w w), (qdot_ok (seen zero m x0)) in H.
    set (z := #(qdot w x0)) in *. set (a := vR w) in *. set (b := vR (seen zero m x0)) in *.
    rewrite <- (norm_sq a), <- (norm_sq b) in H. pose proof (norm_nonneg a). pose proof (norm_nonneg b).
    set (r := #d * (norm a * norm b)) in *.
    assert (R0 : 0 <= r) by (unfold r; apply Rmult_le_pos; [auto|apply Rmult_le_pos; auto]).
    assert (Z : Rabs z * Rabs z = z * z) by (rewrite <- Rabs_mult; apply Rabs_right; nra).
    assert (S : z * z <= r * r) by (unfold r; lra). nra.
Qed.
Lemma all_kept_ok k p th' : region_ok k = true -> (k = QCell \/ exists d, k = QNear d) -> forall ns ns',
  all_kept k p th' ns ns' = true ->
  Forall2 (fun a b => sign_kept (fst a) (fst b) /\
     kept_in k (dataR (qsamples p)) (reads (snd a)) (weights_of (thR (qtheta p)) (snd a)) (weights_of (thR th') (snd b)))
    (map (fun n => (#(fst n), snd n)) ns) (map (fun n => (#(fst n), snd n)) ns').
Proof.
  intros HR HK. induction ns as [|n ns IH]; intros [|n' ns'] H; cbn [all_kept] in H; try discriminate; [constructor|].
  apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [H1 H2].
  constructor; [|apply IH; auto]. cbn [fst snd]. split; [apply sign_kept_ok; auto|].
  unfold weights_of. rewrite !input_layer_R, !row_weights_R. apply kept_ok; auto.
Qed.
Lemma reads_some_ok th r : reads_some_neuron th r = true -> exists_in (thR th) r.
Proof.
  unfold reads_some_neuron. intros H. apply existsb_exists in H. destruct H as (j & _ & H).
  destruct (nth_error (input_matrix th) j) as [r'|] eqn:N; [|discriminate].
  apply andb_prop in H. destruct H as [H1 H2]. apply existsb_exists in H2. destruct H2 as (o & O & H2).
  exists j, r'. split; [|split].
  - destruct th as [|[u W] th]; auto.
  - exists o. split; [|destruct (nth j o None); congruence].
    destruct th as [|[u W] [|[v V] [|]]]; auto.
  - intros c C. apply reads_nth. apply (within_ok _ _ H1); auto.
Qed.
Lemma no_sharing_ok th : forallb (fun l => ascending (uses (snd l))) th = true -> no_sharing (thR th).
Proof.
  intros H. unfold no_sharing, thR. apply Forall_forall. intros l I. apply in_map_iff in I. destruct I as (l' & E & I).
  subst l. rewrite forallb_forall in H. apply ascending_nodup, (H _ I).
Qed.
Lemma input_matrix_R th : input_matrix (thR th) = input_matrix th.
Proof. destruct th as [|[u W] th]; auto. Qed.
Lemma stays_ok k p th' : stays k p th' = true -> in_region (regionR k) (problemR p) (thR th').
Proof.
  unfold stays. intros H. destruct k as [|d| |]; simpl.
  - apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [_ H].
    apply andb_prop in H. destruct H as [H1 H2].
    split; [apply same_matrices_ok; auto|]. unfold neurons_kept. cbn [theta problemR samples]. rewrite !neurons_R.
    apply (all_kept_ok QCell); auto.
  - apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [_ H].
    apply andb_prop in H. destruct H as [H1 H2].
    split; [apply same_matrices_ok; auto|]. unfold neurons_kept. cbn [theta problemR samples]. rewrite !neurons_R.
    apply (all_kept_ok (QNear d)); eauto.
  - apply same_matrices_ok; auto.
  - apply andb_prop in H. destruct H as [H H5]. apply andb_prop in H. destruct H as [H H4].
    apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [H1 H2].
    apply Nat.eqb_eq in H1, H3. cbn [theta problemR]. unfold any_width.
    assert (L : forall t : params num, length (thR t) = length t) by (intros; apply map_length).
    rewrite !L, !outputs_thR, !input_matrix_R. split; [auto|split; [apply no_sharing_ok; auto|split; [auto|split]]].
    + intros r r' I I'. rewrite forallb_forall in H4. specialize (H4 r I). rewrite forallb_forall in H4.
      apply Nat.eqb_eq, (H4 r' I').
    + intros D r I. apply orb_prop in H5. destruct H5 as [H5|H5].
      * rewrite D in H5. discriminate.
      * rewrite forallb_forall in H5. apply reads_some_ok, H5, I.
Qed.
Theorem at_least_sound p k B w : check_at_least (classified p) p k B w = true -> holds (problemR p) (MarginAtLeast (regionR k) #B).
Proof.
  unfold check_at_least. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (point_of p w) as [th'|]; [|discriminate].
  destruct (margin _ th' _) as [g'|] eqn:G; [|discriminate]. intros K.
  apply andb_prop in K. destruct K as [K K4]. apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K. destruct K as [K1 K2].
  tests. num. rewrite qnorm2_ok in K4. apply margin_ok in G.
  apply (holds_intro p g); auto. exists (thR th'). split; [apply stays_ok; auto|].
  exists #g'. split; [lra|]. split; [exact G|].
  assert (L : length (thR th') = length th') by apply map_length. rewrite L.
  pose proof (norm2_nonneg (thR th')) as N. set (n := norm2 (thR th')) in *.
  assert (S : sqrt n ^ length th' * sqrt n ^ length th' = n ^ length th').
  { rewrite <- Rpow_mult_distr, sqrt_sqrt; auto. }
  assert (P : 0 <= sqrt n ^ length th') by (apply pow_le, sqrt_pos).
  rewrite <- S in K4. set (r := sqrt n ^ length th') in *.
  assert (0 <= #B * r) by (apply Rmult_le_pos; auto).
  destruct (Rle_lt_dec (#B * r) #g'); auto. nra.
Qed.
