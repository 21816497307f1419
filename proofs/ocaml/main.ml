(* maxmargin-verified FILE (or - for standard input): the shell around the proved checker.  It is not
   proved: it reads the text below into the values that `check` takes, and prints each claim from
   the value that was checked, not from the text.

     maxmargin-verified 1
     alpha A                                slope of sigma for z <= 0
     layers M, then M times                 first layer first
       N c_1 .. c_N                         its parameters u
       R C e_1 .. e_RC                      its matrix by rows: an index into u, or . for a structural zero
     samples N D, then N times
       LABEL x_1 .. x_D                     LABEL: + or - (one output), or a class from 0
     claims K, then K times one of
       claim not_local_optimum SCOPE curve  per layer COUNT, per coordinate k c_1 .. c_k (of eps, eps^2, ..)
       claim kkt SCOPE terms COUNT, then COUNT times: CONSTRAINT WEIGHT and a curve as above
       claim not_kkt SCOPE direction COUNT, then COUNT vectors: n c_1 .. c_n
       claim kkt_residual all LO HI DELTA EPSILON terms COUNT, then COUNT times:
         CONSTRAINT WEIGHT K (ROW SLOPE)*K   slopes of rows of layer 1, elsewhere those of sigma
         and direction COUNT, then COUNT vectors: n c_1 .. c_n
       claim not_global_optimum SCOPE point COUNT, then COUNT vectors: n c_1 .. c_n
       claim margin_at_least REGION B point COUNT, then as above (0: the network itself)
       claim margin_at_least REGION B network M, then M layers as above
       claim margin_at_most REGION B constraints COUNT, then COUNT indices: one, or two opposite ones
       claim margin_at_most REGION B linear COUNT, then COUNT times: SAMPLE NUMBER
       claim global_optimum all linear, as above
       claim margin_at_most REGION B covers COVERS
       claim local_optimum all covers COVERS
       claim global_optimum all covers COVERS
       claim local_optimum layer:L multipliers COUNT, then COUNT times: CONSTRAINT NUMBER
       claim global_optimum layer:L multipliers, as above
       claim local_optimum all cells COUNT, then COUNT times:
         SAMPLE K w_1 .. w_K  N (ROW SLOPE)*N      multipliers of the sample's constraints; slopes at its kinks
       claim global_optimum all cells, claim margin_at_most REGION B cells, as above
       claim local_optimum|global_optimum all matrix, claim margin_at_most REGION B matrix, as above without slopes
       claim local_optimum all second_order PENALTY COUNT, then COUNT times: CONSTRAINT NUMBER
       claim uncovered WORD .. WORD ;       a claim for which no rule is proved: echoed, not checked
     end
   Numbers are p or p/q.  SCOPE is all or layer:L, L from 1.  REGION is cell, near:DELTA, everywhere, any_width.
   COVERS:
     unit U grid G fine F den D factor Q ends E tau A   (theories/Layout.v)
     lambda K, then K times: SAMPLE COUNT        multipliers in units U
     covers C, then C times
       cover SIGN columns K c_1 .. c_K bound T entries N, then N times
         SAMPLE SIGN RADIUS CUT ETA  D x_1 .. x_D      SIGN: of w . x on the cone, + - or . for free
       nodes COUNT BYTES, a line end, and COUNT lines of BYTES bytes together: nodes depth first, one of
         s ITEM | e ITEM | c TIMES a_1 .. a_N
         q TIMES a_1 .. a_N  K (ITEM ROOT)*K  KAPPA
         t TIMES a_1 .. a_N  K (ITEM TAU END)*K upper ends  K (ITEM TAU END)*K lower ends
     an END counts E, a TAU A; TIMES counts Q, a ROOT d is the parabola (Q d^2/E) z^2.
   Exit codes: 0 no claim is refused (count the lines ACCEPTED), 1 one is, 2 the input cannot be read, 64 usage. *)
module Integer = Z   (* Checker has a Z of its own *)
open Checker

let fail fmt = Printf.ksprintf failwith fmt
let at = ref 0
let blank c = c = ' ' || c = '\n' || c = '\t' || c = '\r'
let next () =
  let n = !Text.size in
  while !at < n && blank (Text.get !at) do incr at done;
  if !at >= n then fail "the input ends too early";
  let start = !at in
  while !at < n && not (blank (Text.get !at)) do
    (* Words are echoed: nothing that a terminal or a script might read as more than a word. *)
    if Text.get !at <= ' ' || Text.get !at > '~' then fail "a byte that is not printable ASCII, at %d" !at;
    incr at
  done;
  Text.sub start (!at - start)
let expect word = let w = next () in if w <> word then fail "expected `%s', found `%s'" word w

let digits s = s <> "" && String.for_all (fun c -> c >= '0' && c <= '9') s
let count_of s = if digits s && String.length s <= 9 then int_of_string s else fail "not a count: `%s'" s
let count () = count_of (next ())
(* unary numbers share their cells *)
let table = ref [| O |]
let nat i =
  let n = Array.length !table in
  if i >= n then begin
    let longer = Array.make (Stdlib.max (i + 1) (2 * n)) O in
    Array.blit !table 0 longer 0 n;
    for k = n to Array.length longer - 1 do longer.(k) <- S longer.(k - 1) done;
    table := longer
  end;
  !table.(i)
let integer s =
  let unsigned = if s <> "" && s.[0] = '-' then String.sub s 1 (String.length s - 1) else s in
  if digits unsigned then Integer.of_string s else fail "not an integer: `%s'" s
let nought = { qnum = Integer.zero; qden = Integer.one }   (* one in memory, of which data may have many *)
let number_of s =
  if s = "0" then nought else
  match String.index_opt s '/' with
  | None -> { qnum = integer s; qden = Integer.one }
  | Some i ->
    let d = integer (String.sub s (i + 1) (String.length s - i - 1)) in
    if Integer.sign d <= 0 then fail "not a denominator: `%s'" s;
    { qnum = integer (String.sub s 0 i); qden = d }
let number () = number_of (next ())
let many n f = let rec go k acc = if k = 0 then List.rev acc else let x = f () in go (k - 1) (x :: acc) in go n []
let vector () = let n = count () in many n number

let scope () = match next () with
  | "all" -> All
  | s when String.length s > 6 && String.sub s 0 6 = "layer:" ->
    let l = count_of (String.sub s 6 (String.length s - 6)) in
    if l < 1 then fail "not a scope: `%s'" s; Layer (nat (l - 1))
  | s -> fail "not a scope: `%s'" s
let rec int_of_nat = function O -> 0 | S n -> 1 + int_of_nat n
let show_scope = function All -> "all" | Layer l -> Printf.sprintf "layer:%d" (int_of_nat l + 1)
let show { qnum; qden } =
  let g = Integer.gcd qnum qden in
  let p = Integer.div qnum g and q = Integer.div qden g in
  if Integer.equal q Integer.one then Integer.to_string p else Integer.to_string p ^ "/" ^ Integer.to_string q
let show_region = function
  | QCell -> "cell" | QNear d -> "near:" ^ show d | QEverywhere -> "everywhere" | QAnyWidth -> "any_width"
let show_claim = function
  | QKkt s -> "kkt " ^ show_scope s
  | QNotKkt s -> "not_kkt " ^ show_scope s
  | QKktResidual (lo, hi, delta, eps) -> Printf.sprintf "kkt_residual all %s %s %s %s" (show lo) (show hi) (show delta) (show eps)
  | QNotLocalOptimum s -> "not_local_optimum " ^ show_scope s
  | QNotGlobalOptimum s -> "not_global_optimum " ^ show_scope s
  | QMarginAtLeast (k, b) -> Printf.sprintf "margin_at_least all %s %s" (show_region k) (show b)
  | QLocalOptimum s -> "local_optimum " ^ show_scope s
  | QGlobalOptimum s -> "global_optimum " ^ show_scope s
  | QMarginAtMost (k, b) -> Printf.sprintf "margin_at_most all %s %s" (show_region k) (show b)

let layer () =
  let u = vector () in
  let r = count () in let c = count () in
  let entry () = match next () with "." -> None | s -> Some (nat (count_of s)) in
  (u, many r (fun () -> many c entry))
let sample d =
  let y = match next () with "+" -> Positive | "-" -> Negative | s -> Class (nat (count_of s)) in
  (many d number, y)
let region () = match next () with
  | "cell" -> QCell
  | "everywhere" -> QEverywhere
  | "any_width" -> QAnyWidth
  | s when String.length s > 5 && String.sub s 0 5 = "near:" -> QNear (number_of (String.sub s 5 (String.length s - 5)))
  | s -> fail "not a region: `%s'" s

(* Nodes are parsed when the checker asks for them, from their place in the text. *)
let position = ref 0
let rec skip () = if !position < !Text.size && blank (Text.get !position) then (incr position; skip ())
let letter () =
  skip ();
  let c = Text.peek !position in
  incr position; c
let small () =
  skip ();
  let negative = Text.peek !position = '-' in
  if negative then incr position;
  let start = !position in
  let value = ref 0 in
  let c = ref (Text.peek start) in
  while '0' <= !c && !c <= '9' do
    value := 10 * !value + Char.code !c - 48; incr position; c := Text.peek !position
  done;
  if !position = start then fail "not an integer in a tree, at byte %d" start;
  if !position - start > 18 then begin   (* may not fit *)
    let big = Integer.of_string (Text.sub start (!position - start)) in
    if negative then Integer.neg big else big
  end else Integer.of_int (if negative then - !value else !value)
let index () =
  let i = small () in
  if Integer.sign i < 0 || Integer.numbits i > 16 then fail "not an item: %s" (Integer.to_string i);
  nat (Integer.to_int i)
let times f n = let rec go k = if k = 0 then [] else let x = f () in x :: go (k - 1) in go n
let tree ~items ~count ~start ~factor ~ends ~tau () =
  let common () = Integer.mul factor (small ()) in
  let coefficients () = times small items in
  let updates () =
    times (fun () -> let i = index () in let t = small () in let e = small () in
                     ((i, Integer.mul tau t), Integer.mul ends e)) (Integer.to_int (small ())) in
  let node () = match letter () with
    | 's' -> Split (index ())
    | 'e' -> Empty (index ())
    | 'c' -> let t = common () in CloseLeaf (t, coefficients ())
    | 't' ->
      let t = common () in
      let a = coefficients () in let u = updates () in let l = updates () in
      Tighten (t, a, u, l)
    | 'q' ->
      let t = common () in
      let a = coefficients () in
      let b = Array.make items Integer.zero in
      let set () =
        let i = Integer.to_int (small ()) in
        let d = small () in
        if i < 0 || i >= items then fail "not an item: %d" i;
        b.(i) <- Integer.mul factor (Integer.mul d d) in
      for _ = 1 to Integer.to_int (small ()) do set () done;
      let kappa = small () in
      Quadratic (t, a, Array.to_list b, ends, kappa)
    | c -> fail "not a node: `%c'" c in
  let rec from k at = lazy (
    if k = count then Stop
    else begin position := at; let n = node () in More (n, from (k + 1) !position) end) in
  from 0 start

(* A list of [n] with these values at these places, the others [none]. *)
let spread n none values =
  let a = Array.make n none in
  List.iter (fun (i, v) -> if i >= n then fail "not below %d: %d" n i else a.(i) <- v) values;
  Array.to_list a
let covers ~samples ~inputs =
  expect "unit"; let unit_ = number () in
  expect "grid"; let grid = number () in
  expect "fine"; let fine = integer (next ()) in
  expect "den"; let den = integer (next ()) in
  expect "factor"; let factor = integer (next ()) in
  expect "ends"; let ends = integer (next ()) in
  expect "tau"; let tau = integer (next ()) in
  expect "lambda"; let k = count () in
  let lambda = many k (fun () -> let i = count () in (i, integer (next ()))) in
  let sign () = match next () with "+" -> Some true | "-" -> Some false | "." -> None | s -> fail "not a sign: `%s'" s in
  let entry () =
    let i = count () in
    let fixed = sign () in
    let radius = integer (next ()) in
    let cut = integer (next ()) in
    let eta = number () in
    let d = count () in
    let rounded = many d (fun () -> integer (next ())) in
    (i, Some { rounded; eta; fixed; radius; cut }) in
  let cover () =
    expect "cover";
    let out = match sign () with Some s -> s | None -> fail "a cover without a sign" in
    expect "columns"; let k = count () in
    let columns = spread inputs false (many k (fun () -> (count (), true))) in
    expect "bound"; let bound = integer (next ()) in
    expect "entries"; let items = count () in
    let entries = spread samples None (many items entry) in
    expect "nodes"; let n = count () in let bytes = count () in
    let start = !at in
    at := start + 1 + bytes;
    if !at > !Text.size then fail "the input ends too early";
    { out; columns; entries; bound; fuel = nat n; tree = tree ~items ~count:n ~start ~factor ~ends ~tau } in
  expect "covers"; let c = count () in
  let list = many c cover in
  ByCovers ({ unit_; grid; fine; den; counts = spread samples Integer.zero lambda }, list)

let claim depth ~rows ~samples ~inputs =
  expect "claim";
  let curve () = many depth (fun () -> let n = count () in many n vector) in
  let slope () = let j = count () in (j, Some (number ())) in
  let linear () =
    let n = count () in
    let list = many n (fun () -> let i = count () in (i, number ())) in
    ByLinear (spread samples { qnum = Integer.zero; qden = Integer.one } list) in
  let cells () =
    let n = count () in
    let cell () =
      let i = nat (count ()) in let ws = vector () in let s = count () in
      ((i, ws), spread rows None (many s slope)) in
    many n cell in
  let matrix () = ByMatrix (List.map (fun (cell, _) -> (cell, [])) (cells ())) in
  let by_constraint () = let n = count () in many n (fun () -> let k = nat (count ()) in (k, number ())) in
  let optimum () = match next () with
    | "cells" -> ByCells (cells ())
    | "matrix" -> matrix ()
    | "second_order" -> let c = number () in BySecondOrder (c, by_constraint ())
    | "covers" -> covers ~samples ~inputs
    | "linear" -> linear ()
    | "multipliers" ->
      ByMultipliers (by_constraint ())
    | s -> fail "not a witness: `%s'" s in
  match next () with
  | "kkt" ->
    let s = scope () in expect "terms"; let n = count () in
    let term () = let k = nat (count ()) in let w = number () in ((k, w), curve ()) in
    Ok (QKkt s, ByTerms (many n term))
  | "not_kkt" ->
    let s = scope () in expect "direction"; let n = count () in
    Ok (QNotKkt s, ByDirection (many n vector))
  | "kkt_residual" ->
    expect "all";
    let lo = number () in let hi = number () in let delta = number () in let eps = number () in
    expect "terms"; let n = count () in
    let term () =
      let k = nat (count ()) in let w = number () in let s = count () in
      ((k, w), spread rows None (many s slope)) in
    let terms = many n term in
    expect "direction"; let v = count () in
    Ok (QKktResidual (lo, hi, delta, eps), BySlopes (terms, many v vector))
  | "not_local_optimum" ->
    let s = scope () in expect "curve";
    let m = curve () in
    Ok (QNotLocalOptimum s, ByCurve m)
  | "not_global_optimum" ->
    let s = scope () in expect "point";
    let n = count () in let us = many n vector in
    Ok (QNotGlobalOptimum s, ByPoint us)
  | "margin_at_least" ->
    let k = region () in let b = number () in
    let w = match next () with
      | "point" -> let n = count () in Parameters (many n vector)
      | "network" -> let n = count () in Network (many n layer)
      | s -> fail "not a witness: `%s'" s in
    Ok (QMarginAtLeast (k, b), ByNetwork w)
  | "margin_at_most" ->
    let k = region () in let b = number () in
    let w = match next () with
      | "covers" -> covers ~samples ~inputs
      | "constraints" -> let n = count () in BySamples (many n (fun () -> nat (count ())))
      | "linear" -> linear ()
      | "cells" -> ByCells (cells ())
    | "matrix" -> matrix ()
      | s -> fail "not a witness: `%s'" s in
    Ok (QMarginAtMost (k, b), w)
  | "local_optimum" -> let s = scope () in Ok (QLocalOptimum s, optimum ())
  | "global_optimum" -> let s = scope () in Ok (QGlobalOptimum s, optimum ())
  | "uncovered" ->
    let rec words acc = match next () with ";" -> String.concat " " (List.rev acc) | w -> words (w :: acc) in
    Error (words [])
  | s -> fail "not a claim: `%s'" s

let run () =
  expect "maxmargin-verified"; expect "1";
  expect "alpha"; let alpha = number () in
  expect "layers"; let depth = count () in let theta = many depth layer in
  expect "samples"; let n = count () in let d = count () in
  let rows = match theta with (_, w) :: _ -> List.length w | [] -> 0 in
  let samples = many n (fun () -> sample d) in
  let p = { qalpha = alpha; qtheta = theta; qsamples = samples } in
  expect "claims"; let k = count () in
  let claims = many k (fun () -> claim depth ~rows ~samples:n ~inputs:d) in
  expect "end";
  for i = !at to !Text.size - 1 do if not (blank (Text.get i)) then fail "text after `end'" done;
  Printf.printf "input sha256:%s\n" (Sha256.hex !Text.size Text.get);
  let own = classified p in
  let refused = ref false in
  List.iteri (fun i c ->
    match c with
    | Error words -> Printf.printf "%d NOT-COVERED %s\n" (i + 1) words
    | Ok (c, w) ->
      let ok = check_with own p c w in
      if not ok then refused := true;
      Printf.printf "%d %s %s\n" (i + 1) (if ok then "ACCEPTED" else "REFUSED") (show_claim c)) claims;
  if !refused then 1 else 0

let () =
  match Sys.argv with
  | [| _; path |] ->
    (try
       Gc.set { (Gc.get ()) with minor_heap_size = 1 lsl 18 };
       if path = "-" then Text.read stdin
       else begin let ic = open_in_bin path in Text.read ic; close_in ic end;
       exit (run ())
     with
     | Failure m | Sys_error m -> prerr_endline ("maxmargin-verified: " ^ m); exit 2
     | Stack_overflow | Out_of_memory -> prerr_endline "maxmargin-verified: a number in the input is too large"; exit 2)
  | _ -> prerr_endline "usage: maxmargin-verified FILE   (- for standard input)"; exit 64
