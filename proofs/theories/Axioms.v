(* Axioms.v -- what the theorems rest on; `make check` compares the output with axioms.expected. *)
Require Import MaxMargin.Check MaxMargin.Cover.
Print Assumptions check_sound.
Print Assumptions check_tree_ok.
