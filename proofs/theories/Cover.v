(* Cover.v -- trees that bound  Sum_i psi_i(w . x_i)  over unit vectors w of a cone (rule 3.7), in
   integers.  psi_i is linear on either side of 0: slope [up] for z > 0 and [dn] for z <= 0.

   A node is checked with one range [l, h] per item that encloses w . x_i.  For any coefficients a_i,
   with  k_i = max { psi_i(z) - a_i z : l <= z <= h },  K = Sum k_i,  vec = Sum a_i x_i,
   Sum_i psi_i(w . x_i) <= vec . w + K.  A leaf closes if |vec| <= T - K; a range may be narrowed, since a
   violator has vec . w > T - K.  Nodes come depth first; what is still open is on a stack. *)
Require Import Reals ZArith List Bool Lra Lia Psatz.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Vectors.
Import ListNotations.
Open Scope Z_scope.

Record item := mkItem { ix : list Z; iup : Z; idn : Z }.
Definition range := (Z * Z)%type.
(* (item, tau, end):  end >= (|den x + tau vec| - tau H)/den, or its mirror image *)
Definition update := (nat * Z * Z)%type.
Inductive node :=
| Split (i : nat)              (* w . x_i >= 0, then w . x_i <= 0 *)
| Empty (i : nat)              (* the range of item i is empty *)
| CloseLeaf (a : list Z)
| Tighten (a : list Z) (uppers lowers : list update).

Fixpoint zdot (a b : list Z) : Z :=
  match a, b with x :: a', y :: b' => x * y + zdot a' b' | _, _ => 0 end.
Fixpoint zaxpy (k : Z) (a b : list Z) : list Z :=   (* k a + b *)
  match a, b with
  | x :: a', y :: b' => (k * x + y) :: zaxpy k a' b'
  | [], _ => b
  | _, [] => map (Z.mul k) a
  end.

Definition psi (it : item) (z : Z) : Z := if 0 <? z then iup it * z else idn it * z.
Definition excess (it : item) (a : Z) (r : range) : Z :=
  let '(l, h) := r in
  let ends := Z.max (psi it l - a * l) (psi it h - a * h) in
  if (l <? 0) && (0 <? h) then Z.max ends 0 else ends.

(* vec and K; None unless there is one coefficient per item *)
Fixpoint relax (its : list item) (rs : list range) (a : list Z) : option (list Z * Z) :=
  match its, rs, a with
  | [], [], [] => Some ([], 0)
  | it :: its', r :: rs', c :: a' =>
      match relax its' rs' a' with
      | Some (v, k) => Some (if c =? 0 then v else zaxpy c (ix it) v, excess it c r + k)
      | None => None
      end
  | _, _, _ => None
  end.

(* |den x + tau v| <= den e + tau H *)
Definition end_ok (den : Z) (xx xv vv H tau e : Z) : bool :=
  let b := den * e + tau * H in
  (0 <=? tau) && (0 <=? b) && (den * den * xx + 2 * (den * tau * xv) + tau * tau * vv <=? b * b).
Fixpoint set_nth {A} (i : nat) (f : A -> A) (l : list A) : list A :=
  match l, i with
  | [], _ => []
  | a :: l', O => f a :: l'
  | a :: l', S j => a :: set_nth j f l'
  end.
Definition lower_to (e : Z) (r : range) : range := (fst r, Z.min (snd r) e).
Definition raise_to (e : Z) (r : range) : range := (Z.max (fst r) e, snd r).
Fixpoint tighten (upper : bool) (den : Z) (its : list item) (v : list Z) (vv H : Z)
         (us : list update) (rs : list range) : option (list range) :=
  match us with
  | [] => Some rs
  | (i, tau, e) :: us' =>
      match nth_error its i with
      | None => None
      | Some it =>
          let xv := zdot (ix it) v in
          if end_ok den (zdot (ix it) (ix it)) (if upper then xv else - xv) vv H tau (if upper then e else - e)
          then tighten upper den its v vv H us' (set_nth i (if upper then lower_to e else raise_to e) rs)
          else None
      end
  end.

(* true => no range on the stack contains a violator *)
Fixpoint run (den : Z) (its : list item) (T : Z) (ns : list node) (open : list (list range)) : bool :=
  match ns, open with
  | [], [] => true
  | n :: ns', rs :: open' =>
      match n with
      | Split i =>
          match nth_error its i with
          | Some _ => run den its T ns' (set_nth i (raise_to 0) rs :: set_nth i (lower_to 0) rs :: open')
          | None => false
          end
      | Empty i =>
          match nth_error its i, nth_error rs i with
          | Some _, Some (l, h) => (h <? l) && run den its T ns' open'
          | _, _ => false
          end
      | CloseLeaf a =>
          match relax its rs a with
          | Some (v, k) =>
              let H := T - k in (0 <=? H) && (zdot v v <=? H * H) && run den its T ns' open'
          | None => false
          end
      | Tighten a ups los =>
          match relax its rs a with
          | Some (v, k) =>
              let H := T - k in
              let vv := zdot v v in
              match tighten true den its v vv H ups rs with
              | Some rs' =>
                  match tighten false den its v vv H los rs' with
                  | Some rs'' => run den its T ns' (rs'' :: open')
                  | None => false
                  end
              | None => false
              end
          | None => false
          end
      end
  | _, _ => false
  end.
Definition check_tree (den : Z) (its : list item) (T : Z) (ns : list node) (rs : list range) : bool :=
  (0 <? den) && run den its T ns [rs].

(* ---- soundness ------------------------------------------------------------------------------ *)
Open Scope R_scope.
Definition zR (a : list Z) : vec := map IZR a.
Definition psiR (it : item) (z : R) : R := if Rlt_dec 0 z then IZR (iup it) * z else IZR (idn it) * z.
Fixpoint total (its : list item) (u : vec) : R :=
  match its with [] => 0 | it :: its' => psiR it (dot u (zR (ix it))) + total its' u end.
Fixpoint in_ranges (u : vec) (its : list item) (rs : list range) : Prop :=
  match its, rs with
  | it :: its', (l, h) :: rs' => IZR l <= dot u (zR (ix it)) <= IZR h /\ in_ranges u its' rs'
  | _, _ => True
  end.

Lemma zdot_ok a : forall b, IZR (zdot a b) = dot (zR a) (zR b).
Proof. induction a; intros [|y b]; simpl; auto. rewrite plus_IZR, mult_IZR, IHa; auto. Qed.
Lemma zaxpy_ok k a : forall b, zR (zaxpy k a b) = axpy (IZR k) (zR a) (zR b).
Proof.
  induction a; intros [|y b]; simpl; auto.
  - rewrite mult_IZR. f_equal. unfold zR. rewrite !map_map. apply map_ext. intros; apply mult_IZR.
  - rewrite plus_IZR, mult_IZR, IHa; auto.
Qed.
Lemma psi_ok it z : IZR (psi it z) = psiR it (IZR z).
Proof.
  unfold psi, psiR. destruct (Z.ltb_spec 0 z) as [L|L]; [apply IZR_lt in L|apply IZR_le in L];
    destruct (Rlt_dec 0 (IZR z)); try lra; apply mult_IZR.
Qed.
(* a linear function is at most the larger of its values at the ends *)
Lemma linear_max c l h z M : l <= z <= h -> c * l <= M -> c * h <= M -> c * z <= M.
Proof. intros. destruct (Rle_lt_dec 0 c); nra. Qed.
Lemma excess_ok it a l h z : IZR l <= z <= IZR h -> psiR it z <= IZR a * z + IZR (excess it a (l, h)).
Proof.
  intros HZ. unfold excess. cbv zeta.
  set (el := (psi it l - a * l)%Z). set (eh := (psi it h - a * h)%Z).
  assert (EL : IZR el = psiR it (IZR l) - IZR a * IZR l) by (unfold el; rewrite minus_IZR, psi_ok, mult_IZR; auto).
  assert (EH : IZR eh = psiR it (IZR h) - IZR a * IZR h) by (unfold eh; rewrite minus_IZR, psi_ok, mult_IZR; auto).
  set (M := if ((l <? 0) && (0 <? h))%Z then Z.max (Z.max el eh) 0 else Z.max el eh).
  assert (ML : IZR el <= IZR M) by (apply IZR_le; unfold M; destruct (_ && _); lia).
  assert (MH : IZR eh <= IZR M) by (apply IZR_le; unfold M; destruct (_ && _); lia).
  assert (M0 : (IZR l < 0 -> 0 < IZR h -> 0 <= IZR M)).
  { intros A B. apply lt_IZR in A. apply lt_IZR in B. apply IZR_le. unfold M.
    rewrite (proj2 (Z.ltb_lt l 0)), (proj2 (Z.ltb_lt 0 h)) by auto. simpl. lia. }
  change (IZR (if ((l <? 0) && (0 <? h))%Z then Z.max (Z.max el eh) 0 else Z.max el eh)) with (IZR M).
  clearbody M el eh. rewrite EL in ML. rewrite EH in MH. clear EL EH. unfold psiR in *.
  destruct (Rlt_dec 0 z) as [P|P].
  - destruct (Rlt_dec 0 (IZR h)); [|lra].
    assert (Q : (IZR (iup it) - IZR a) * z <= IZR M); [|lra].
    destruct (Rlt_dec 0 (IZR l)).
    + apply linear_max with (IZR l) (IZR h); lra.
    + destruct (Req_dec (IZR l) 0) as [Z0|Z0].
      * rewrite Z0 in *. apply linear_max with 0 (IZR h); lra.
      * assert (0 <= IZR M) by (apply M0; lra). apply linear_max with 0 (IZR h); lra.
  - destruct (Rlt_dec 0 (IZR l)); [lra|].
    assert (Q : (IZR (idn it) - IZR a) * z <= IZR M); [|lra].
    destruct (Rlt_dec 0 (IZR h)).
    + destruct (Req_dec (IZR l) 0) as [Z0|Z0].
      * assert (z = 0) by lra. subst z. rewrite Z0 in *. lra.
      * assert (0 <= IZR M) by (apply M0; lra). apply linear_max with (IZR l) 0; lra.
    + apply linear_max with (IZR l) (IZR h); lra.
Qed.

#[local] Opaque excess.
Lemma relax_ok u its : forall rs a v k, in_ranges u its rs -> relax its rs a = Some (v, k) ->
  total its u <= dot u (zR v) + IZR k.
Proof.
  induction its as [|it its IH]; intros [|[l h] rs] [|c a] v k HR HX; cbn [relax] in HX; try discriminate.
  - inversion HX; subst. simpl. rewrite dot_nil_r. lra.
  - destruct (relax its rs a) as [[v' k']|] eqn:E; [|discriminate].
    destruct HR as [HR HR']. specialize (IH _ _ _ _ HR' E). pose proof (excess_ok it c l h _ HR) as X.
    cbn [total]. injection HX as <- <-. rewrite plus_IZR.
    generalize dependent (IZR (excess it c (l, h))). intros ex X.
    destruct (Z.eqb_spec c 0) as [Z0|Z0].
    + subst c. rewrite Rmult_0_l in X. lra.
    + rewrite zaxpy_ok, dot_axpy_r. lra.
Qed.

Lemma end_ok_ok den u x v H tau e : (0 < den)%Z ->
  end_ok den (zdot x x) (zdot x v) (zdot v v) H tau e = true ->
  dot u u = 1 -> IZR H <= dot u (zR v) -> dot u (zR x) <= IZR e.
Proof.
  unfold end_ok. cbv zeta. intros HD K HU HH. apply andb_prop in K. destruct K as [K K3].
  apply andb_prop in K. destruct K as [K1 K2]. apply Z.leb_le in K1, K2, K3. apply IZR_le in K1, K2, K3.
  apply IZR_lt in HD. rewrite plus_IZR, !mult_IZR in K2.
  repeat (rewrite plus_IZR in K3 || rewrite mult_IZR in K3). rewrite !zdot_ok in K3.
  assert (B : dot u (axpy (IZR tau) (zR v) (scal (IZR den) (zR x))) <= IZR den * IZR e + IZR tau * IZR H).
  { apply dot_le_bound; auto.
    rewrite dot_axpy_l, !dot_axpy_r, !dot_scal_r, !dot_scal_l, ?dot_scal_r, (dot_comm (zR v) (zR x)). lra. }
  rewrite dot_axpy_r, dot_scal_r in B. apply Rmult_le_reg_l with (IZR den); auto. nra.
Qed.
Lemma zdot_opp a : forall b, zdot (map Z.opp a) b = (- zdot a b)%Z.
Proof. induction a; intros [|y b]; simpl; auto. rewrite IHa. lia. Qed.
Lemma zdot_opp2 a : zdot (map Z.opp a) (map Z.opp a) = zdot a a.
Proof. induction a; simpl; auto. rewrite IHa. lia. Qed.
Lemma dot_opp a u : dot u (zR (map Z.opp a)) = - dot u (zR a).
Proof. revert u. induction a; intros [|y u]; simpl; try lra. rewrite IHa, opp_IZR. lra. Qed.

Lemma set_nth_ok u its : forall i f rs it, in_ranges u its rs -> nth_error its i = Some it ->
  (forall l h, IZR l <= dot u (zR (ix it)) <= IZR h ->
     IZR (fst (f (l, h))) <= dot u (zR (ix it)) <= IZR (snd (f (l, h)))) ->
  in_ranges u its (set_nth i f rs).
Proof.
  induction its as [|j its IH]; intros i f [|[l h] rs] it HR HN HF; destruct i; simpl in *; try discriminate; auto.
  - inversion HN; subst. destruct HR as [HR HR']. specialize (HF l h HR). destruct (f (l, h)). auto.
  - destruct HR as [HR HR']. split; auto. eapply IH; eauto.
Qed.
Lemma lower_to_ok x e l h : IZR l <= x <= IZR h -> x <= IZR e ->
  IZR (fst (lower_to e (l, h))) <= x <= IZR (snd (lower_to e (l, h))).
Proof. simpl. intros. unfold Z.min. destruct (h ?= e)%Z; lra. Qed.
Lemma raise_to_ok x e l h : IZR l <= x <= IZR h -> IZR e <= x ->
  IZR (fst (raise_to e (l, h))) <= x <= IZR (snd (raise_to e (l, h))).
Proof. simpl. intros. unfold Z.max. destruct (l ?= e)%Z; lra. Qed.

Lemma tighten_ok upper den u its v H : (0 < den)%Z -> dot u u = 1 -> IZR H <= dot u (zR v) ->
  forall us rs rs', in_ranges u its rs ->
  tighten upper den its v (zdot v v) H us rs = Some rs' -> in_ranges u its rs'.
Proof.
  intros HD HU HH. induction us as [|[[i tau] e] us IH]; intros rs rs' HR K; cbn [tighten] in K.
  - inversion K; subst; auto.
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    destruct (end_ok _ _ _ _ _ _ _) eqn:E; [|discriminate].
    apply (IH _ rs') in K; auto. apply set_nth_ok with it; auto. intros l h B. destruct upper.
    + apply lower_to_ok; auto. eapply end_ok_ok; eauto.
    + apply raise_to_ok; auto. rewrite <- zdot_opp, <- zdot_opp2 in E.
      apply (end_ok_ok den u) in E; auto. rewrite dot_opp, opp_IZR in E. lra.
Qed.

Lemma range_of u its : forall i rs it l h, in_ranges u its rs -> nth_error its i = Some it ->
  nth_error rs i = Some (l, h) -> IZR l <= dot u (zR (ix it)) <= IZR h.
Proof.
  induction its as [|j its IH]; intros [|i] [|[l' h'] rs] it l h HR N M; simpl in *; try discriminate.
  - inversion N; inversion M; subst. apply HR.
  - destruct HR as [_ HR]. eapply IH; eauto.
Qed.

Definition refuted (its : list item) (T : Z) (rs : list range) : Prop :=
  forall u, dot u u = 1 -> in_ranges u its rs -> total its u <= IZR T.

Lemma run_ok den its T : (0 < den)%Z -> forall ns open,
  run den its T ns open = true -> Forall (refuted its T) open.
Proof.
  intros HD. induction ns as [|n ns IH]; intros [|rs open] K; cbn [run] in K; try discriminate; [constructor|].
  destruct n as [i|i|a|a ups los].
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    specialize (IH _ K). inversion IH as [|? ? P IH']; subst. inversion IH' as [|? ? M O]; subst.
    constructor; auto. intros u HU HR. destruct (Rle_lt_dec 0 (dot u (zR (ix it)))).
    + apply P; auto. eapply set_nth_ok; eauto. intros. apply raise_to_ok; auto.
    + apply M; auto. eapply set_nth_ok; eauto. intros. apply lower_to_ok; auto. simpl; lra.
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    destruct (nth_error rs i) as [[l h]|] eqn:M; [|discriminate].
    apply andb_prop in K. destruct K as [K1 K2]. constructor; auto.
    intros u HU HR. exfalso. apply Z.ltb_lt, IZR_lt in K1.
    pose proof (range_of u its i rs it l h HR N M). lra.
  - destruct (relax its rs a) as [[v k]|] eqn:E; [|discriminate]. cbv zeta in K.
    apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K. destruct K as [K1 K2].
    constructor; auto. intros u HU HR. pose proof (relax_ok u _ _ _ _ _ HR E) as B.
    apply Z.leb_le, IZR_le in K1, K2. rewrite mult_IZR, zdot_ok in K2.
    pose proof (dot_le_bound _ _ _ K1 K2 HU) as C. rewrite minus_IZR in C. lra.
  - destruct (relax its rs a) as [[v k]|] eqn:E; [|discriminate]. cbv zeta in K.
    destruct (tighten true _ _ _ _ _ _ _) as [rs'|] eqn:E1; [|discriminate].
    destruct (tighten false _ _ _ _ _ _ _) as [rs''|] eqn:E2; [|discriminate].
    specialize (IH _ K). inversion IH as [|? ? P O]; subst. constructor; auto.
    intros u HU HR. pose proof (relax_ok u _ _ _ _ _ HR E) as B.
    destruct (Rle_lt_dec (total its u) (IZR T)) as [|G]; auto. apply P; auto.
    assert (HH : IZR (T - k) <= dot u (zR v)) by (rewrite minus_IZR; lra).
    refine (tighten_ok false den u its v (T - k)%Z HD HU HH los _ _ _ E2).
    exact (tighten_ok true den u its v (T - k)%Z HD HU HH ups _ _ HR E1).
Qed.

(* no unit vector in the ranges has a larger total *)
Theorem check_tree_ok den its T ns rs : check_tree den its T ns rs = true -> refuted its T rs.
Proof.
  unfold check_tree. intros K. apply andb_prop in K. destruct K as [K1 K2]. apply Z.ltb_lt in K1.
  pose proof (run_ok _ _ _ K1 _ _ K2) as F. inversion F; auto.
Qed.
