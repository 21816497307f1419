#!/usr/bin/env bash
# Writes the regression certificates of the trained checkpoints under examples/, and of the best
# networks of any width for their data. Run from anywhere; takes a few seconds after the build.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release --quiet
maxmargin=target/release/maxmargin
out=certificates/data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

certify() { # NAME MODEL DATA [more arguments]
  local name=$1 model=$2 data=$3
  shift 3
  "$maxmargin" certify --model "$model" --data "$data" -o "$out/$name.cert.json" "$@" > /dev/null
}

digits=examples/digits/digits01.data.npz
iris=examples/iris/iris.data.npz
certify digits01_m10 examples/digits/digits01_m10.safetensors $digits
certify digits01_m2_polish examples/digits/digits01_m2_polish.safetensors $digits
certify iris_m10 examples/iris/iris_m10.safetensors $iris
"$maxmargin" polish --model examples/digits/digits01_m10.safetensors --data $digits -o "$scratch/digits.safetensors" > /dev/null
"$maxmargin" polish --model examples/iris/iris_m10.safetensors --data $iris -o "$scratch/iris.safetensors" > /dev/null
certify digits01_m10_polished "$scratch/digits.safetensors" $digits --bracket near:1e-6
certify iris_m10_polished "$scratch/iris.safetensors" $iris --bracket near:1e-6
"$maxmargin" solve --data $digits --certificate $out/digits01_best.cert.json > /dev/null
"$maxmargin" solve --data $iris --gap 1e-9 --certificate $out/iris_best.cert.json > /dev/null
"$maxmargin" solve --data examples/iris/iris12.data.npz --certificate $out/iris12_best.cert.json > /dev/null
ls -l "$out"
