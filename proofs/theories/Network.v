(* Network.v -- the networks of docs/theory.md section 1: the paper's class N.  Any depth,
   structural zeros, shared weights, several outputs, leaky ReLU.  One forward pass for every type
   of numbers: the theorems speak of the reals, the checker computes with rationals and germs. *)
Require Import List Bool Arith.
Import ListNotations.

(* Rows of a weight matrix; an entry is a structural zero or the index of a coordinate of u. *)
Definition row := list (option nat).
Definition matrix := list row.

(* The label of a sample: -1 or +1 with one output, or a class 0 .. K-1 with K outputs. *)
Inductive label := Negative | Positive | Class (k : nat).

Section Forward.
  Variables (A : Type) (zero one : A) (add mul : A -> A -> A) (opp : A -> A) (sigma : A -> A).

  (* layers (u, W), the first one first *)
  Definition params := list (list A * matrix).

  Fixpoint row_dot (u : list A) (r : row) (a : list A) : A :=
    match r, a with
    | Some k :: r', z :: a' => add (mul (nth k u zero) z) (row_dot u r' a')
    | None :: r', _ :: a' => row_dot u r' a'
    | _, _ => zero
    end.
  Definition layer (u : list A) (W : matrix) (a : list A) : list A :=
    map (fun r => row_dot u r a) W.
  (* F(theta; x): no activation after the last layer *)
  Fixpoint forward (ls : params) (a : list A) : list A :=
    match ls with
    | [] => a
    | [(u, W)] => layer u W a
    | (u, W) :: rest => forward rest (map sigma (layer u W a))
    end.

  (* The same with weights in place of their indices, which are looked up once. *)
  Definition look_up (ls : params) : list (list (list (option A))) :=
    map (fun l => map (map (option_map (fun k => nth k (fst l) zero))) (snd l)) ls.
  Fixpoint weights_dot (r : list (option A)) (a : list A) : A :=
    match r, a with
    | Some w :: r', z :: a' => add (mul w z) (weights_dot r' a')
    | None :: r', _ :: a' => weights_dot r' a'
    | _, _ => zero
    end.
  Fixpoint forward_weights (ls : list (list (list (option A)))) (a : list A) : list A :=
    match ls with
    | [] => a
    | [W] => map (fun r => weights_dot r a) W
    | W :: rest => forward_weights rest (map sigma (map (fun r => weights_dot r a) W))
    end.
  Lemma weights_dot_ok u r : forall a, weights_dot (map (option_map (fun k => nth k u zero)) r) a = row_dot u r a.
  Proof. induction r as [|[k|] r IH]; intros [|z a]; simpl; rewrite ?IH; auto. Qed.
  Lemma forward_weights_ok ls : forall a, forward_weights (look_up ls) a = forward ls a.
  Proof.
    assert (L : forall u W a, map (fun r => weights_dot r a) (map (map (option_map (fun k => nth k u zero))) W) = layer u W a).
    { intros u W a. unfold layer. rewrite map_map. apply map_ext. intros r. apply weights_dot_ok. }
    induction ls as [|[u W] ls IH]; intros a; [auto|].
    destruct ls as [|l ls]; [apply L|].
    cbn [look_up map fst snd forward_weights forward]. cbn [look_up map fst snd forward_weights] in IH.
    rewrite IH, L. auto.
  Qed.

  Fixpoint sum_products (c a : list A) : A :=
    match c, a with x :: c', y :: a' => add (mul x y) (sum_products c' a') | _, _ => zero end.
  (* q = c . F(theta; x) *)
  Definition q_value (ls : params) (x c : list A) : A := sum_products c (forward ls x).

  Fixpoint sum_squares (u : list A) : A :=
    match u with [] => zero | a :: u' => add (mul a a) (sum_squares u') end.
  (* |theta|^2: every coordinate once, however often it is used *)
  Fixpoint squared_norm (ls : params) : A :=
    match ls with [] => zero | (u, _) :: rest => add (sum_squares u) (squared_norm rest) end.

  (* Constraints: pairs of a sample and an output covector c.  One output: c = +-1.
     Class k of K: e_k - e_j for every j <> k. *)
  Definition covectors (K : nat) (y : label) : list (list A) :=
    match y with
    | Positive => [[one]]
    | Negative => [[opp one]]
    | Class k =>
        map (fun j => map (fun i => if i =? k then one else if i =? j then opp one else zero) (seq 0 K))
            (filter (fun j => negb (j =? k)) (seq 0 K))
    end.
  Definition constraints (K : nat) (D : list (list A * label)) : list (list A * list A) :=
    flat_map (fun d => map (fun c => (fst d, c)) (covectors K (snd d))) D.
End Forward.
Arguments params A : clear implicits.
Arguments row_dot {A}. Arguments layer {A}. Arguments forward {A}. Arguments sum_products {A}.
Arguments look_up {A}. Arguments forward_weights {A}. Arguments forward_weights_ok {A}.
Arguments q_value {A}. Arguments sum_squares {A}. Arguments squared_norm {A}.
Arguments covectors {A}. Arguments constraints {A}.

Definition outputs {A} (ls : params A) : nat :=
  match rev ls with (_, W) :: _ => length W | [] => 0 end.

(* Shapes: every matrix is rectangular and fits its neighbours, indices name coordinates, samples
   have the length of the first layer's rows, labels fit the number of outputs. *)
Fixpoint shapes_fit {A} (d : nat) (ls : params A) : bool :=
  match ls with
  | [] => true
  | (u, W) :: rest =>
      let n := length u in   (* once *)
      negb (length W =? 0)
      && forallb (fun r => (length r =? d)
           && forallb (fun o => match o with Some k => k <? n | None => true end) r) W
      && shapes_fit (length W) rest
  end.
Definition label_fits (K : nat) (y : label) : bool :=
  match y with Class k => (2 <=? K) && (k <? K) | _ => K =? 1 end.
Definition well_formed {A} (ls : params A) (D : list (list A * label)) : bool :=
  match D with
  | [] => false
  | (x, _) :: _ =>
      negb (length ls =? 0) && shapes_fit (length x) ls
      && forallb (fun d => (length (fst d) =? length x) && label_fits (outputs ls) (snd d)) D
  end.

(* Indices of coordinates in the order of use. *)
Definition used (r : row) : list nat := flat_map (fun o => match o with Some k => [k] | None => [] end) r.
Definition uses (W : matrix) : list nat := flat_map used W.
Definition reads (r : row) : list bool := map (fun o => match o with Some _ => true | None => false end) r.

(* Neurons of a network of two layers and one output: output weight, row of W1.  A neuron whose
   output weight is a structural zero does not exist. *)
Definition neurons {A} (zero : A) (ls : params A) : list (A * row) :=
  match ls with
  | [(_, W); (v, [r])] =>
      flat_map (fun p => match fst p with Some k => [(nth k v zero, snd p)] | None => [] end) (combine r W)
  | _ => []
  end.
(* Input weights of a neuron, 0 where it has none. *)
Definition row_weights {A} (zero : A) (u : list A) (r : row) : list A :=
  map (fun o => match o with Some k => nth k u zero | None => zero end) r.
(* A sample as a neuron that reads the inputs m sees it. *)
Fixpoint seen {A} (zero : A) (m : list bool) (x : list A) : list A :=
  match m, x with
  | b :: m', a :: x' => (if b then a else zero) :: seen zero m' x'
  | _, _ => []
  end.
Definition input_layer {A} (ls : params A) : list A := match ls with (u, _) :: _ => u | [] => [] end.
Definition input_matrix {A} (ls : params A) : matrix := match ls with (_, W) :: _ => W | [] => [] end.

Definition is_two_layer {A} (ls : params A) : bool :=
  match ls with [(_, W); (_, [r])] => length r =? length W | _ => false end.
Definition no_sharing {A} (ls : params A) : Prop :=
  Forall (fun l => NoDup (uses (snd l))) ls.
