(* Extract.v -- the checker as OCaml on Zarith's integers. *)
Require Import MaxMargin.Network MaxMargin.Statement MaxMargin.Numbers MaxMargin.Products MaxMargin.Exact MaxMargin.Check.
Require Import ZArith Extraction ExtrOcamlBasic ExtrOcamlZBigInt.
(* Three more trusted lines beside the table of ExtrOcamlZBigInt. *)
Extract Constant Z.gcd => "Big_int_Z.gcd_big_int".
Extract Constant Z.leb => "Big_int_Z.le_big_int".
Extract Constant Z.ltb => "Big_int_Z.lt_big_int".
(* Not trusted: what is proved of has_factor (Semidefinite.v) holds whatever this is. *)
Extract Constant about_root => "Big_int_Z.sqrt_big_int".
(* The program computes [classified p] once and calls [check_with] with it: that is [check]. *)
Extraction "_build/checker.ml" classified check_with.
