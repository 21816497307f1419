(* Curve.v -- rule 3.4: theta is not a local optimum, since a polynomial curve through theta has better
   points for all small eps > 0.  Class N of any depth, all layers or one; the forward pass is run
   over polynomials in eps, a polynomial being positive iff its lowest non-zero coefficient is. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Import ListNotations.
Open Scope R_scope.

Notation poly := (list num).      (* coefficients of 1, eps, eps^2, ... *)
Fixpoint padd (a b : poly) : poly :=
  match a, b with
  | x :: a', y :: b' => add x y :: padd a' b'
  | [], _ => b
  | _, [] => a
  end.
Definition pscale (k : num) (a : poly) : poly := map (mul k) a.
Fixpoint pmul (a b : poly) : poly :=
  match a with [] => [] | x :: a' => padd (pscale x b) (zero :: pmul a' b) end.
Definition popp (a : poly) : poly := map opp a.
(* the sign for all small eps > 0 *)
Fixpoint psign (a : poly) : comparison :=
  match a with
  | [] => Eq
  | c :: a' => if leb zero c then (if leb c zero then psign a' else Gt) else Lt
  end.
Definition pact (al : num) (a : poly) : poly := match psign a with Gt => a | _ => pscale al a end.
Definition pconst (a : num) : poly := [a].
Definition below (a b : poly) : bool := match psign (padd a (popp b)) with Lt => true | _ => false end.

(* Witness: per layer and coordinate the coefficients of eps, eps^2, ...; what is missing does not
   move.  The constant terms are theta's own. *)
Definition moves := list (list (list num)).
Fixpoint along (u : list num) (m : list (list num)) : list poly :=
  match u, m with
  | [], _ => []
  | c :: u', [] => [c] :: along u' []
  | c :: u', cs :: m' => (c :: cs) :: along u' m'
  end.
Fixpoint curve (th : params num) (mv : moves) : params poly :=
  match th, mv with
  | [], _ => []
  | (u, W) :: th', [] => (along u [], W) :: curve th' []
  | (u, W) :: th', m :: mv' => (along u m, W) :: curve th' mv'
  end.
Definition at_rest (m : list (list num)) : bool := match m with [] => true | _ => false end.
Fixpoint only_layer (l : nat) (mv : moves) : bool :=
  match mv, l with
  | [], _ => true
  | _ :: mv', O => forallb at_rest mv'
  | m :: mv', S l' => at_rest m && only_layer l' mv'
  end.
Definition in_scope (s : scope) (th : params num) (mv : moves) : bool :=
  match s with All => true | Layer l => (l <? length th)%nat && only_layer l mv end.
Definition gq al (ls : params poly) (x c : list num) : poly :=
  q_value [] padd pmul (pact al) ls (map pconst x) (map pconst c).
(* the same, of weights that are looked up *)
Definition gq_weights al (W : list (list (list (option poly)))) (x c : list num) : poly :=
  sum_products [] padd pmul (map pconst c) (forward_weights [] padd pmul (pact al) W (map pconst x)).
Definition gsquares (u : list poly) : poly := sum_squares [] padd pmul u.
Definition gnorm2 (s : scope) (ls : params poly) : poly :=
  match s with
  | All => squared_norm [] padd pmul ls
  | Layer l => gsquares (fst (nth l ls ([], [])))
  end.
Definition check_curve (own : option num) (p : qproblem) (s : scope) (mv : moves) : bool :=
  match own with
  | None => false
  | Some g =>
      let ls := curve (qtheta p) mv in
      let W := look_up [] ls in
      in_scope s (qtheta p) mv
      && forallb (fun k => negb (below (gq_weights (qalpha p) W (fst k) (snd k)) [g]))
           (qconstraints (qtheta p) (qsamples p))
      && below (gnorm2 s ls) (gnorm2 s (curve (qtheta p) []))
  end.

(* ---- soundness ------------------------------------------------------------------------------ *)
(* for all small eps > 0 *)
Definition ev (P : R -> Prop) : Prop := exists d, 0 < d /\ forall e, 0 < e < d -> P e.
Lemma ev_and P Q : ev P -> ev Q -> ev (fun e => P e /\ Q e).
Proof.
  intros (d & D & H) (d' & D' & H'). exists (Rmin d d'). split; [apply Rmin_pos; auto|].
  intros e E. pose proof (Rmin_l d d'). pose proof (Rmin_r d d'). split; [apply H|apply H']; lra.
Qed.
Lemma ev_mono (P Q : R -> Prop) : (forall e, 0 < e -> P e -> Q e) -> ev P -> ev Q.
Proof. intros H (d & D & K). exists d. split; auto. intros e E. apply H; [lra|auto]. Qed.
Lemma ev_all (P : R -> Prop) : (forall e, 0 < e -> P e) -> ev P.
Proof. intros H. exists 1. split; [lra|]. intros e E. apply H; lra. Qed.
Lemma ev_ex P : ev P -> exists e, 0 < e /\ P e.
Proof. intros (d & D & H). exists (d/2). split; [lra|apply H; lra]. Qed.

Fixpoint pe (e : R) (a : poly) : R := match a with [] => 0 | c :: a' => #c + e * pe e a' end.
Lemma pe_add e a : forall b, pe e (padd a b) = pe e a + pe e b.
Proof. induction a; destruct b; simpl; rewrite ?toR_add, ?IHa; ring. Qed.
Lemma pe_scale e k a : pe e (pscale k a) = #k * pe e a.
Proof. unfold pscale. induction a; simpl; rewrite ?toR_mul, ?IHa; ring. Qed.
Lemma pe_mul e a b : pe e (pmul a b) = pe e a * pe e b.
Proof. induction a; simpl; rewrite ?pe_add, ?pe_scale; simpl; rewrite ?toR_0, ?IHa; ring. Qed.
Lemma pe_opp e a : pe e (popp a) = - pe e a.
Proof. unfold popp. induction a; simpl; rewrite ?toR_opp, ?IHa; ring. Qed.
Lemma pe_bound a : exists M, 0 <= M /\ forall e, 0 < e < 1 -> Rabs (pe e a) <= M.
Proof.
  induction a as [|c a (M & M0 & H)]; simpl.
  - exists 0. split; [lra|]. intros. rewrite Rabs_R0; lra.
  - exists (Rabs #c + M). split; [pose proof (Rabs_pos #c); lra|].
    intros e E. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
    specialize (H e E). rewrite (Rabs_right e) by lra. pose proof (Rabs_pos (pe e a)). nra.
Qed.
Lemma pe_near a eta : 0 < eta -> ev (fun e => Rabs (e * pe e a) < eta).
Proof.
  intros HE. destruct (pe_bound a) as (M & M0 & B).
  exists (Rmin 1 (eta / (M + 1))). split.
  { apply Rmin_pos; [lra|]. apply Rdiv_lt_0_compat; lra. }
  intros e E. pose proof (Rmin_l 1 (eta / (M + 1))). pose proof (Rmin_r 1 (eta / (M + 1))).
  specialize (B e ltac:(lra)). rewrite Rabs_mult, (Rabs_right e) by lra.
  assert (e * (M + 1) < eta).
  { apply Rlt_le_trans with (eta / (M + 1) * (M + 1)); [apply Rmult_lt_compat_r; lra|].
    right. field. lra. }
  pose proof (Rabs_pos (pe e a)). nra.
Qed.
Lemma psign_ok a : match psign a with
  | Eq => forall e, pe e a = 0 | Gt => ev (fun e => 0 < pe e a) | Lt => ev (fun e => pe e a < 0) end.
Proof.
  induction a as [|c a IH]; simpl; auto.
  destruct (leb zero c) eqn:E.
  - destruct (leb c zero) eqn:F.
    + apply leb_le in E. apply leb_le in F. rewrite toR_0 in *.
      assert (Z : #c = 0) by lra.
      destruct (psign a).
      * intros e. rewrite Z, IH; ring.
      * revert IH. apply ev_mono. intros e He HH. rewrite Z. nra.
      * revert IH. apply ev_mono. intros e He HH. rewrite Z. nra.
    + apply leb_gt in F. rewrite toR_0 in F.
      generalize (pe_near a #c F). apply ev_mono. intros e He HH. apply Rabs_def2 in HH. lra.
  - apply leb_gt in E. rewrite toR_0 in E.
    generalize (pe_near a (- #c) ltac:(lra)). apply ev_mono. intros e He HH. apply Rabs_def2 in HH. lra.
Qed.
Lemma pact_ok al a : ev (fun e => pe e (pact al a) = act #al (pe e a)).
Proof.
  unfold pact. pose proof (psign_ok a) as H. destruct (psign a).
  - apply ev_all. intros e _. rewrite pe_scale, H, act_0. ring.
  - revert H. apply ev_mono. intros e _ H. rewrite pe_scale. unfold act.
    destruct (Rlt_dec 0 (pe e a)); lra.
  - revert H. apply ev_mono. intros e _ H. unfold act. destruct (Rlt_dec 0 (pe e a)); lra.
Qed.
Lemma act_map_ok al z : ev (fun e => map (pe e) (map (pact al) z) = map (act #al) (map (pe e) z)).
Proof.
  induction z as [|a z IH]; simpl; [apply ev_all; auto|].
  generalize (ev_and _ _ (pact_ok al a) IH). apply ev_mono. intros e _ [A B]. rewrite A, B; auto.
Qed.
Definition at_ (e : R) (ls : params poly) : params R := map (fun l => (map (pe e) (fst l), snd l)) ls.
Lemma g_row_dot_ok e u r : forall a,
  pe e (row_dot [] padd pmul u r a) = row_dot 0 Rplus Rmult (map (pe e) u) r (map (pe e) a).
Proof.
  induction r as [|[k|] r IH]; intros [|a0 a]; simpl; auto.
  rewrite pe_add, pe_mul, IH. f_equal. f_equal. change 0 with (pe e []). rewrite map_nth. auto.
Qed.
Lemma g_layer_ok e u W a :
  map (pe e) (layer [] padd pmul u W a) = layer 0 Rplus Rmult (map (pe e) u) W (map (pe e) a).
Proof. unfold layer. rewrite map_map. apply map_ext. intros; apply g_row_dot_ok. Qed.
Lemma g_forward_ok al ls : forall a,
  ev (fun e => map (pe e) (forward [] padd pmul (pact al) ls a)
               = forward 0 Rplus Rmult (act #al) (at_ e ls) (map (pe e) a)).
Proof.
  induction ls as [|[u W] ls IH]; intros a; [apply ev_all; auto|].
  destruct ls as [|l ls].
  - apply ev_all. intros e _. simpl. apply g_layer_ok.
  - pose proof (IH (map (pact al) (layer [] padd pmul u W a))) as H1.
    pose proof (act_map_ok al (layer [] padd pmul u W a)) as H2.
    generalize (ev_and _ _ H1 H2). apply ev_mono. intros e _ [A B].
    rewrite B, g_layer_ok in A. exact A.
Qed.
Lemma g_sum_products_ok e c : forall a,
  pe e (sum_products [] padd pmul c a) = sum_products 0 Rplus Rmult (map (pe e) c) (map (pe e) a).
Proof. induction c; intros [|z a']; simpl; auto. rewrite pe_add, pe_mul, IHc; auto. Qed.
Lemma pe_consts e x : map (pe e) (map pconst x) = vR x.
Proof. unfold vR. rewrite map_map. apply map_ext. intros; simpl; ring. Qed.
Lemma gq_ok al ls x c : ev (fun e => pe e (gq al ls x c) = q #al (at_ e ls) (vR x) (vR c)).
Proof.
  unfold gq, q, q_value. generalize (g_forward_ok al ls (map pconst x)). apply ev_mono.
  intros e _ H. rewrite g_sum_products_ok, H, !pe_consts. auto.
Qed.
Lemma gsquares_ok e u : pe e (gsquares u) = sum_squares 0 Rplus Rmult (map (pe e) u).
Proof. unfold gsquares. induction u; simpl; auto. rewrite pe_add, pe_mul, IHu; auto. Qed.
Lemma gnorm2_ok e s ls : pe e (gnorm2 s ls) = scope_norm2 s (at_ e ls).
Proof.
  destruct s as [|l]; simpl.
  - unfold norm2. induction ls as [|[u W] ls IH]; simpl; auto.
    rewrite pe_add, IH. f_equal. apply gsquares_ok.
  - rewrite gsquares_ok. unfold at_.
    change (@nil R, @nil row) with ((fun l : list poly * matrix => (map (pe e) (fst l), snd l)) ([], [])).
    rewrite map_nth. auto.
Qed.
Lemma not_below a b : below a b = false -> ev (fun e => pe e b <= pe e a).
Proof.
  unfold below. intros H. pose proof (psign_ok (padd a (popp b))) as K.
  destruct (psign _); [apply ev_all; intros e _; specialize (K e)|discriminate|revert K; apply ev_mono; intros e _ K];
    rewrite pe_add, pe_opp in K; lra.
Qed.
Lemma is_below a b : below a b = true -> ev (fun e => pe e a < pe e b).
Proof.
  unfold below. intros H. pose proof (psign_ok (padd a (popp b))) as K.
  destruct (psign _); try discriminate. revert K. apply ev_mono. intros e _ K.
  rewrite pe_add, pe_opp in K; lra.
Qed.

Lemma along_rest e u : map (pe e) (along u []) = vR u.
Proof. induction u; simpl; auto. rewrite IHu. f_equal. ring. Qed.
Lemma along_length u : forall m, length (along u m) = length u.
Proof. induction u; intros [|c m]; simpl; auto. Qed.
Lemma at_cons e u W ls : at_ e ((u, W) :: ls) = (map (pe e) u, W) :: at_ e ls.
Proof. reflexivity. Qed.
Lemma thR_cons u W th : thR ((u, W) :: th) = (vR u, W) :: thR th.
Proof. reflexivity. Qed.
Lemma at_rest_ok e th : forall mv, forallb at_rest mv = true -> at_ e (curve th mv) = thR th.
Proof.
  induction th as [|[u W] th IH]; intros [|m mv] H; auto; cbn [curve]; rewrite at_cons, thR_cons.
  - rewrite along_rest, IH; auto.
  - simpl in H. apply andb_prop in H. destruct H as [A B]. destruct m; [|discriminate].
    rewrite along_rest, IH; auto.
Qed.
Lemma curve_same e th : forall mv, same_architecture (thR th) (at_ e (curve th mv)).
Proof.
  induction th as [|[u W] th IH]; intros [|m mv]; constructor; simpl; try apply IH;
    split; auto; rewrite ?map_length, ?along_length, ?vR_length; auto.
Qed.
Lemma curve_varies e s th : forall mv, in_scope s th mv = true -> varies s (thR th) (at_ e (curve th mv)).
Proof.
  destruct s as [|l]; intros mv H; [apply curve_same|]. simpl in H.
  apply andb_prop in H. destruct H as [L H]. apply Nat.ltb_lt in L. simpl. revert l mv L H.
  induction th as [|[u W] th IH]; intros l mv L H; simpl in L; [lia|].
  destruct l as [|l].
  - exists [], (vR u), W, (map (pe e) (along u (hd [] mv))), (thR th).
    split; [auto|]. split; [rewrite map_length, along_length, vR_length; auto|].
    split; [auto|]. destruct mv as [|m mv]; cbn [curve hd app]; rewrite at_cons.
    + rewrite (at_rest_ok e th []); auto.
    + simpl in H. rewrite (at_rest_ok e th mv); auto.
  - assert (X : only_layer l (tl mv) = true /\ (mv = [] \/ hd [] mv = [])).
    { destruct mv as [|m mv]; simpl; [destruct l; auto|]. simpl in H. apply andb_prop in H.
      destruct H as [A B]. destruct m; [auto|discriminate]. }
    destruct X as [X1 X2].
    destruct (IH l (tl mv) ltac:(lia) X1) as (bf & u1 & W1 & u2 & af & E1 & E2 & E3 & E4).
    exists ((vR u, W) :: bf), u1, W1, u2, af. rewrite thR_cons. cbn [length app]. rewrite E1, E3.
    repeat split; auto.
    destruct mv as [|m mv]; cbn [curve hd tl] in *; rewrite at_cons, E4.
    + rewrite along_rest. auto.
    + destruct X2 as [X2|X2]; [discriminate|]. subst m. rewrite along_rest. auto.
Qed.
Lemma along_close eta u : 0 < eta -> forall m,
  ev (fun e => Forall2 (fun s t => Rabs (s - t) < eta) (vR u) (map (pe e) (along u m))).
Proof.
  intros HE. induction u as [|c u IH]; intros m; [apply ev_all; destruct m; constructor|].
  destruct m as [|cs m].
  - generalize (IH []). apply ev_mono. intros e _ B. simpl. constructor; auto.
    replace (#c - (#c + e * 0)) with 0 by ring. rewrite Rabs_R0; auto.
  - generalize (ev_and _ _ (pe_near cs eta HE) (IH m)). apply ev_mono. intros e _ [A B].
    simpl. constructor; auto. replace (#c - (#c + e * pe e cs)) with (- (e * pe e cs)) by ring.
    rewrite Rabs_Ropp; auto.
Qed.
Lemma curve_close eta th : 0 < eta -> forall mv, ev (fun e => close eta (thR th) (at_ e (curve th mv))).
Proof.
  intros HE. induction th as [|[u W] th IH]; intros mv; [apply ev_all; destruct mv; constructor|].
  destruct mv as [|m mv].
  - generalize (ev_and _ _ (along_close eta u HE []) (IH [])). apply ev_mono. intros e _ [A B]. constructor; auto.
  - generalize (ev_and _ _ (along_close eta u HE m) (IH mv)). apply ev_mono. intros e _ [A B]. constructor; auto.
Qed.
Lemma outputs_same a b : same_architecture a b -> outputs a = outputs b.
Proof.
  intros H. unfold outputs. assert (X : Forall2 (fun l l' : list R * matrix => snd l = snd l' /\ length (fst l) = length (fst l')) (rev a) (rev b)).
  { clear -H. induction H; simpl; [constructor|]. apply Forall2_app; auto. }
  destruct X as [|[u W] [u' W'] ? ? [E _] _]; auto. simpl in E. subst; auto.
Qed.

Theorem curve_sound p s mv : check_curve (classified p) p s mv = true -> holds (problemR p) (NotLocalOptimum s).
Proof.
  unfold check_curve. destruct (classified p) as [g|] eqn:C; [|discriminate]. cbv zeta.
  intros K. apply andb_prop in K. destruct K as [K K3]. apply andb_prop in K. destruct K as [K1 K2].
  apply (holds_intro p g); auto. intros eta HE.
  assert (F : ev (fun e => margin_ge #(qalpha p) (at_ e (curve (qtheta p) mv)) (dataR (qsamples p)) #g)).
  { assert (G : ev (fun e => forall k, In k (qconstraints (qtheta p) (qsamples p)) ->
       #g <= q #(qalpha p) (at_ e (curve (qtheta p) mv)) (vR (fst k)) (vR (snd k)))).
    { induction (qconstraints (qtheta p) (qsamples p)) as [|k l IH]; [apply ev_all; intros ? ? ? []|].
      simpl in K2. apply andb_prop in K2. destruct K2 as [A B]. apply negb_true_iff in A.
      unfold gq_weights in A. rewrite forward_weights_ok in A.
      change (sum_products _ _ _ _ _) with (gq (qalpha p) (curve (qtheta p) mv) (fst k) (snd k)) in A.
      generalize (ev_and _ _ (ev_and _ _ (not_below _ _ A) (gq_ok (qalpha p) (curve (qtheta p) mv) (fst k) (snd k))) (IH B)).
      apply ev_mono. intros e _ [[X Y] Z] k' [I|I]; [|apply Z; auto]. subst k'.
      rewrite Y in X. simpl in X. lra. }
    revert G. apply ev_mono. intros e _ G x c I. unfold constraints_of in I.
    rewrite <- (outputs_same _ _ (curve_same e (qtheta p) mv)) in I.
    change (In (x, c) (constraints_of (thR (qtheta p)) (dataR (qsamples p)))) in I.
    rewrite constraints_ok in I. apply in_map_iff in I. destruct I as (k & E & I).
    inversion E; subst. apply G; auto. }
  destruct (ev_ex _ (ev_and _ _ (curve_close eta (qtheta p) HE mv) (ev_and _ _ F (is_below _ _ K3))))
    as (e & _ & A & B & D).
  rewrite !gnorm2_ok, (at_rest_ok e (qtheta p) []) in D by auto.
  exists (at_ e (curve (qtheta p) mv)). split; [|split; [exact A|split; [exact B|exact D]]].
  apply curve_varies; auto.
Qed.
