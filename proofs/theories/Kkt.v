(* Kkt.v -- rules 3.1 and 3.2: theta = Sum lambda_k G_k with limiting gradients G_k of active constraints.

   Witness: terms (constraint, weight, curve).  Along a curve theta(eps) with theta(0) = theta on which, for small
   eps > 0, every hidden preactivation of the sample is positive, negative, or 0 for all nearby
   parameters, the gradient with these slopes tends to the gradient at theta with the same slopes. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Curve.
Require Import MaxMargin.Pattern MaxMargin.Gradient.
Import ListNotations.
Open Scope R_scope.

(* slope of a hidden unit by the sign of its preactivation along the curve, and whether it is off *)
Definition slope_of (al : num) (off : list bool) (u a : list poly) (r : row) : option (num * bool) :=
  if blind off r then Some (al, true) else
  match psign (row_dot [] padd pmul u r a) with
  | Gt => Some (one, false)
  | Lt => Some (al, eqb al zero)
  | Eq => if eqb al one then Some (one, false) else None
  end.
Fixpoint all_some {A} (l : list (option A)) : option (list A) :=
  match l with
  | [] => Some []
  | Some a :: l' => match all_some l' with Some t => Some (a :: t) | None => None end
  | None :: _ => None
  end.
Fixpoint slopes_of (al : num) (off : list bool) (ls : params poly) (a : list poly) : option (list (list num)) :=
  match ls with
  | [] => Some []
  | [_] => Some []
  | (u, W) :: rest =>
      match all_some (map (slope_of al off u a) W) with
      | Some l =>
          match slopes_of al (map snd l) rest (map (pact al) (layer [] padd pmul u W a)) with
          | Some t => Some (map fst l :: t)
          | None => None
          end
      | None => None
      end
  end.
Definition zeros (x : list num) : list bool := map (fun a => eqb a zero) x.

(* numbers that carry a gradient *)
Fixpoint qaxpy (k : num) (a b : list num) : list num :=
  match a, b with
  | x :: a', y :: b' => add (mul k x) y :: qaxpy k a' b'
  | [], _ => b
  | _, [] => map (mul k) a
  end.
Definition qgnum := (num * list num)%type.
Definition qgadd (a b : qgnum) : qgnum := (add (fst a) (fst b), qaxpy one (snd a) (snd b)).
Definition qgmul (a b : qgnum) : qgnum := (mul (fst a) (fst b), qaxpy (fst a) (snd b) (map (mul (fst b)) (snd a))).
Definition qgconst (a : num) : qgnum := (a, []).
Definition qflat (th : params num) : list num := flat_map fst th.
Definition qvariable (v : list num) (k : nat) : qgnum := (nth k v zero, repeat zero k ++ [one]).
Definition qgradient (S : list (list num)) (th : params num) (x c : list num) : list num :=
  snd (pattern_value (zero, []) qgadd qgmul (map (map qgconst) S) (lift (qvariable (qflat th)) 0 th)
         (map qgconst x) (map qgconst c)).

Definition term := (nat * num * moves)%type.
(* Sum of the terms; None if one is not in order *)
Fixpoint kkt_sum (p : qproblem) (g : num) (l : list term) : option (list num) :=
  match l with
  | [] => Some []
  | (k, w, mv) :: l' =>
      match nth_error (qconstraints (qtheta p) (qsamples p)) k, kkt_sum p g l' with
      | Some (x, c), Some total =>
          match slopes_of (qalpha p) (zeros x) (curve (qtheta p) mv) (map pconst x) with
          | Some ss =>
              if nonneg w && eqb (qq (qalpha p) (qtheta p) x c) g
              then Some (qaxpy w (qgradient ss (qtheta p) x c) total) else None
          | None => None
          end
      | _, _ => None
      end
  end.
Definition check_kkt (own : option num) (p : qproblem) (l : list term) : bool :=
  match own with
  | Some g =>
      match kkt_sum p g l with
      | Some total => forallb (fun a => eqb a zero) (qaxpy (opp one) total (qflat (qtheta p)))
      | None => false
      end
  | None => false
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
Lemma qaxpy_ok k a : forall b, vR (qaxpy k a b) = axpy #k (vR a) (vR b).
Proof.
  induction a as [|x a IH]; intros [|y b]; simpl; auto.
  - num. f_equal. unfold vR. rewrite !map_map. apply map_ext. intros. num. auto.
  - rewrite IH. num. auto.
Qed.
Definition gR (a : qgnum) (b : gnum) : Prop := #(fst a) = fst b /\ vR (snd a) = snd b.
Lemma flat_R th : flat (thR th) = vR (qflat th).
Proof.
  unfold flat, qflat, thR, vR. induction th as [|[u W] th IH]; auto. cbn [map flat_map fst]. rewrite map_app, IH. auto.
Qed.
Lemma lift_thR {B} (co : nat -> B) th : forall n, lift co n (thR th) = lift co n th.
Proof.
  induction th as [|[u W] th IH]; intros n; auto. change (thR ((u, W) :: th)) with ((vR u, W) :: thR th).
  cbn [lift]. rewrite vR_length, IH. auto.
Qed.
Lemma qgradient_ok S th x c :
  vR (qgradient S th x c) = snd (gvalue (map vR S) (thR th) (flat (thR th)) (vR x) (vR c)).
Proof.
  unfold qgradient, gvalue. rewrite lift_thR.
  assert (K : gR (zero, []) gzero) by (split; simpl; num; auto).
  assert (KC : forall a, gR (qgconst a) (gconst #a)) by (split; auto).
  apply (rel_value qgnum gnum (zero, []) qgadd qgmul gzero gadd gmul gR).
  - exact K.
  - intros a b a' b' [A1 A2] [B1 B2]. split; simpl; num; [congruence|]. rewrite qaxpy_ok, A2, B2. num. auto.
  - intros a b a' b' [A1 A2] [B1 B2]. split; simpl; num; [congruence|].
    rewrite qaxpy_ok, A1, B2. f_equal. rewrite <- A2, <- B1. unfold vR, scal. rewrite !map_map. apply map_ext.
    intros. num. auto.
  - apply lift_rel. intros k. split; cbn [qvariable variable fst snd].
    + rewrite flat_R, nth_vR. auto.
    + unfold vR, unit_vec. rewrite map_app. simpl. num. f_equal. clear. induction k; simpl; auto. rewrite IHk. num. auto.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros s. rewrite map_map. apply Forall2_maps. intros a. apply KC.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros a. apply KC.
  - unfold vR. rewrite map_map. apply Forall2_maps. intros a. apply KC.
Qed.

Lemma slope_of_ok al off u a r s o : slope_of al off u a r = Some (s, o) -> ev (fun e =>
  unit_fits #al off (map (pe e) u) (map (pe e) a) #s r /\ unit_off #al off (map (pe e) u) (map (pe e) a) o r).
Proof.
  unfold slope_of. destruct (blind off r) eqn:B.
  - intros H. inversion H; subst. apply ev_all. intros e _. split; [left|intros _; left]; auto.
  - pose proof (psign_ok (row_dot [] padd pmul u r a)) as P.
    destruct (psign _); intros H.
    + destruct (eqb al one) eqn:E; [|discriminate]. inversion H; subst. tests. num. apply ev_all. intros e _. split.
      * right. right. right. num. auto.
      * intros X. discriminate.
    + inversion H; subst. revert P. apply ev_mono. intros e _ P. rewrite g_row_dot_ok in P. split.
      * right. right. left. auto.
      * intros X. right. tests. num. auto.
    + inversion H; subst. revert P. apply ev_mono. intros e _ P. rewrite g_row_dot_ok in P. split.
      * right. left. num. auto.
      * intros X. discriminate.
Qed.
Lemma all_slopes_ok al off u a W : forall l, all_some (map (slope_of al off u a) W) = Some l -> ev (fun e =>
  Forall2 (unit_fits #al off (map (pe e) u) (map (pe e) a)) (vR (map fst l)) W /\
  Forall2 (unit_off #al off (map (pe e) u) (map (pe e) a)) (map snd l) W).
Proof.
  induction W as [|r W IH]; intros l H; simpl in H.
  - inversion H; subst. apply ev_all. intros. split; constructor.
  - destruct (slope_of al off u a r) as [[s o]|] eqn:E; [|discriminate].
    destruct (all_some _) as [t|] eqn:F; [|discriminate]. inversion H; subst.
    generalize (ev_and _ _ (slope_of_ok _ _ _ _ _ _ _ E) (IH t eq_refl)). apply ev_mono.
    intros e _ [[A B] [C D]]. split; constructor; auto.
Qed.
Lemma slopes_of_cons al off u W l ls a : slopes_of al off ((u, W) :: l :: ls) a =
  match all_some (map (slope_of al off u a) W) with
  | Some t =>
      match slopes_of al (map snd t) (l :: ls) (map (pact al) (layer [] padd pmul u W a)) with
      | Some r => Some (map fst t :: r)
      | None => None
      end
  | None => None
  end.
Proof. reflexivity. Qed.
Lemma slopes_of_ok al : forall ls off a S, slopes_of al off ls a = Some S ->
  exists offs, ev (fun e => fits #al (map vR S) offs off (at_ e ls) (map (pe e) a)).
Proof.
  induction ls as [|[u W] ls IH]; intros off a S H.
  - exists []. apply ev_all. intros. exact I.
  - destruct ls as [|l ls].
    + exists []. apply ev_all. intros. exact I.
    + rewrite slopes_of_cons in H. destruct (all_some _) as [t|] eqn:E; [|discriminate].
      destruct (slopes_of al (map snd t) (l :: ls) _) as [S'|] eqn:F; [|discriminate]. inversion H; subst.
      destruct (IH _ _ _ F) as (offs & K). exists (map snd t :: offs).
      generalize (ev_and _ _ (all_slopes_ok _ _ _ _ _ _ E) (ev_and _ _ K (act_map_ok al (layer [] padd pmul u W a)))).
      apply ev_mono. intros e _ [[A B] [C D]]. rewrite D, g_layer_ok in C.
      rewrite at_cons. split; [exact A|split; [exact B|exact C]].
Qed.
Lemma zeros_ok x : zero_at (zeros x) (vR x).
Proof.
  unfold zeros, vR. intros c. revert x. induction c as [|c IH]; intros [|a x] H; simpl in *; try discriminate; auto.
  tests. num. auto.
Qed.

Theorem term_limiting p x c mv S : 0 <= #(qalpha p) <= 1 ->
  slopes_of (qalpha p) (zeros x) (curve (qtheta p) mv) (map pconst x) = Some S ->
  limiting (fun th => q #(qalpha p) th (vR x) (vR c)) (thR (qtheta p)) (vR (qgradient S (qtheta p) x c)).
Proof.
  intros HA H eta HE. destruct (slopes_of_ok _ _ _ _ _ H) as (offs & K).
  destruct (gvalue_steady (map vR S) (thR (qtheta p)) (flat (thR (qtheta p))) (vR x) (vR c) eta HE) as (d & D & N).
  assert (DE : 0 < Rmin d eta) by (apply Rmin_pos; auto).
  destruct (ev_ex _ (ev_and _ _ K (curve_close (Rmin d eta) (qtheta p) DE mv))) as (e & _ & F & C).
  rewrite pe_consts in F. set (th' := at_ e (curve (qtheta p) mv)) in *.
  pose proof (curve_same e (qtheta p) mv) as SA. fold th' in SA.
  exists th', (snd (gvalue (map vR S) th' (flat th') (vR x) (vR c))).
  split; [auto|split; [eapply close_mono_p; [apply Rmin_r|eauto]|split]].
  - apply (pattern_gradient _ _ offs (zeros x)); auto. apply zeros_ok.
  - intros i. rewrite qgradient_ok, <- (gvalue_same _ _ _ _ _ _ SA). apply N.
    apply close_flat; auto. eapply close_mono_p; [apply Rmin_l|eauto].
Qed.
Lemma limiting_subgradient h th G : limiting h th G -> subgradient h th G.
Proof.
  intros H. exists [(1, G)]. split; [|split].
  - intros w G' [E|[]]. inversion E; subst. split; [lra|auto].
  - simpl. ring.
  - intros i. simpl. ring.
Qed.
Lemma kkt_sum_ok p g : 0 <= #(qalpha p) <= 1 -> forall l total, kkt_sum p g l = Some total ->
  exists L : list ((vec * vec) * (R * vec)),
    (forall x c w G, In ((x, c), (w, G)) L ->
       In (x, c) (constraints_of (thR (qtheta p)) (dataR (qsamples p))) /\ q #(qalpha p) (thR (qtheta p)) x c = #g /\ 0 <= w /\
       subgradient (fun th => q #(qalpha p) th x c) (thR (qtheta p)) G) /\
    forall i, nth i (vR total) 0 = entry_sum i (map snd L).
Proof.
  intros HA. induction l as [|[[k w] mv] l IH]; intros total H; cbn [kkt_sum] in H.
  - inversion H; subst. exists []. split; [intros ? ? ? ? []|]. intros [|i]; auto.
  - destruct (nth_error _ k) as [[x c]|] eqn:N; [|discriminate].
    destruct (kkt_sum p g l) as [t|] eqn:E; [|discriminate].
    destruct (slopes_of _ _ _ _) as [S|] eqn:F; [|discriminate].
    destruct (nonneg w && _) eqn:T; [|discriminate]. inversion H; subst. tests.
    destruct (IH t eq_refl) as (L & L1 & L2).
    exists (((vR x, vR c), (#w, vR (qgradient S (qtheta p) x c))) :: L). split.
    + intros x' c' w' G [I|I]; [|apply L1; auto]. inversion I; subst.
      split; [|split; [|split; [auto|]]].
      * rewrite constraints_ok. apply in_map_iff. exists (x, c). split; auto. eapply nth_error_In; eauto.
      * rewrite <- qq_ok. auto.
      * apply limiting_subgradient. apply (term_limiting p x c mv S); auto.
    + intros i. rewrite qaxpy_ok, nth_axpy. cbn [map snd entry_sum]. rewrite <- L2. auto.
Qed.
Theorem kkt_sound p l : check_kkt (classified p) p l = true -> holds (problemR p) (Kkt All).
Proof.
  unfold check_kkt. destruct (classified p) as [g|] eqn:C; [|discriminate].
  destruct (kkt_sum p g l) as [total|] eqn:E; [|discriminate]. intros H.
  destruct (classified_ok _ _ C) as (HA & _). cbn [problemR alpha] in HA.
  apply (holds_intro p g); auto. destruct (kkt_sum_ok p g HA l total E) as (L & L1 & L2).
  exists L. split; [exact L1|]. intros i. cbn [problemR theta part]. rewrite <- L2, flat_R.
  assert (Z : nth i (vR (qaxpy (opp one) total (qflat (qtheta p)))) 0 = 0).
  { rewrite nth_vR. destruct (nth_in_or_default i (qaxpy (opp one) total (qflat (qtheta p))) zero) as [I|I].
    - rewrite forallb_forall in H. specialize (H _ I). tests. num. auto.
    - rewrite I. num. auto. }
  rewrite qaxpy_ok, nth_axpy in Z. num. lra.
Qed.
