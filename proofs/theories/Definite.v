(* Definite.v -- positive semidefiniteness of symmetric rational matrices by exact elimination, and operator norms:
   |v . (M w)| <= r |v| |w| if r^2 I - M M^T is positive semidefinite.  A symmetric matrix is given by the upper
   triangle of its rows. *)
Require Import Reals QArith List Bool Arith Lra Lia.
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Vectors MaxMargin.Exact MaxMargin.Kkt.
Import ListNotations.
Open Scope R_scope.

(* C - f r r^T *)
Fixpoint qeliminate (f : num) (r : list num) (C : list (list num)) : option (list (list num)) :=
  match r, C with
  | [], [] => Some []
  | r0 :: r', row :: C' =>
      match qeliminate f r' C' with
      | Some t => Some (qaxpy (opp (mul f r0)) r row :: t)
      | None => None
      end
  | _, _ => None
  end.
Fixpoint qsemidefinite (fuel : nat) (M : list (list num)) : bool :=
  match M, fuel with
  | [], _ => true
  | row :: C, S fuel' =>
      let a := hd zero row in
      if positive a then
        match qeliminate (inv a) (tl row) C with Some C' => qsemidefinite fuel' C' | None => false end
      else eqb a zero && forallb (fun b => eqb b zero) (tl row) && qsemidefinite fuel' C
  | _, O => false
  end.
(* r2 I - M M^T for the rows of M *)
Fixpoint gram (r2 : num) (M : list (list num)) : list (list num) :=
  match M with
  | [] => []
  | m :: M' => (sub r2 (qdot m m) :: map (fun m' => opp (qdot m m')) M') :: gram r2 M'
  end.

Fixpoint qform (M : list (list num)) (t : vec) : R :=
  match M, t with
  | row :: C, x :: t' => hd 0 (vR row) * (x * x) + 2 * (x * dot (tl (vR row)) t') + qform C t'
  | _, _ => 0
  end.
Lemma hd_axpy k a b : hd 0 (axpy k a b) = k * hd 0 a + hd 0 b.
Proof. destruct a, b; simpl; ring. Qed.
Lemma tl_axpy k a b : tl (axpy k a b) = axpy k (tl a) (tl b).
Proof. destruct a as [|x a], b as [|y b]; simpl; auto; destruct a; auto. Qed.
Lemma qeliminate_ok f : forall r C C', qeliminate f r C = Some C' -> forall t,
  qform C' t = qform C t - #f * (dot (vR r) t * dot (vR r) t).
Proof.
  induction r as [|r0 r IH]; intros [|row C] C' H t; cbn [qeliminate] in H; try discriminate.
  - inversion H; subst. simpl. ring.
  - destruct (qeliminate f r C) as [D|] eqn:E; [|discriminate].
    assert (E2 : C' = qaxpy (opp (mul f r0)) (r0 :: r) row :: D) by congruence. subst C'. clear H.
    destruct t as [|x t]; [simpl; ring|]. cbn [qform]. rewrite (IH _ _ E t).
    rewrite qaxpy_ok, hd_axpy, tl_axpy, dot_axpy_l. num. simpl. ring.
Qed.
Lemma zeros_dot r : forallb (fun b => eqb b zero) r = true -> forall t, dot (vR r) t = 0.
Proof.
  induction r as [|b r IH]; intros H [|x t]; simpl in *; auto. apply andb_prop in H. destruct H as [A B].
  tests. num. rewrite A, (IH B). ring.
Qed.
Lemma hd_num row : hd 0 (vR row) = #(hd zero row). Proof. destruct row; simpl; num; auto. Qed.
Lemma tl_num row : tl (vR row) = vR (tl row). Proof. destruct row; auto. Qed.
Theorem qsemidefinite_ok fuel : forall M, qsemidefinite fuel M = true -> forall t, 0 <= qform M t.
Proof.
  induction fuel as [|n IH]; intros [|row C] H t; simpl in H; try discriminate; try (simpl; lra).
  destruct t as [|x t]; [simpl; lra|]. cbn [qform]. rewrite hd_num, tl_num.
  destruct (positive (hd zero row)) eqn:P.
  - destruct (qeliminate _ _ C) as [D|] eqn:E; [|discriminate]. specialize (IH D H t).
    rewrite (qeliminate_ok _ _ _ _ E t) in IH. tests. rewrite toR_inv in IH by lra.
    set (a := #(hd zero row)) in *. set (y := dot (vR (tl row)) t) in *.
    assert (Q : a * (x * x) + 2 * (x * y) = a * ((x + / a * y) * (x + / a * y)) - / a * (y * y)) by (field; lra).
    assert (0 <= a * ((x + / a * y) * (x + / a * y))) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]). lra.
  - apply andb_prop in H. destruct H as [H H3]. apply andb_prop in H. destruct H as [H1 H2].
    specialize (IH C H3 t). tests. num. rewrite H1, (zeros_dot _ H2). lra.
Qed.

(* M^T v *)
Fixpoint combine_rows (v : vec) (M : list vec) : vec :=
  match v, M with x :: v', m :: M' => axpy x m (combine_rows v' M') | _, _ => [] end.
Lemma combine_rows_dot w : forall M v, dot (combine_rows v M) w = dot v (map (fun m => dot m w) M).
Proof. induction M as [|m M IH]; intros [|x v]; simpl; auto. rewrite dot_axpy_l, IH. auto. Qed.
Lemma gram_ok r2 : forall M v, (length v <= length M)%nat ->
  qform (gram r2 M) v = #r2 * dot v v - dot (combine_rows v (map vR M)) (combine_rows v (map vR M)).
Proof.
  induction M as [|m M IH]; intros [|x v] L; simpl in L; try lia; try (simpl; ring).
  cbn [gram qform map combine_rows]. rewrite IH by lia. rewrite dot_axpy_l, !dot_axpy_r. cbn [vR map hd tl dot].
  num. rewrite qdot_ok. set (y := combine_rows v (map vR M)).
  assert (E : dot (map toR (map (fun m' => opp (qdot m m')) M)) v = - dot (vR m) y).
  { unfold y. clear. rewrite dot_comm. revert v. induction M as [|m' M IH]; intros [|x v]; simpl; rewrite ?dot_nil_r; try ring.
    rewrite dot_axpy_r. specialize (IH v). simpl in IH. rewrite IH. num. rewrite qdot_ok. ring. }
  rewrite E, (dot_comm y (vR m)). ring.
Qed.
Lemma gram_bound fuel r2 M v : (length v <= length M)%nat -> qsemidefinite fuel (gram r2 M) = true ->
  dot (combine_rows v (map vR M)) (combine_rows v (map vR M)) <= #r2 * dot v v.
Proof. intros HL H. pose proof (qsemidefinite_ok _ _ H v) as Q. rewrite gram_ok in Q by auto. lra. Qed.
(* |M w|^2 <= r2 |w|^2 *)
Theorem image_bound fuel r2 M w : 0 <= #r2 -> qsemidefinite fuel (gram r2 M) = true ->
  let y := map (fun m => dot (vR m) w) M in dot y y <= #r2 * dot w w.
Proof.
  intros HR H y. assert (HL : (length y <= length M)%nat) by (unfold y; rewrite map_length; auto).
  pose proof (gram_bound fuel r2 M y HL H) as G. set (c := combine_rows y (map vR M)) in *.
  assert (E : dot y y = dot c w) by (unfold c; rewrite combine_rows_dot, map_map; auto).
  pose proof (cauchy c w) as C. rewrite <- E in C. pose proof (dot_nonneg y) as Y. pose proof (dot_nonneg w) as W.
  destruct (Req_dec (dot y y) 0) as [Z|Z]; [rewrite Z; apply Rmult_le_pos; auto|].
  apply Rmult_le_reg_l with (dot y y); [lra|]. eapply Rle_trans; [exact C|].
  replace (dot y y * (#r2 * dot w w)) with (#r2 * dot y y * dot w w) by ring. apply Rmult_le_compat_r; auto.
Qed.
Theorem operator_norm fuel r M v w : 0 <= #r -> (length v <= length M)%nat -> qsemidefinite fuel (gram (mul r r) M) = true ->
  dot v (map (fun m => dot (vR m) w) M) <= #r * (norm v * norm w).
Proof.
  intros HR HL H. pose proof (gram_bound _ _ _ _ HL H) as Q. num.
  set (y := combine_rows v (map vR M)) in *.
  assert (E : dot v (map (fun m => dot (vR m) w) M) = dot y w).
  { unfold y. rewrite combine_rows_dot, map_map. auto. }
  rewrite E. eapply Rle_trans; [apply cauchy_norm|]. rewrite <- Rmult_assoc. apply Rmult_le_compat_r; [apply norm_nonneg|].
  apply norm_le; [apply Rmult_le_pos; [auto|apply norm_nonneg]|].
  replace (#r * norm v * (#r * norm v)) with (#r * #r * (norm v * norm v)) by ring. rewrite norm_sq. lra.
Qed.
