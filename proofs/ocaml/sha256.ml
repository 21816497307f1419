(* SHA-256 (FIPS 180-4), to name the input in the output.  No claim rests on it. *)
let k =
  [| 0x428a2f98; 0x71374491; 0xb5c0fbcf; 0xe9b5dba5; 0x3956c25b; 0x59f111f1; 0x923f82a4; 0xab1c5ed5;
     0xd807aa98; 0x12835b01; 0x243185be; 0x550c7dc3; 0x72be5d74; 0x80deb1fe; 0x9bdc06a7; 0xc19bf174;
     0xe49b69c1; 0xefbe4786; 0x0fc19dc6; 0x240ca1cc; 0x2de92c6f; 0x4a7484aa; 0x5cb0a9dc; 0x76f988da;
     0x983e5152; 0xa831c66d; 0xb00327c8; 0xbf597fc7; 0xc6e00bf3; 0xd5a79147; 0x06ca6351; 0x14292967;
     0x27b70a85; 0x2e1b2138; 0x4d2c6dfc; 0x53380d13; 0x650a7354; 0x766a0abb; 0x81c2c92e; 0x92722c85;
     0xa2bfe8a1; 0xa81a664b; 0xc24b8b70; 0xc76c51a3; 0xd192e819; 0xd6990624; 0xf40e3585; 0x106aa070;
     0x19a4c116; 0x1e376c08; 0x2748774c; 0x34b0bcb5; 0x391c0cb3; 0x4ed8aa4a; 0x5b9cca4f; 0x682e6ff3;
     0x748f82ee; 0x78a5636f; 0x84c87814; 0x8cc70208; 0x90befffa; 0xa4506ceb; 0xbef9a3f7; 0xc67178f2 |]
let mask = 0xffffffff

let w = Array.make 64 0
let h = Array.make 8 0
(* x twice, so that a rotation is a shift (by less than 32, of 63 bits) *)
let twice x = x lor (x lsl 32)

(* its variables stay in registers *)
let rec rounds t a b c d e f g h' =
  if t = 64 then begin
    let add i x = h.(i) <- (h.(i) + x) land mask in
    add 0 a; add 1 b; add 2 c; add 3 d; add 4 e; add 5 f; add 6 g; add 7 h'
  end else begin
    let ee = twice e and aa = twice a in
    let s1 = ((ee lsr 6) lxor (ee lsr 11) lxor (ee lsr 25)) land mask in
    let ch = (e land f) lxor ((lnot e) land g) in
    let t1 = h' + s1 + ch + Array.unsafe_get k t + Array.unsafe_get w t in
    let s0 = ((aa lsr 2) lxor (aa lsr 13) lxor (aa lsr 22)) land mask in
    let maj = (a land b) lxor (a land c) lxor (b land c) in
    rounds (t + 1) ((t1 + s0 + maj) land mask) a b c ((d + t1) land mask) e f g
  end

(* of [n] bytes; [get] gives them by their places *)
let hex n get =
  List.iteri (Array.set h)
    [ 0x6a09e667; 0xbb67ae85; 0x3c6ef372; 0xa54ff53a; 0x510e527f; 0x9b05688c; 0x1f83d9ab; 0x5be0cd19 ];
  let padded = (n + 9 + 63) / 64 * 64 in
  let byte i =
    if i < n then Char.code (get i)
    else if i = n then 0x80
    else if i >= padded - 8 then ((n * 8) lsr (8 * (padded - 1 - i))) land 0xff
    else 0 in
  for block = 0 to padded / 64 - 1 do
    for t = 0 to 15 do
      let i = block * 64 + t * 4 in
      w.(t) <- (byte i lsl 24) lor (byte (i + 1) lsl 16) lor (byte (i + 2) lsl 8) lor byte (i + 3)
    done;
    for t = 16 to 63 do
      let a = Array.unsafe_get w (t - 15) and b = Array.unsafe_get w (t - 2) in
      let aa = twice a and bb = twice b in
      let s0 = ((aa lsr 7) lxor (aa lsr 18)) land mask lxor (a lsr 3) in
      let s1 = ((bb lsr 17) lxor (bb lsr 19)) land mask lxor (b lsr 10) in
      Array.unsafe_set w t ((Array.unsafe_get w (t - 16) + s0 + Array.unsafe_get w (t - 7) + s1) land mask)
    done;
    rounds 0 h.(0) h.(1) h.(2) h.(3) h.(4) h.(5) h.(6) h.(7)
  done;
  String.concat "" (Array.to_list (Array.map (Printf.sprintf "%08x") h))
