(* The input, in pieces, so that reading it needs no more memory than it has bytes. *)
let bits = 20
let piece = 1 lsl bits
type bytes = (char, Bigarray.int8_unsigned_elt, Bigarray.c_layout) Bigarray.Array1.t   (* outside of OCaml's heap *)
let pieces : bytes array ref = ref [||]
let size = ref 0

let read ic =
  let buffer = Bytes.create 65536 in
  let rec fill (b : bytes) n =
    match if n = piece then 0 else input ic buffer 0 (min (piece - n) 65536) with
    | 0 -> n
    | k -> for i = 0 to k - 1 do Bigarray.Array1.unsafe_set b (n + i) (Bytes.unsafe_get buffer i) done; fill b (n + k) in
  let rec go acc =
    let b = Bigarray.Array1.create Bigarray.char Bigarray.c_layout piece in
    let n = fill b 0 in
    size := !size + n;
    if n = piece then go (b :: acc) else List.rev (b :: acc) in
  pieces := Array.of_list (go [])

(* the byte at a place below [size] *)
let get i = Bigarray.Array1.unsafe_get (Array.unsafe_get !pieces (i lsr bits)) (i land (piece - 1))
(* a blank behind the end *)
let peek i = if i < !size then get i else ' '
let sub start length = String.init length (fun i -> get (start + i))
