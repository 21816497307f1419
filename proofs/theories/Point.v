(* Point.v -- an explicit point theta' of theta's architecture that is feasible for theta's margin and
   shorter, so that theta is not a global optimum. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Import ListNotations.
Open Scope R_scope.

(* theta with other parameters: all layers, or layer l *)
Fixpoint with_all (th : params num) (us : list (list num)) : option (params num) :=
  match th, us with
  | [], [] => Some []
  | (u, W) :: th', u' :: us' =>
      if (length u =? length u')%nat
      then match with_all th' us' with Some t => Some ((u', W) :: t) | None => None end else None
  | _, _ => None
  end.
Fixpoint with_layer (l : nat) (th : params num) (u' : list num) : option (params num) :=
  match th, l with
  | [], _ => None
  | (u, W) :: th', O => if (length u =? length u')%nat then Some ((u', W) :: th') else None
  | lw :: th', S l' => match with_layer l' th' u' with Some t => Some (lw :: t) | None => None end
  end.
(* the witness: one vector per layer that varies *)
Definition moved (s : scope) (th : params num) (us : list (list num)) : option (params num) :=
  match s, us with
  | All, _ => with_all th us
  | Layer l, [u'] => with_layer l th u'
  | Layer _, _ => None
  end.
Definition qscope_norm2 (s : scope) (th : params num) : num :=
  match s with
  | All => qnorm2 th
  | Layer l => sum_squares zero add mul (fst (nth l th ([], [])))
  end.

Definition check_better (own : option num) (p : qproblem) (s : scope) (us : list (list num)) : bool :=
  match own, moved s (qtheta p) us with
  | Some g, Some th' =>
      match margin (qalpha p) th' (qsamples p) with
      | Some g' => leb g g' && ltb (qscope_norm2 s th') (qscope_norm2 s (qtheta p))
      | None => false
      end
  | _, _ => false
  end.
(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma same_refl th : same_architecture th th.
Proof. induction th as [|[u W] th IH]; constructor; auto. Qed.
Lemma with_all_ok th : forall us th', with_all th us = Some th' -> same_architecture (thR th) (thR th').
Proof.
  induction th as [|[u W] th IH]; intros [|u' us] th' H; simpl in H; try discriminate.
  - inversion H; constructor.
  - destruct (Nat.eqb_spec (length u) (length u')) as [L|]; [|discriminate].
    destruct (with_all th us) as [t|] eqn:E; [|discriminate]. inversion H; subst.
    constructor; [simpl; rewrite !vR_length; auto|]. apply (IH _ _ E).
Qed.
Lemma with_layer_ok th : forall l u' th', with_layer l th u' = Some th' -> varies (Layer l) (thR th) (thR th').
Proof.
  induction th as [|[u W] th IH]; intros l u' th' H; destruct l as [|l]; simpl in H; try discriminate.
  - destruct (Nat.eqb_spec (length u) (length u')) as [L|]; [|discriminate]. inversion H; subst.
    exists [], (vR u), W, (vR u'), (thR th). rewrite !vR_length. repeat split; auto.
  - destruct (with_layer l th u') as [t|] eqn:E; [|discriminate]. inversion H; subst.
    destruct (IH _ _ _ E) as (bf & v & V & v' & af & E1 & E2 & E3 & E4).
    exists ((vR u, W) :: bf), v, V, v', af.
    change (thR ((u, W) :: th)) with ((vR u, W) :: thR th).
    change (thR ((u, W) :: t)) with ((vR u, W) :: thR t).
    rewrite E3, E4. simpl. rewrite E1. repeat split; auto.
Qed.
Lemma moved_ok s th us th' : moved s th us = Some th' -> varies s (thR th) (thR th').
Proof.
  destruct s as [|l]; [apply with_all_ok|]. destruct us as [|u' [|? ?]]; try discriminate. apply with_layer_ok.
Qed.
Lemma qscope_norm2_ok s th : #(qscope_norm2 s th) = scope_norm2 s (thR th).
Proof.
  destruct s as [|l]; simpl; [apply qnorm2_ok|]. rewrite sum_squares_ok. unfold thR.
  change (@nil R, @nil row) with ((fun l : list num * matrix => (vR (fst l), snd l)) ([], [])).
  rewrite map_nth. auto.
Qed.
Lemma norm2_nonneg th : 0 <= norm2 th.
Proof.
  unfold norm2. induction th as [|[u W] th IH]; simpl; [lra|].
  assert (0 <= sum_squares 0 Rplus Rmult u) by (induction u; simpl; [lra|nra]). lra.
Qed.

Theorem better_sound p s us : check_better (classified p) p s us = true -> holds (problemR p) (NotGlobalOptimum s).
Proof.
  unfold check_better. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (moved s (qtheta p) us) as [th'|] eqn:M; [|discriminate].
  destruct (margin _ th' _) as [g'|] eqn:G; [|discriminate]. intros K. tests.
  apply margin_ok in G. destruct G as [G _]. rewrite !qscope_norm2_ok in H0.
  apply (holds_intro p g); auto. exists (thR th'). split; [apply (moved_ok _ _ us); auto|].
  split; [|exact H0]. intros x c I. apply G in I. simpl. lra.
Qed.
