(* Cover.v -- trees that bound  Sum_i psi_i(w . x_i)  over unit vectors w of a cone (rule 3.7), in integers.

   A node has one range [l, h] per item that encloses w . x_i.  Coefficients give vec and K with
   Sum_i psi_i(w . x_i) <= vec . w + K  (Relaxation.v).  A leaf closes if |vec| <= T - K, or by parabolas; a range
   may be narrowed, since a violator has vec . w > T - K.  Nodes come depth first; what is still open is
   on a stack. *)
Require Import Reals ZArith List Bool Lra Lia Psatz.
Require Import MaxMargin.Statement MaxMargin.Vectors MaxMargin.Integers MaxMargin.Products MaxMargin.Relaxation.
Import ListNotations.
Open Scope Z_scope.

(* (item, tau, end):  end >= (|den x + tau vec| - tau H)/den, or its mirror image *)
Definition update := (nat * Z * Z)%type.
Inductive node :=
| Split (i : nat)              (* w . x_i >= 0, then w . x_i <= 0 *)
| Empty (i : nat)              (* the range of item i is empty *)
| CloseLeaf (t : Z) (a : list Z)
| Quadratic (t : Z) (a b : list Z) (D kappa : Z)
| Tighten (t : Z) (a : list Z) (uppers lowers : list update).
(* Lazy, so that the program reads a node when it needs it and forgets it. *)
CoInductive nodes := Stop | More (n : node) (rest : nodes).

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
Fixpoint tighten (upper : bool) (F den tF : Z) (its : list item) (w : vector) (vv H : Z)
         (us : list update) (rs : list range) : option (list range) :=
  match us with
  | [] => Some rs
  | (i, tau, e) :: us' =>
      match nth_error its i with
      | None => None
      | Some it =>
          let xv := F * tF * product w i (ix it) in
          if end_ok den (F * F * zdot (ix it) (ix it)) (if upper then xv else - xv) vv H tau (if upper then e else - e)
          then tighten upper F den tF its w vv H us' (set_nth i (if upper then lower_to e else raise_to e) rs)
          else None
      end
  end.

(* true => no range on the stack contains a violator; [fuel]: at least the number of nodes *)
Fixpoint run (tb : table) (F den : Z) (its : list item) (T : Z) (fuel : nat) (ns : nodes) (open : list (list range)) : bool :=
  match open, fuel with
  | [], _ => match ns with Stop => true | More _ _ => false end
  | _, O => false
  | rs :: open', S fuel' =>
      match ns with
      | Stop => false
      | More (Split i) ns' =>
          match nth_error its i with
          | Some _ => run tb F den its T fuel' ns' (set_nth i (raise_to 0) rs :: set_nth i (lower_to 0) rs :: open')
          | None => false
          end
      | More (Empty i) ns' =>
          match nth_error its i, nth_error rs i with
          | Some _, Some (l, h) => (h <? l) && run tb F den its T fuel' ns' open'
          | _, _ => false
          end
      | More (CloseLeaf t a) ns' =>
          match excesses t its rs a with
          | Some k =>
              let H := T - k in
              let tF := t * F in
              let '(vv, _) := combination (full tb) (cuts tb) (vectors tb) a in
              (0 <=? H) && (tF * tF * vv <=? H * H) && run tb F den its T fuel' ns' open'
          | None => false
          end
      | More (Quadratic t a b D kappa) ns' =>
          close_quadratic tb F T D kappa t its rs a b && run tb F den its T fuel' ns' open'
      | More (Tighten t a ups los) ns' =>
          match excesses t its rs a with
          | Some k =>
              let H := T - k in
              let tF := t * F in
              let '(vv, w) := combination (full tb) (cuts tb) (vectors tb) a in
              let vv := tF * tF * vv in
              match tighten true F den tF its w vv H ups rs with
              | Some rs' =>
                  match tighten false F den tF its w vv H los rs' with
                  | Some rs'' => run tb F den its T fuel' ns' (rs'' :: open')
                  | None => false
                  end
              | None => false
              end
          | None => false
          end
      end
  end.
Definition check_tree (F den : Z) (its : list item) (T : Z) (fuel : nat) (ns : nodes) (rs : list range) : bool :=
  (0 <? den) && run (make_table fuel (map ix its)) F den its T fuel ns [rs].

(* ---- soundness ------------------------------------------------------------------------------ *)
Open Scope R_scope.
Lemma end_ok_ok den u X V H tau e xx xv vv : (0 < den)%Z -> IZR xx = dot X X -> IZR xv = dot X V -> IZR vv = dot V V ->
  end_ok den xx xv vv H tau e = true -> dot u u = 1 -> IZR H <= dot u V -> dot u X <= IZR e.
Proof.
  unfold end_ok. cbv zeta. intros HD EX EXV EV K HU HH. apply andb_prop in K. destruct K as [K K3].
  apply andb_prop in K. destruct K as [K1 K2]. apply Z.leb_le in K1, K2, K3. apply IZR_le in K1, K2, K3.
  apply IZR_lt in HD. rewrite plus_IZR, !mult_IZR in K2.
  repeat (rewrite plus_IZR in K3 || rewrite mult_IZR in K3). rewrite EX, EXV, EV in K3.
  assert (B : dot u (axpy (IZR tau) V (scal (IZR den) X)) <= IZR den * IZR e + IZR tau * IZR H).
  { apply dot_le_bound; auto.
    rewrite dot_axpy_l, !dot_axpy_r, !dot_scal_r, !dot_scal_l, ?dot_scal_r, (dot_comm V X). lra. }
  rewrite dot_axpy_r, dot_scal_r in B. apply Rmult_le_reg_l with (IZR den); auto. nra.
Qed.

Lemma set_nth_ok F u its : forall i f rs it, in_ranges F u its rs -> nth_error its i = Some it ->
  (forall l h, IZR l <= at_item F it u <= IZR h ->
     IZR (fst (f (l, h))) <= at_item F it u <= IZR (snd (f (l, h)))) ->
  in_ranges F u its (set_nth i f rs).
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

Lemma tighten_ok upper F den tF u its v w H : (0 < den)%Z -> dot u u = 1 -> IZR H <= IZR tF * dot u (zR v) ->
  (forall i x, nth_error (vectors_of its) i = Some x -> product w i x = zdot x v) ->
  forall us rs rs', in_ranges F u its rs ->
  tighten upper F den tF its w (tF * tF * zdot v v) H us rs = Some rs' -> in_ranges F u its rs'.
Proof.
  intros HD HU HH HP. induction us as [|[[i tau] e] us IH]; intros rs rs' HR K; cbn [tighten] in K.
  - inversion K; subst; auto.
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    rewrite (HP i (ix it)) in K by (apply map_nth_error, N).
    destruct (end_ok _ _ _ _ _ _ _) eqn:E; [|discriminate].
    apply (IH _ rs') in K; auto. apply set_nth_ok with it; auto. intros l h B.
    assert (HV : IZR H <= dot u (scal (IZR tF) (zR v))) by (rewrite dot_scal_r; auto).
    assert (VV : IZR (tF * tF * zdot v v) = dot (scal (IZR tF) (zR v)) (scal (IZR tF) (zR v))).
    { rewrite dot_scal_l, dot_scal_r, !mult_IZR, zdot_ok. ring. }
    unfold at_item in *. destruct upper.
    + apply lower_to_ok; auto. rewrite <- dot_scal_r.
      apply (end_ok_ok den u (scal (IZR F) (zR (ix it))) (scal (IZR tF) (zR v)) H tau e) in E; auto;
        rewrite dot_scal_l, dot_scal_r, !mult_IZR, zdot_ok; ring.
    + apply raise_to_ok; auto.
      apply (end_ok_ok den u (scal (- IZR F) (zR (ix it))) (scal (IZR tF) (zR v)) H tau (- e)) in E; auto.
      * rewrite dot_scal_r, opp_IZR in E. lra.
      * rewrite dot_scal_l, dot_scal_r, !mult_IZR, zdot_ok; ring.
      * rewrite dot_scal_l, dot_scal_r, opp_IZR, !mult_IZR, zdot_ok; ring.
Qed.

Lemma range_of F u its : forall i rs it l h, in_ranges F u its rs -> nth_error its i = Some it ->
  nth_error rs i = Some (l, h) -> IZR l <= at_item F it u <= IZR h.
Proof.
  induction its as [|j its IH]; intros [|i] [|[l' h'] rs] it l h HR N M; simpl in *; try discriminate.
  - inversion N; inversion M; subst. apply HR.
  - destruct HR as [_ HR]. eapply IH; eauto.
Qed.

Definition refuted (F : Z) (its : list item) (T : Z) (rs : list range) : Prop :=
  forall u, dot u u = 1 -> in_ranges F u its rs -> total F its u <= IZR T.

Lemma run_ok tb F den its T : holds_table (vectors_of its) tb -> (0 < den)%Z -> forall fuel ns open,
  run tb F den its T fuel ns open = true -> Forall (refuted F its T) open.
Proof.
  intros HT HD. pose proof HT as (EV & HG & _). induction fuel as [|fuel IH]; intros ns [|rs open] K; cbn [run] in K; try discriminate; try solve [constructor].
  all: destruct ns as [|[i|i|t a|t a b D kappa|t a ups los] ns]; try discriminate.
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    specialize (IH _ _ K). inversion IH as [|? ? P IH']; subst. inversion IH' as [|? ? M O]; subst.
    constructor; auto. intros u HU HR. destruct (Rle_lt_dec 0 (at_item F it u)).
    + apply P; auto. eapply set_nth_ok; eauto. intros. apply raise_to_ok; auto.
    + apply M; auto. eapply set_nth_ok; eauto. intros. apply lower_to_ok; auto. simpl; lra.
  - destruct (nth_error its i) as [it|] eqn:N; [|discriminate].
    destruct (nth_error rs i) as [[l h]|] eqn:M; [|discriminate].
    apply andb_prop in K. destruct K as [K1 K2]. constructor; [|eapply IH, K2].
    intros u HU HR. exfalso. apply Z.ltb_lt, IZR_lt in K1.
    pose proof (range_of F u its i rs it l h HR N M). lra.
  - destruct (excesses t its rs a) as [k|] eqn:E; [|discriminate]. rewrite EV in K.
    destruct (combination (full tb) (cuts tb) (vectors_of its) a) as [vv w] eqn:EC.
    destruct (combination_ok _ _ _ _ _ _ HG EC) as (CV & _ & _). subst vv. cbv zeta in K.
    apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K. destruct K as [K1 K2].
    constructor; [|eapply IH, K3]. intros u HU HR. pose proof (excesses_ok F t u _ _ _ _ HR E) as B.
    set (v := combine a (vectors_of its)) in *.
    apply Z.leb_le, IZR_le in K1, K2. set (tF := (t * F)%Z) in *. rewrite !mult_IZR, zdot_ok in K2.
    assert (C : dot u (scal (IZR tF) (zR v)) <= IZR (T - k)).
    { apply dot_le_bound; auto. rewrite dot_scal_l, dot_scal_r. lra. }
    rewrite dot_scal_r, minus_IZR in C. lra.
  - apply andb_prop in K. destruct K as [K1 K2]. constructor; [|eapply IH, K2].
    intros u HU HR. eapply close_quadratic_ok; eauto.
  - destruct (excesses t its rs a) as [k|] eqn:E; [|discriminate]. rewrite EV in K.
    destruct (combination (full tb) (cuts tb) (vectors_of its) a) as [vv w] eqn:EC.
    destruct (combination_ok _ _ _ _ _ _ HG EC) as (CV & CP & _). subst vv. cbv zeta in K.
    set (v := combine a (vectors_of its)) in *.
    destruct (tighten true _ _ _ _ _ _ _ _ _) as [rs'|] eqn:E1; [|discriminate].
    destruct (tighten false _ _ _ _ _ _ _ _ _) as [rs''|] eqn:E2; [|discriminate].
    specialize (IH _ _ K). inversion IH as [|? ? P O]; subst. constructor; auto.
    intros u HU HR. pose proof (excesses_ok F t u _ _ _ _ HR E) as B. fold v in B.
    destruct (Rle_lt_dec (total F its u) (IZR T)) as [|G]; auto. apply P; auto.
    assert (HH : IZR (T - k) <= IZR (t * F) * dot u (zR v)) by (rewrite minus_IZR; lra).
    refine (tighten_ok false F den (t * F) u its v w (T - k)%Z HD HU HH CP los _ _ _ E2).
    exact (tighten_ok true F den (t * F) u its v w (T - k)%Z HD HU HH CP ups _ _ HR E1).
Qed.

(* no unit vector in the ranges has a larger total *)
Theorem check_tree_ok F den its T fuel ns rs : check_tree F den its T fuel ns rs = true -> refuted F its T rs.
Proof.
  unfold check_tree. intros K. apply andb_prop in K. destruct K as [K1 K2]. apply Z.ltb_lt in K1.
  pose proof (run_ok _ _ _ _ _ (make_table_ok fuel _) K1 _ _ _ K2) as H. inversion H; auto.
Qed.
