(* Axioms.v -- what the theorem rests on; `make check` compares the output with axioms.expected. *)
Require Import MaxMargin.Check.
Print Assumptions check_sound.
