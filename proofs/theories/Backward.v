(* Backward.v -- reverse accumulation: W^T c, and the gradient of b . (W a) in the coordinates of W, for layers whose
   coordinates stand in the order of use, each once (no sharing); why these are derivatives in the sense of
   Statement.v. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact.
Require Import MaxMargin.TwoLayer MaxMargin.Kkt MaxMargin.Serving.
Import ListNotations.
Open Scope R_scope.

Section Reverse.
  Variables (A : Type) (zero : A) (add mul : A -> A -> A).
  (* the entries of a that a row reads *)
  Fixpoint pick (r : row) (a : list A) : list A :=
    match r, a with
    | Some _ :: r', z :: a' => z :: pick r' a'
    | None :: r', _ :: a' => pick r' a'
    | Some _ :: r', [] => zero :: pick r' []
    | None :: r', [] => pick r' []
    | [], _ => []
    end.
  (* the gradient of b . (W a) in the coordinates of W, in their order: rows with coefficients b *)
  Fixpoint row_gradients (W : matrix) (b a : list A) : list A :=
    match W with
    | [] => []
    | r :: W' => map (mul (hd zero b)) (pick r a) ++ row_gradients W' (tl b) a
    end.
  Definition pointwise_with (f : A -> A -> A) (a b : list A) : list A := map (fun p => f (fst p) (snd p)) (combine a b).
  (* W^T c *)
  Variable axpy : A -> list A -> list A -> list A.
  Fixpoint backward (c : list A) (u : list A) (W : matrix) : list A :=
    match c, W with
    | x :: c', r :: W' => axpy x (row_weights zero u r) (backward c' u W')
    | _, _ => []
    end.
End Reverse.
Arguments pick {A}. Arguments row_gradients {A}. Arguments pointwise_with {A}. Arguments backward {A}.

(* coordinates in the order of use, each used once: no sharing *)
Fixpoint counts_up (n : nat) (l : list nat) : bool :=
  match l with [] => true | k :: l' => (k =? n)%nat && counts_up (S n) l' end.
Definition in_order (l : list num * matrix) : bool :=
  counts_up 0 (uses (snd l)) && (length (uses (snd l)) =? length (fst l))%nat.

(* ---- gradients as derivatives ---------------------------------------------------------------- *)
Definition pickR := pick 0.
Definition row_gradientsR := row_gradients 0 Rmult.
Definition backwardR := backward 0 axpy.
Lemma dot_app a : forall b v, dot (a ++ b) v = dot a v + dot b (skipn (length a) v).
Proof.
  induction a as [|x a IH]; intros b [|y v]; simpl; try ring.
  - rewrite dot_nil_r. ring.
  - rewrite IH. ring.
Qed.
Lemma counts_up_app l l' : forall n, counts_up n (l ++ l') = true ->
  counts_up n l = true /\ counts_up (n + length l) l' = true.
Proof.
  induction l as [|k l IH]; intros n H; simpl in *; [rewrite Nat.add_0_r; auto|].
  apply andb_prop in H. destruct H as [H1 H2]. destruct (IH _ H2) as [A B]. rewrite H1, A.
  split; auto. rewrite <- plus_n_Sm. exact B.
Qed.
Lemma counts_up_in l : forall n k, counts_up n l = true -> In k l -> (n <= k)%nat.
Proof.
  induction l as [|j l IH]; intros n k H I; [destruct I|]. simpl in H. apply andb_prop in H. destruct H as [H1 H2].
  apply Nat.eqb_eq in H1. destruct I as [I|I]; [lia|]. specialize (IH _ _ H2 I). lia.
Qed.
Lemma counts_up_nodup l : forall n, counts_up n l = true -> NoDup l.
Proof.
  induction l as [|k l IH]; intros n H; constructor; simpl in H; apply andb_prop in H; destruct H as [H1 H2].
  - apply Nat.eqb_eq in H1. subst k. intros I. pose proof (counts_up_in _ _ _ H2 I). lia.
  - apply (IH _ H2).
Qed.
Lemma pick_length {A} (z : A) r : forall a, length (pick z r a) = length (used r).
Proof. induction r as [|[k|] r IH]; intros [|y a]; simpl; auto. Qed.
Lemma row_gradients_length {A} (z : A) m W : forall b a, length (row_gradients z m W b a) = length (uses W).
Proof.
  induction W as [|r W IH]; intros b a; simpl; auto. change (uses (r :: W)) with (used r ++ uses W).
  rewrite !app_length, map_length, pick_length, IH. auto.
Qed.
Lemma skipn_add (e : vec) : forall m n, skipn m (skipn n e) = skipn (m + n) e.
Proof.
  intros m n. revert e. induction n as [|n IH]; intros e; [rewrite Nat.add_0_r; auto|].
  destruct e as [|x e]; [rewrite !skipn_nil; auto|]. rewrite <- plus_n_Sm. simpl. apply IH.
Qed.
Lemma skipn_nth (e : vec) : forall n, skipn n e = [] /\ nth n e 0 = 0 \/ skipn n e = nth n e 0 :: skipn (S n) e.
Proof. induction e as [|x e IH]; intros [|n]; simpl; auto. destruct (IH n) as [H|H]; auto. Qed.
Lemma row_dot_nil u r : row_dot 0 Rplus Rmult u r [] = 0.
Proof. destruct r as [|[k|] r]; auto. Qed.
Lemma pick_nil_dot r : forall v, dot (pick 0 r []) v = 0.
Proof. induction r as [|[k|] r IH]; intros [|y v]; simpl; auto. rewrite IH. ring. Qed.
Lemma pick_dot (e : vec) r : forall n a, counts_up n (used r) = true -> dot (pickR r a) (skipn n e) = row_dot 0 Rplus Rmult e r a.
Proof.
  unfold pickR. induction r as [|[k|] r IH]; intros n a H.
  - reflexivity.
  - simpl in H. apply andb_prop in H. destruct H as [H1 H2]. apply Nat.eqb_eq in H1. subst k.
    destruct a as [|y a]; [rewrite pick_nil_dot; auto|]. cbn [pick row_dot].
    destruct (skipn_nth e n) as [[E N]|E]; rewrite E.
    + rewrite N. simpl. rewrite <- (IH (S n) a H2). assert (X : skipn (S n) e = []).
      { apply skipn_all2. apply (f_equal (@length R)) in E. rewrite skipn_length in E. simpl in E. lia. }
      rewrite X, dot_nil_r. ring.
    + cbn [dot]. rewrite (IH (S n) a H2). ring.
  - destruct a as [|y a]; [rewrite pick_nil_dot; auto|]. cbn [pick row_dot]. apply IH; auto.
Qed.
Lemma row_gradients_dot (e : vec) W : forall n b a, counts_up n (uses W) = true ->
  dot (row_gradientsR W b a) (skipn n e) = dot b (layer 0 Rplus Rmult e W a).
Proof.
  unfold row_gradientsR. induction W as [|r W IH]; intros n b a H.
  - simpl. rewrite dot_nil_r. auto.
  - change (uses (r :: W)) with (used r ++ uses W) in H. destruct (counts_up_app _ _ _ H) as [H1 H2].
    cbn [row_gradients]. rewrite dot_app, map_length, pick_length, skipn_add.
    rewrite (Nat.add_comm (length (used r))), (IH _ (tl b) a H2).
    change (map (Rmult (hd 0 b)) (pick 0 r a)) with (scal (hd 0 b) (pickR r a)). rewrite dot_scal_l, pick_dot by auto.
    unfold layer. destruct b; simpl; ring.
Qed.
Lemma backward_dot u W a : forall c, dot (backwardR c u W) a = dot c (layer 0 Rplus Rmult u W a).
Proof.
  unfold backwardR, layer. induction W as [|r W IH]; intros [|x c]; simpl; auto.
  rewrite dot_axpy_l, IH, row_dot_dot. auto.
Qed.
Lemma dot_pointwise_add c a : forall b, length a = length b -> dot c (pointwise Rplus a b) = dot c a + dot c b.
Proof.
  unfold pointwise. revert c. induction a as [|x a IH]; intros c [|y b] L; simpl in *; try discriminate.
  - rewrite dot_nil_r. ring.
  - destruct c as [|z c]; simpl; [ring|]. rewrite IH by auto. ring.
Qed.
Lemma dot_pointwise_mul b : forall s z, dot (pointwise Rmult b s) z = dot b (pointwise Rmult s z).
Proof.
  unfold pointwise. induction b as [|x b IH]; intros [|s t] [|z y]; simpl; auto. rewrite IH. ring.
Qed.
Lemma layer_length {A} (z : A) ad m u W a : length (layer z ad m u W a) = length W.
Proof. apply map_length. Qed.
Lemma layer_nil u W : forall a, length a = length W -> pointwise Rplus a (layer 0 Rplus Rmult u W []) = a.
Proof.
  unfold pointwise, layer. induction W as [|r W IH]; intros [|x a] L; simpl in *; try discriminate; auto.
  rewrite row_dot_nil, IH by auto. f_equal. ring.
Qed.
(* the derivative of two layers *)
Lemma derivative_two al s u W v V e W' f V' x c :
  dot c (derivative al [s] [(u, W); (v, V)] [(e, W'); (f, V')] x []) =
  dot c (layer 0 Rplus Rmult f V (map (act al) (layer 0 Rplus Rmult u W x)))
  + dot (backwardR c v V) (pointwise Rmult s (layer 0 Rplus Rmult e W x)).
Proof.
  cbn [derivative tl hd]. rewrite dot_pointwise_add by (rewrite !layer_length; auto).
  rewrite layer_nil by apply layer_length. rewrite backward_dot. auto.
Qed.
Definition gradient_two (al : R) (u : vec) (W : matrix) (v : vec) (V : matrix) (s x c : vec) : vec :=
  row_gradientsR W (pointwise Rmult (backwardR c v V) s) x ++ row_gradientsR V c (map (act al) (layer 0 Rplus Rmult u W x)).
Lemma gradient_two_ok al u W v V s x c : counts_up 0 (uses W) = true -> length (uses W) = length u ->
  counts_up 0 (uses V) = true -> length (uses V) = length v ->
  slope_gradient al [s] [(u, W); (v, V)] x c (gradient_two al u W v V s x c).
Proof.
  intros C1 L1 C2 L2. split.
  - unfold gradient_two, row_gradientsR, flat. cbn [flat_map fst]. rewrite !app_length, !row_gradients_length, L1, L2. simpl. lia.
  - intros d S. inversion S as [|? [e W'] ? ? [_ E1] S1]; subst. inversion S1 as [|? [f V'] ? ? [_ E2] S2]; subst.
    inversion S2; subst. cbn [fst] in E1, E2. rewrite derivative_two. unfold gradient_two, flat. cbn [flat_map fst].
    rewrite dot_app. assert (LR : forall b, length (row_gradientsR W b x) = length e) by
      (intros b; unfold row_gradientsR; rewrite row_gradients_length; lia).
    rewrite LR, app_nil_r.
    rewrite skipn_app, skipn_all, Nat.sub_diag. cbn [app skipn].
    pose proof (row_gradients_dot f V 0 c (map (act al) (layer 0 Rplus Rmult u W x)) C2) as R2. cbn [skipn] in R2. rewrite R2.
    assert (R1 : dot (row_gradientsR W (pointwise Rmult (backwardR c v V) s) x) (e ++ f) =
                 dot (pointwise Rmult (backwardR c v V) s) (layer 0 Rplus Rmult e W x)).
    { rewrite <- (row_gradients_dot e W 0) by auto. cbn [skipn]. rewrite (dot_comm _ (e ++ f)), dot_app.
      rewrite skipn_all2; [rewrite dot_nil_r, (dot_comm e); ring|]. unfold row_gradientsR. rewrite row_gradients_length. lia. }
    rewrite R1, dot_pointwise_mul. ring.
Qed.

(* ---- what is computed with rationals --------------------------------------------------------- *)
Lemma hd_vR b : #(hd zero b) = hd 0 (vR b). Proof. destruct b; simpl; num; auto. Qed.
Lemma tl_vR b : vR (tl b) = tl (vR b). Proof. destruct b; auto. Qed.
Lemma pick_ok r : forall a, vR (pick zero r a) = pickR r (vR a).
Proof.
  unfold pickR, vR. induction r as [|[k|] r IH]; intros [|z a]; simpl; auto; f_equal; num; auto; apply (IH []) || apply IH.
Qed.
Lemma row_gradients_ok W : forall b a, vR (row_gradients zero mul W b a) = row_gradientsR W (vR b) (vR a).
Proof.
  unfold row_gradientsR. induction W as [|r W IH]; intros b a; auto. cbn [row_gradients].
  unfold vR at 1. rewrite map_app. fold (vR (row_gradients zero mul W (tl b) a)). rewrite IH, tl_vR. f_equal.
  change (pick 0 r (vR a)) with (pickR r (vR a)). rewrite <- pick_ok, <- hd_vR. unfold vR. rewrite !map_map.
  apply map_ext. intros. num. auto.
Qed.
Lemma backward_ok u W : forall c, vR (backward zero qaxpy c u W) = backwardR (vR c) (vR u) W.
Proof.
  unfold backwardR. induction W as [|r W IH]; intros [|x c]; auto.
  cbn [backward]. rewrite qaxpy_ok, IH, <- row_weights_R. auto.
Qed.
Lemma pointwise_ok f g a : (forall x y, #(f x y) = g #x #y) -> forall b, vR (pointwise_with f a b) = pointwise g (vR a) (vR b).
Proof.
  intros H. unfold pointwise_with, pointwise, vR. induction a as [|x a IH]; intros [|y b]; simpl; auto. rewrite H, IH. auto.
Qed.
Lemma in_order_ok l : in_order l = true -> counts_up 0 (uses (snd l)) = true /\ length (uses (snd l)) = length (fst l).
Proof. unfold in_order. intros H. apply andb_prop in H. destruct H as [A B]. apply Nat.eqb_eq in B. auto. Qed.
