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
       claim not_global_optimum SCOPE point COUNT, then COUNT vectors: n c_1 .. c_n
       claim margin_at_least everywhere B point COUNT, then as above (0: the network itself)
       claim uncovered WORD .. WORD ;       a claim for which no rule is proved: echoed, not checked
     end
   Numbers are p or p/q.  SCOPE is all or layer:L, L from 1. *)
module Integer = Z   (* Checker has a Z of its own *)
open Checker

let fail fmt = Printf.ksprintf failwith fmt
let read_all ic =
  let b = Buffer.create 65536 in
  (try while true do Buffer.add_channel b ic 1 done with End_of_file -> ());
  Buffer.contents b

let text = ref ""
let at = ref 0
let blank c = c = ' ' || c = '\n' || c = '\t' || c = '\r'
let next () =
  let n = String.length !text in
  while !at < n && blank (String.unsafe_get !text !at) do incr at done;
  if !at >= n then fail "the input ends too early";
  let start = !at in
  while !at < n && not (blank (String.unsafe_get !text !at)) do incr at done;
  String.sub !text start (!at - start)
let expect word = let w = next () in if w <> word then fail "expected `%s', found `%s'" word w

let digits s = s <> "" && String.for_all (fun c -> c >= '0' && c <= '9') s
let count_of s = if digits s && String.length s <= 9 then int_of_string s else fail "not a count: `%s'" s
let count () = count_of (next ())
let table = Array.make 65536 O
let () = for i = 1 to 65535 do table.(i) <- S table.(i - 1) done
let rec nat i = if i < 65536 then table.(i) else S (nat (i - 1))
let integer s =
  let unsigned = if s <> "" && s.[0] = '-' then String.sub s 1 (String.length s - 1) else s in
  if digits unsigned then Integer.of_string s else fail "not an integer: `%s'" s
let number_of s =
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
let show_claim = function
  | QNotLocalOptimum s -> "not_local_optimum " ^ show_scope s
  | QNotGlobalOptimum s -> "not_global_optimum " ^ show_scope s
  | QMarginAtLeast b -> "margin_at_least all everywhere " ^ show b

let layer () =
  let u = vector () in
  let r = count () in let c = count () in
  let entry () = match next () with "." -> None | s -> Some (nat (count_of s)) in
  (u, many r (fun () -> many c entry))
let sample d =
  let y = match next () with "+" -> Positive | "-" -> Negative | s -> Class (nat (count_of s)) in
  (many d number, y)
let claim depth =
  expect "claim";
  match next () with
  | "not_local_optimum" ->
    let s = scope () in expect "curve";
    let m = many depth (fun () -> let n = count () in many n vector) in
    Ok (QNotLocalOptimum s, ByCurve m)
  | "not_global_optimum" ->
    let s = scope () in expect "point";
    let n = count () in let us = many n vector in
    Ok (QNotGlobalOptimum s, ByPoint us)
  | "margin_at_least" ->
    expect "everywhere"; let b = number () in expect "point";
    let n = count () in let us = many n vector in
    Ok (QMarginAtLeast b, ByPoint us)
  | "uncovered" ->
    let rec words acc = match next () with ";" -> String.concat " " (List.rev acc) | w -> words (w :: acc) in
    Error (words [])
  | s -> fail "not a claim: `%s'" s

let run () =
  expect "maxmargin-verified"; expect "1";
  expect "alpha"; let alpha = number () in
  expect "layers"; let depth = count () in let theta = many depth layer in
  expect "samples"; let n = count () in let d = count () in
  let samples = many n (fun () -> sample d) in
  let p = { qalpha = alpha; qtheta = theta; qsamples = samples } in
  expect "claims"; let k = count () in
  let claims = many k (fun () -> claim depth) in
  expect "end";
  if String.trim (String.sub !text !at (String.length !text - !at)) <> "" then fail "text after `end'";
  Printf.printf "input sha256:%s\n" (Sha256.hex !text);
  let refused = ref false in
  List.iteri (fun i c ->
    match c with
    | Error words -> Printf.printf "%d NOT-COVERED %s\n" (i + 1) words
    | Ok (c, w) ->
      let ok = check p c w in
      if not ok then refused := true;
      Printf.printf "%d %s %s\n" (i + 1) (if ok then "ACCEPTED" else "REFUSED") (show_claim c)) claims;
  if !refused then 1 else 0

let () =
  match Sys.argv with
  | [| _; path |] ->
    (try
       text := (if path = "-" then read_all stdin
                else begin let ic = open_in_bin path in let t = read_all ic in close_in ic; t end);
       exit (run ())
     with Failure m | Sys_error m -> prerr_endline ("maxmargin-verified: " ^ m); exit 2)
  | _ -> prerr_endline "usage: maxmargin-verified FILE   (- for standard input)"; exit 64
