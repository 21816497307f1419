#!/usr/bin/env bash
# Makes the certificates in this folder again, from the examples: the three networks as trained,
# and the two that `maxmargin polish` improves. Every certificate embeds its network and data, so
# that `maxmargin-check` alone verifies it.
#
#   certificates/data/make.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --release
maxmargin=${CARGO_TARGET_DIR:-target}/release/maxmargin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

certify() { # name model data
    "$maxmargin" certify --model "$2" --data "$3" --embed always -o "certificates/data/$1.cert.json" "${@:4}"
}

digits=examples/digits/digits01.data.npz
iris=examples/iris/iris.data.npz
certify digits01_m10 examples/digits/digits01_m10.safetensors $digits
certify digits01_m2_polish examples/digits/digits01_m2_polish.safetensors $digits
certify iris_m10 examples/iris/iris_m10.safetensors $iris

"$maxmargin" polish --model examples/digits/digits01_m10.safetensors --data $digits -o "$work/digits.safetensors"
"$maxmargin" polish --model examples/iris/iris_m10.safetensors --data $iris -o "$work/iris.safetensors"
certify digits01_m10_polished "$work/digits.safetensors" $digits --bracket cell --bracket near:1e-6 --bracket everywhere
certify iris_m10_polished "$work/iris.safetensors" $iris --bracket cell --bracket near:1e-6 --bracket everywhere
