(* Statement.v -- what the claims say (docs/theory.md section 2), over the real numbers.

   Read this file and Network.v to know what an accepted certificate means; nothing else of this
   folder has to be believed besides Coq itself and what README.md lists under "trusted". *)
Require Import Reals List Bool Arith.
Require Import MaxMargin.Network.
Import ListNotations.
Open Scope R_scope.

Definition vec := list R.
Fixpoint dot (a b : vec) : R :=
  match a, b with x :: a', y :: b' => x * y + dot a' b' | _, _ => 0 end.
Definition norm (a : vec) : R := sqrt (dot a a).

(* sigma(z) = z for z > 0, alpha z for z <= 0 *)
Definition act (al z : R) : R := if Rlt_dec 0 z then z else al * z.

Definition q (al : R) (th : params R) (x c : vec) : R := q_value 0 Rplus Rmult (act al) th x c.
Definition norm2 (th : params R) : R := squared_norm 0 Rplus Rmult th.

Definition data := list (vec * label).
Record problem := mkProblem { alpha : R; theta : params R; samples : data }.

(* "gamma(theta) >= g" *)
Definition constraints_of (th : params R) (D : data) : list (vec * vec) :=
  constraints 0 1 Ropp (outputs th) D.
Definition margin_ge (al : R) (th : params R) (D : data) (g : R) : Prop :=
  forall x c, In (x, c) (constraints_of th D) -> g <= q al th x c.
(* gamma is the margin: the least value of the constraints *)
Definition is_margin (al : R) (th : params R) (D : data) (g : R) : Prop :=
  margin_ge al th D g /\ exists x c, In (x, c) (constraints_of th D) /\ q al th x c = g.

(* ---- competitors ---------------------------------------------------------------------------- *)
Definition same_architecture (a b : params R) : Prop :=
  Forall2 (fun l l' => snd l = snd l' /\ length (fst l) = length (fst l')) a b.

(* Problem (2), or Problem (3) of one layer, counted from 0. *)
Inductive scope := All | Layer (l : nat).
(* which theta' differ from theta in the scope only *)
Definition varies (s : scope) (th th' : params R) : Prop :=
  match s with
  | All => same_architecture th th'
  | Layer l => exists before u W u' after,
      length before = l /\ length u = length u' /\
      th = before ++ (u, W) :: after /\ th' = before ++ (u', W) :: after
  end.
(* every parameter within e *)
Definition close (e : R) (a b : params R) : Prop :=
  Forall2 (fun l l' => Forall2 (fun s t => Rabs (s - t) < e) (fst l) (fst l')) a b.
(* |theta|^2 of the layers that vary; the others are constants *)
Definition scope_norm2 (s : scope) (th : params R) : R :=
  match s with
  | All => norm2 th
  | Layer l => sum_squares 0 Rplus Rmult (fst (nth l th ([], [])))
  end.

Inductive region := Cell | Near (delta : R) | Everywhere | AnyWidth.

(* a = neuron of theta with its weights, b = the same neuron of theta' *)
Definition sign_kept (v v' : R) : Prop := (0 < v -> 0 <= v') /\ (v < 0 -> v' <= 0).
Definition cell_kept (D : data) (w w' : vec) : Prop :=
  forall x y, In (x, y) D -> (0 < dot w x -> 0 <= dot w' x) /\ (dot w x <= 0 -> dot w' x <= 0).
(* |x| is that of x as the neuron sees it *)
Definition near_kept (delta : R) (D : data) (m : list bool) (w w' : vec) : Prop :=
  forall x y, In (x, y) D ->
    delta * (norm w * norm (seen 0 m x)) < Rabs (dot w x) -> 0 <= dot w x * dot w' x.

Definition weights_of (th : params R) (r : row) : vec := row_weights 0 (input_layer th) r.
Definition neurons_kept (kept : list bool -> vec -> vec -> Prop) (th th' : params R) : Prop :=
  Forall2 (fun a b => sign_kept (fst a) (fst b)
                      /\ kept (reads (snd a)) (weights_of th (snd a)) (weights_of th' (snd b)))
          (neurons 0 th) (neurons 0 th').

(* the inputs that r reads are among those that some neuron of theta, with any output, may read *)
Definition exists_in (th : params R) (r : row) : Prop :=
  exists j r', nth_error (input_matrix th) j = Some r' /\
    (exists o, In o (match th with [_; (_, W)] => W | _ => [] end) /\ nth j o None <> None) /\
    forall c, nth c r None <> None -> nth c r' None <> None.
Definition any_width (th th' : params R) : Prop :=
  length th' = length th /\ no_sharing th' /\ outputs th' = outputs th /\
  (forall r r', In r (input_matrix th) -> In r' (input_matrix th') -> length r = length r') /\
  (length th = 2%nat -> forall r, In r (input_matrix th') -> exists_in th r).

Definition in_region (k : region) (p : problem) (th' : params R) : Prop :=
  match k with
  | Cell => same_architecture (theta p) th'
            /\ neurons_kept (fun _ => cell_kept (samples p)) (theta p) th'
  | Near d => same_architecture (theta p) th'
              /\ neurons_kept (near_kept d (samples p)) (theta p) th'
  | Everywhere => same_architecture (theta p) th'
  | AnyWidth => any_width (theta p) th'
  end.

(* ---- Clarke's subdifferential ---------------------------------------------------------------- *)
(* the parameters as one vector; networks of one architecture are close if all entries are *)
Definition flat (th : params R) : vec := flat_map fst th.
(* G is the gradient of h at th, as a function of the parameters of this architecture *)
Definition gradient (h : params R -> R) (th : params R) (G : vec) : Prop :=
  forall eta, 0 < eta -> exists e0, 0 < e0 /\ forall e th', 0 < e <= e0 ->
    same_architecture th th' -> close e th th' ->
    Rabs (h th' - h th - (dot G (flat th') - dot G (flat th))) <= eta * e.
(* a limit of gradients at points that tend to th *)
Definition limiting (h : params R -> R) (th : params R) (G : vec) : Prop :=
  forall eta, 0 < eta -> exists th' G', same_architecture th th' /\ close eta th th' /\
    gradient h th' G' /\ forall i, Rabs (nth i G' 0 - nth i G 0) < eta.
Fixpoint total_weight {A} (l : list (R * A)) : R := match l with [] => 0 | (w, _) :: l' => w + total_weight l' end.
Fixpoint entry_sum (i : nat) (l : list (R * vec)) : R :=
  match l with [] => 0 | (w, G) :: l' => w * nth i G 0 + entry_sum i l' end.
(* the convex hull of these limits (F. H. Clarke, Optimization and Nonsmooth Analysis, theorem 2.5.1) *)
Definition subgradient (h : params R -> R) (th : params R) (G : vec) : Prop :=
  exists l, (forall w G', In (w, G') l -> 0 <= w /\ limiting h th G') /\ total_weight l = 1 /\
    forall i, nth i G 0 = entry_sum i l.
(* the layers of th that vary, and th with t in their place *)
Definition part (s : scope) (th : params R) : params R :=
  match s with All => th | Layer l => firstn 1 (skipn l th) end.
Definition with_part (s : scope) (th t : params R) : params R :=
  match s with All => t | Layer l => firstn l th ++ t ++ skipn (S l) th end.
(* theta is a Karush-Kuhn-Tucker point of  min |theta|^2 / 2  subject to  q_k >= g, over the parameters in scope:
   these are  Sum lambda_k G_k  with lambda_k >= 0 on constraints with q_k = g and subgradients G_k of these *)
Definition is_kkt (s : scope) (p : problem) (g : R) : Prop :=
  exists l : list ((vec * vec) * (R * vec)),
    (forall x c w G, In ((x, c), (w, G)) l ->
       In (x, c) (constraints_of (theta p) (samples p)) /\ q (alpha p) (theta p) x c = g /\ 0 <= w /\
       subgradient (fun t => q (alpha p) (with_part s (theta p) t) x c) (part s (theta p)) G) /\
    forall i, nth i (flat (part s (theta p))) 0 = entry_sum i (map snd l).

(* ---- the residual ---------------------------------------------------------------------------- *)
Definition pointwise (f : R -> R -> R) (a b : vec) : vec := map (fun p => f (fst p) (snd p)) (combine a b).
(* The derivative of the forward pass at th along d, a network of the same architecture, with a list of slopes per
   hidden layer: z' = D a + W a' and a' = s z'.  The values z and a = sigma(z) are those of th. *)
Fixpoint derivative (al : R) (S : list vec) (th d : params R) (a a' : vec) : vec :=
  match th, d with
  | (u, W) :: th', (e, _) :: d' =>
      let z := layer 0 Rplus Rmult u W a in
      let z' := pointwise Rplus (layer 0 Rplus Rmult e W a) (layer 0 Rplus Rmult u W a') in
      match th' with
      | [] => z'
      | _ => derivative al (tl S) th' d' (map (act al) z) (pointwise Rmult (hd [] S) z')
      end
  | _, _ => []
  end.
(* G is the gradient of c . F(.; x) at th with these slopes *)
Definition slope_gradient (al : R) (S : list vec) (th : params R) (x c G : vec) : Prop :=
  length G = length (flat th) /\
  forall d, same_architecture th d -> dot G (flat d) = dot c (derivative al S th d x []).
(* the slope of a neuron of layer 1 at x: any in [alpha, 1] if |w . x| <= epsilon |w| |x|, else that of sigma *)
Definition slope_within (al eps : R) (th : params R) (x : vec) (r : row) (s : R) : Prop :=
  let w := weights_of th r in
  let near := eps * (norm w * norm (seen 0 (reads r) x)) in
  (Rabs (dot w x) <= near -> al <= s <= 1) /\
  (near < Rabs (dot w x) -> s = if Rlt_dec 0 (dot w x) then 1 else al).
(* the convex cone of the gradients of constraints with q_k <= (1 + delta) g *)
Definition in_cone (p : problem) (g delta eps : R) (v : vec) : Prop :=
  length v = length (flat (theta p)) /\
  exists l : list ((vec * vec) * (R * vec)),
    (forall x c w G, In ((x, c), (w, G)) l ->
       In (x, c) (constraints_of (theta p) (samples p)) /\ q (alpha p) (theta p) x c <= (1 + delta) * g /\ 0 <= w /\
       exists s, Forall2 (slope_within (alpha p) eps (theta p) x) (input_matrix (theta p)) s /\
                 slope_gradient (alpha p) [s] (theta p) x c G) /\
    forall i, nth i v 0 = entry_sum i (map snd l).
(* two layers without sharing, and  lo <= dist(theta, cone)/|theta| <= hi *)
Definition is_kkt_residual (p : problem) (g lo hi delta eps : R) : Prop :=
  let th := flat (theta p) in
  length (theta p) = 2%nat /\ no_sharing (theta p) /\
  (forall v, in_cone p g delta eps v -> lo * norm th <= norm (pointwise Rminus th v)) /\
  exists v, in_cone p g delta eps v /\ norm (pointwise Rminus th v) <= hi * norm th.

(* ---- claims --------------------------------------------------------------------------------- *)
(* nu(theta') <= B and nu(theta') >= B, nu = gamma/|theta|^m *)
Definition nu_at_most (B : R) (p : problem) (th' : params R) : Prop :=
  forall g, margin_ge (alpha p) th' (samples p) g -> g <= B * sqrt (norm2 th') ^ length th'.
Definition nu_at_least (B : R) (p : problem) (th' : params R) : Prop :=
  exists g, 0 < g /\ is_margin (alpha p) th' (samples p) g /\ B * sqrt (norm2 th') ^ length th' <= g.

(* theta' is feasible for min |theta'|^2 subject to q_k(theta') >= g, and is no better / better *)
Definition no_better (s : scope) (p : problem) (g : R) (th' : params R) : Prop :=
  margin_ge (alpha p) th' (samples p) g -> scope_norm2 s (theta p) <= scope_norm2 s th'.
Definition better (s : scope) (p : problem) (g : R) (th' : params R) : Prop :=
  margin_ge (alpha p) th' (samples p) g /\ scope_norm2 s th' < scope_norm2 s (theta p).

Inductive claim :=
| Kkt (s : scope) | NotKkt (s : scope)
| KktResidual (lo hi delta epsilon : R)
| LocalOptimum (s : scope) | NotLocalOptimum (s : scope)
| GlobalOptimum (s : scope) | NotGlobalOptimum (s : scope)
| MarginAtMost (k : region) (B : R) | MarginAtLeast (k : region) (B : R).

Definition says (p : problem) (g : R) (c : claim) : Prop :=
  match c with
  | Kkt s => is_kkt s p g
  | NotKkt s => ~ is_kkt s p g
  | KktResidual lo hi delta eps => is_kkt_residual p g lo hi delta eps
  | LocalOptimum s => exists e, 0 < e /\ forall th',
      varies s (theta p) th' -> close e (theta p) th' -> no_better s p g th'
  | NotLocalOptimum s => forall e, 0 < e -> exists th',
      varies s (theta p) th' /\ close e (theta p) th' /\ better s p g th'
  | GlobalOptimum s => forall th', varies s (theta p) th' -> no_better s p g th'
  | NotGlobalOptimum s => exists th', varies s (theta p) th' /\ better s p g th'
  | MarginAtMost k B => forall th', in_region k p th' -> nu_at_most B p th'
  | MarginAtLeast k B => exists th', in_region k p th' /\ nu_at_least B p th'
  end.

(* Every claim presupposes that theta classifies its data: its margin g is positive. *)
Definition holds (p : problem) (c : claim) : Prop :=
  0 <= alpha p <= 1 /\ well_formed (theta p) (samples p) = true /\
  exists g, 0 < g /\ is_margin (alpha p) (theta p) (samples p) g /\ says p g c.
