(* The input, in pieces, so that reading it needs no more memory than it has bytes. *)
let bits = 20
let piece = 1 lsl bits
let pieces : Bytes.t array ref = ref [||]
let size = ref 0

let read ic =
  let rec fill b n = if n = piece then n else match input ic b n (piece - n) with 0 -> n | k -> fill b (n + k) in
  let rec go acc =
    let b = Bytes.create piece in
    let n = fill b 0 in
    size := !size + n;
    if n = piece then go (b :: acc) else List.rev (Bytes.sub b 0 n :: acc) in
  pieces := Array.of_list (go [])

(* the byte at a place below [size] *)
let get i = Bytes.unsafe_get (Array.unsafe_get !pieces (i lsr bits)) (i land (piece - 1))
(* a blank behind the end *)
let peek i = if i < !size then get i else ' '
let sub start length = String.init length (fun i -> get (start + i))
