(* Layout.v -- one cover of rule 3.7: how its tree of integers (Cover.v) speaks of the samples, the
   multipliers and a cone.  Everything the witness says is checked here: rounded samples against the
   samples, first ranges against their lengths, T against the bound. *)
Require Import Reals ZArith QArith List Bool Arith Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.Integers MaxMargin.Relaxation MaxMargin.Cover MaxMargin.TwoLayer MaxMargin.DualBound.
Import ListNotations.
Open Scope R_scope.

(* lambda_i = n_i unit.  The tree's range ends are integers times grid, its samples integers times fine grid,
   its coefficients integers times unit/q where alpha = p/q, its multipliers tau integers over den. *)
Record multipliers := mkMultipliers { unit_ : num; grid : num; fine : Z; den : Z; counts : list Z }.
(* a sample in a tree: rounded, with |x - rounded| <= eta; the sign of w . x on the cone, if fixed;
   |rounded| fine <= radius and eta <= cut, both times grid *)
Record entry := mkEntry { rounded : list Z; eta : num; fixed : option bool; radius : Z; cut : Z }.
(* for output weights of sign [out], and inputs weights at the columns [columns]; one entry per sample *)
Record cover := mkCover
  { out : bool; columns : list bool; entries : list (option entry);
    bound : Z; fuel : nat; tree : unit -> nodes }.

Definition side_times (s : bool) (y : label) (n : Z) : Z :=
  match y with Positive => if s then n else (- n)%Z | Negative => if s then (- n)%Z else n | Class _ => 0%Z end.
Definition item_of (al : num) (s : bool) (y : label) (n : Z) (e : entry) : item :=
  mkItem (rounded e) (side_times s y n * Zpos (Qden al)) (side_times s y n * Qnum al).
Definition range_of_entry (e : entry) : range :=
  match fixed e with
  | None => (- radius e, radius e)%Z
  | Some true => (- Z.min (cut e) (radius e), radius e)%Z
  | Some false => (- radius e, Z.min (cut e) (radius e))%Z
  end.
(* |x - z grid|^2 for vectors of equal length *)
Definition gap (grid : num) (x : list num) (z : list Z) : option num :=
  if (length x =? length z)%nat then
    let (y, d) := common x in
    let e := zaxpy (- (Qnum grid * d)) z (map (Z.mul (Zpos (Qden grid))) y) in
    let b := (d * Zpos (Qden grid))%Z in
    Some (reduce (Qmake (zdot e e) (Z.to_pos (b * b))))
  else None.
Definition entry_ok (grid : num) (fine : Z) (x : list num) (e : entry) : bool :=
  match gap (mul (of_Z fine) grid) x (rounded e) with
  | Some s => nonneg (eta e) && leb s (mul (eta e) (eta e)) && leb (eta e) (mul (of_Z (cut e)) grid)
              && (0 <=? radius e)%Z && (fine * fine * zdot (rounded e) (rounded e) <=? radius e * radius e)%Z
  | None => false
  end.

(* items, their ranges, and Sum n_i eta_i; samples with a multiplier must have an entry *)
Fixpoint lay_out (al : num) (s : bool) (m : list bool) (grid : num) (fine : Z) (D : list (list num * label))
         (ns : list Z) (es : list (option entry)) : option (list item * list range * num) :=
  match D, ns, es with
  | [], [], [] => Some ([], [], zero)
  | (x, y) :: D', n :: ns', e :: es' =>
      match lay_out al s m grid fine D' ns' es' with
      | None => None
      | Some (its, rs, loss) =>
          match e with
          | None => if (n =? 0)%Z then Some (its, rs, loss) else None
          | Some e =>
              if (0 <=? n)%Z && entry_ok grid fine (seen zero m x) e
              then Some (item_of al s y n e :: its, range_of_entry e :: rs, add (mul (of_Z n) (eta e)) loss)
              else None
          end
      end
  | _, _, _ => None
  end.
(* s g(w) <= t |w| on the cone *)
Definition check_cover (al : num) (D : list (list num * label)) (M : multipliers) (t : num) (c : cover) : bool :=
  match lay_out al (out c) (columns c) (grid M) (fine M) D (counts M) (entries c) with
  | Some (its, rs, loss) =>
      leb (mul (of_Z (bound c)) (mul (unit_ M) (grid M)))
          (mul (of_Z (Zpos (Qden al))) (sub t (mul (unit_ M) loss)))
      && check_tree (fine M) (den M) its (bound c) (fuel c) (tree c tt) rs
  | None => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Definition multipliersR (M : multipliers) : list R := map (fun n => IZR n * #(unit_ M)) (counts M).
(* w reads nothing outside the columns *)
Definition sees (m : list bool) (D : list (list num * label)) (w : vec) : Prop :=
  forall x y, In (x, y) D -> dot w (vR (seen zero m x)) = dot w (vR x).
Definition has_sign (tau : bool) (z : R) : Prop := if tau then 0 <= z else z <= 0.
Fixpoint in_cone (D : list (list num * label)) (es : list (option entry)) (w : vec) : Prop :=
  match D, es with
  | (x, _) :: D', e :: es' =>
      match e with
      | Some e => match fixed e with Some tau => has_sign tau (dot w (vR x)) | None => True end
      | None => True
      end /\ in_cone D' es' w
  | _, _ => True
  end.

Lemma gap_ok grid x z s : gap grid x z = Some s ->
  #s = dot (axpy (- #grid) (zR z) (vR x)) (axpy (- #grid) (zR z) (vR x)).
Proof.
  unfold gap. destruct (_ =? _)%nat; [|discriminate]. destruct (common_ok x) as [P E]. destruct (common x) as [y d].
  cbn [fst snd] in *. intros H. injection H as H. subst s. rewrite toR_reduce, E. unfold Q2R. cbn [Qnum Qden].
  rewrite Z2Pos.id by nia. unfold toR, Q2R. apply IZR_lt in P.
  assert (G : 0 < IZR (Zpos (Qden grid))) by (apply IZR_lt; lia). set (n := Zpos (Qden grid)) in *.
  assert (EY : zR (map (Z.mul n) y) = scal (IZR n) (zR y)).
  { unfold zR, scal. rewrite !map_map. apply map_ext. intros. apply mult_IZR. }
  rewrite zdot_ok, zaxpy_ok, EY, !dot_axpy_l, !dot_axpy_r; rewrite ?dot_scal_l, ?dot_scal_r; rewrite ?dot_scal_l, ?dot_scal_r, opp_IZR, !mult_IZR.
  field. lra.
Qed.
Lemma dot_unit_abs u d e : dot u u = 1 -> 0 <= e -> dot d d <= e * e -> Rabs (dot u d) <= e.
Proof.
  intros HU He HD. apply Rabs_le. split; [|apply dot_le_bound; auto].
  assert (B : dot u (scal (-1) d) <= e).
  { apply dot_le_bound; auto. rewrite dot_scal_l, dot_scal_r. lra. }
  rewrite dot_scal_r in B. lra.
Qed.
(* what the checks of an entry give for a unit vector *)
Lemma entry_ok_ok grid F x e u : 0 < #grid -> entry_ok grid F x e = true -> dot u u = 1 ->
  Rabs (dot u (vR x) - #grid * (IZR F * dot u (zR (rounded e)))) <= #(eta e) /\ 0 <= #(eta e) /\
  #(eta e) <= #grid * IZR (cut e) /\ - IZR (radius e) <= IZR F * dot u (zR (rounded e)) <= IZR (radius e).
Proof.
  unfold entry_ok. intros HG K HU. destruct (gap (mul (of_Z F) grid) x (rounded e)) as [s|] eqn:G; [|discriminate].
  repeat match goal with H : _ && _ = true |- _ => apply andb_prop in H; destruct H end.
  tests. num. apply Z.leb_le, IZR_le in H0, H1. rewrite !mult_IZR, zdot_ok in H0.
  pose proof (gap_ok _ _ _ _ G) as E. num. split; [|split; [|split]]; auto; try lra.
  - replace (dot u (vR x) - #grid * (IZR F * dot u (zR (rounded e))))
      with (dot u (axpy (- (IZR F * #grid)) (zR (rounded e)) (vR x))) by (rewrite dot_axpy_r; ring).
    apply dot_unit_abs; auto. lra.
  - rewrite <- dot_scal_r. apply Rabs_le_inv, dot_unit_abs; auto. rewrite dot_scal_l, dot_scal_r. lra.
Qed.
Lemma psi_of_item al s y n e z grid_ : 0 < grid_ ->
  grid_ * psiR (item_of al s y n e) z = IZR (Zpos (Qden al)) * (IZR (side_times s y n) * act #al (grid_ * z)).
Proof.
  intros HG. assert (Q : 0 < IZR (Zpos (Qden al))) by (apply IZR_lt; lia).
  assert (E : IZR (Qnum al) = IZR (Zpos (Qden al)) * #al).
  { unfold toR, Q2R. field. lra. }
  unfold psiR, item_of, act. cbn [iup idn]. destruct (Rlt_dec 0 z), (Rlt_dec 0 (grid_ * z)); try nra;
    rewrite mult_IZR, ?E; ring.
Qed.
Lemma side_times_ok s y n : IZR (side_times s y n) = ssign s * (IZR n * side y).
Proof. destruct y, s; simpl; rewrite ?opp_IZR; ring. Qed.
Lemma side_times_abs s y n z e : (0 <= n)%Z -> Rabs z <= e -> IZR (side_times s y n) * z <= IZR n * e.
Proof.
  intros HN HZ. apply IZR_le in HN. apply Rabs_le_inv in HZ. rewrite side_times_ok.
  destruct s, y; simpl; nra.
Qed.

Lemma lay_out_ok al s m M u : 0 <= #al <= 1 -> 0 < #(grid M) -> 0 < #(unit_ M) -> dot u u = 1 ->
  forall D ns es its rs loss, sees m D u -> in_cone D es u ->
  lay_out al s m (grid M) (fine M) D ns es = Some (its, rs, loss) ->
  in_ranges (fine M) u its rs /\ length D = length ns /\ Forall (fun l => 0 <= l) (map (fun n => IZR n * #(unit_ M)) ns) /\
  IZR (Zpos (Qden al)) * (ssign s * g #al (dataR D) (map (fun n => IZR n * #(unit_ M)) ns) u) <=
    #(unit_ M) * (#(grid M) * total (fine M) its u + IZR (Zpos (Qden al)) * #loss).
Proof.
  intros HA HG HU HN. set (c := unit_ M) in *. set (G := grid M) in *. set (F := fine M) in *.
  assert (HQ : 0 < IZR (Zpos (Qden al))) by (apply IZR_lt; lia). set (q := IZR (Zpos (Qden al))) in *.
  induction D as [|[x y] D IH]; intros [|n ns] [|e es] its rs loss HS HC K; cbn [lay_out] in K; try discriminate.
  - inversion K; subst. simpl. num. repeat split; auto. right. ring.
  - destruct (lay_out al s m G F D ns es) as [[[its' rs'] loss']|] eqn:L; [|discriminate].
    destruct HC as [HC1 HC2].
    assert (HS' : sees m D u) by (intros a b I; apply (HS a b); right; auto).
    destruct (IH ns es its' rs' loss' HS' HC2 L) as (R1 & R2 & R3 & R4). clear IH.
    destruct e as [e|].
    + destruct ((0 <=? n)%Z && entry_ok G F (seen zero m x) e) eqn:T; [|discriminate].
      inversion K; subst. apply andb_prop in T. destruct T as [T1 T2]. apply Z.leb_le in T1.
      pose proof (IZR_le _ _ T1) as T1'.
      destruct (entry_ok_ok _ _ _ _ u HG T2 HN) as (E1 & E2 & E3 & E4).
      rewrite (HS x y) in E1 by (left; auto).
      split; [|split; [simpl; auto|split; [constructor; auto; apply Rmult_le_pos; lra|]]].
      * cbn [in_ranges item_of ix]. unfold at_item. cbn [item_of ix]. apply Rabs_le_inv in E1.
        assert (X : (let '(l, h) := range_of_entry e in
                     IZR l <= IZR F * dot u (zR (rounded e)) <= IZR h)).
        { unfold range_of_entry. destruct (fixed e) as [[|]|]; simpl in HC1; rewrite !opp_IZR.
          - split; [|lra]. unfold Z.min. destruct (cut e ?= radius e)%Z; try lra; nra.
          - split; [lra|]. unfold Z.min. destruct (cut e ?= radius e)%Z; try lra; nra.
          - lra. }
        destruct (range_of_entry e) as [l h]. split; auto.
      * cbn [dataR map g total]. fold (dataR D). cbn [fst snd item_of ix].
        unfold at_item. set (it := item_of al s y n e). set (z := IZR F * dot u (zR (rounded e))).
        pose proof (psi_of_item al s y n e z #G HG) as P. fold it q in P. num.
        assert (B : IZR (side_times s y n) * act #al (dot u (vR x))
                    <= IZR (side_times s y n) * act #al (#G * z) + IZR n * #(eta e)).
        { assert (Y : IZR (side_times s y n) * (act #al (dot u (vR x)) - act #al (#G * z)) <= IZR n * #(eta e)); [|lra].
          apply side_times_abs; auto. eapply Rle_trans; [apply act_lipschitz; auto|exact E1]. }
        rewrite (side_times_ok s y n) in B, P.
        change (IZR F * dot u (zR (ix it))) with z.
        assert (B' : q * (ssign s * (IZR n * #c * (side y * act #al (dot u (vR x)))))
                     <= #c * (#G * psiR it z + q * (IZR n * #(eta e)))).
        { rewrite P. replace (q * (ssign s * (IZR n * #c * (side y * act #al (dot u (vR x))))))
            with (#c * (q * (ssign s * (IZR n * side y) * act #al (dot u (vR x))))) by ring.
          apply Rmult_le_compat_l; [lra|].
          replace (q * (ssign s * (IZR n * side y) * act #al (#G * z)) + q * (IZR n * #(eta e)))
            with (q * (ssign s * (IZR n * side y) * act #al (#G * z) + IZR n * #(eta e))) by ring.
          apply Rmult_le_compat_l; lra. }
        lra.
    + destruct (Z.eqb_spec n 0) as [N|]; [|discriminate]. inversion K; subst.
      split; [auto|split; [simpl; auto|split; [constructor; auto; lra|]]].
      cbn [dataR map g]. fold (dataR D). cbn [fst snd]. rewrite !Rmult_0_l, Rplus_0_l. exact R4.
Qed.

Lemma in_cone_scal k : 0 <= k -> forall D es w, in_cone D es w -> in_cone D es (scal k w).
Proof.
  intros HK. induction D as [|[x y] D IH]; intros [|e es] w H; simpl in *; auto.
  destruct H as [H1 H2]. split; auto. destruct e as [e|]; auto. destruct (fixed e) as [[|]|]; auto;
    rewrite dot_scal_l; simpl in *; nra.
Qed.

Theorem check_cover_ok al D M t c : 0 <= #al <= 1 -> 0 < #(grid M) -> 0 < #(unit_ M) ->
  check_cover al D M t c = true -> forall w, sees (columns c) D w -> in_cone D (entries c) w ->
  ssign (out c) * g #al (dataR D) (multipliersR M) w <= #t * norm w.
Proof.
  intros HA HG HU K w HS HC.
  apply by_units with (fun w => sees (columns c) D w /\ in_cone D (entries c) w); auto.
  - intros k w' HK [S C]. split; [|apply in_cone_scal; auto; lra].
    intros x y I. rewrite !dot_scal_l. f_equal. apply (S x y I).
  - intros u [S C] HN. unfold check_cover in K.
    destruct (lay_out _ _ _ _ _ _ _ _) as [[[its rs] loss]|] eqn:L; [|discriminate].
    apply andb_prop in K. destruct K as [K1 K2]. tests. num.
    destruct (lay_out_ok _ _ _ M u HA HG HU HN _ _ _ _ _ _ S C L) as (R1 & _ & _ & R2).
    pose proof (check_tree_ok _ _ _ _ _ _ _ K2 u HN R1) as B. unfold multipliersR.
    assert (HQ : 0 < IZR (Zpos (Qden al))) by (apply IZR_lt; lia).
    apply Rmult_le_reg_l with (IZR (Zpos (Qden al))); auto. eapply Rle_trans; [exact R2|].
    assert (#(unit_ M) * (#(grid M) * total (fine M) its u) <= #(unit_ M) * (#(grid M) * IZR (bound c))); [|lra].
    apply Rmult_le_compat_l; [lra|]. apply Rmult_le_compat_l; lra.
Qed.
Lemma check_cover_shape al D M t c : check_cover al D M t c = true ->
  0 < #(unit_ M) -> length D = length (counts M) /\ Forall (fun l => 0 <= l) (multipliersR M).
Proof.
  unfold check_cover, multipliersR. destruct (lay_out _ _ _ _ _ _ _ _) as [[[its rs] loss]|] eqn:L; [|discriminate].
  intros _ HU. revert L. generalize (counts M), (entries c), its, rs, loss.
  induction D as [|[x y] D IH]; intros [|n ns] [|e es] its' rs' loss' K; cbn [lay_out] in K; try discriminate.
  - split; auto; constructor.
  - destruct (lay_out al (out c) (columns c) (grid M) (fine M) D ns es) as [[[i r] l]|] eqn:L; [|discriminate].
    destruct (IH _ _ _ _ _ L) as [A B]. split; [simpl; auto|]. constructor; auto.
    destruct e as [e|].
    + destruct ((0 <=? n)%Z && _) eqn:T; [|discriminate]. apply andb_prop in T. destruct T as [T _].
      apply Z.leb_le, IZR_le in T. apply Rmult_le_pos; lra.
    + destruct (Z.eqb_spec n 0); [subst; lra|discriminate].
Qed.
