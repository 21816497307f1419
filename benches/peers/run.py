#!/usr/bin/env python3
"""The question "is s·g(w) ≤ T|w| for all w and both signs s?", asked of several tools in one run.

    python3 benches/peers/run.py [--seconds 60] [iris iris12 digits01 digits38 cancer]

g is the dual function of docs/theory.md, rule 3.7, with the multipliers λ and the T of the certificate
that `maxmargin solve` writes in the same run. Peers get g on the span of its support samples, with
T = 1 after scaling, and maximise s·g over the unit ball to a relative gap of 1e-4:

- SCIP (PySCIPOpt): mixed-integer quadratic program, one binary variable for each sample where s·g
  bends upwards;
- Clarabel, enumeration: one second-order cone program for each sign pattern of those samples;
- z3, on iris only: exact, real arithmetic with the original rational numbers.

maxmargin answers at a gap of 1e-6, exactly, and finds λ and the network as well. Peers are installed by
their package names into target/peers/venv; one that cannot be is skipped with a notice. Times are
processes' wall and CPU seconds, one after the other.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "target" / "peers"
PEERS = {"scip": "pyscipopt", "clarabel": "clarabel", "z3": "z3-solver"}


def environment():
    """A virtual environment with whatever of the peers can be installed."""
    python = SCRATCH / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", SCRATCH / "venv"], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "numpy", "scipy", "scikit-learn"], check=True)
    present = [peer for peer, package in PEERS.items() if subprocess.run([*pip, package]).returncode == 0]
    for peer in PEERS.keys() - present:
        print(f"NOTICE: {peer} ({PEERS[peer]}) cannot be installed here: skipped")
    return python, present


def measured(command, limit):
    """Output, wall and CPU seconds of a process; no output if it did not end in time."""
    before, start = os.times(), time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        output = done.stdout if done.returncode == 0 else None
        if output is None:
            print(done.stderr, file=sys.stderr)
    except subprocess.TimeoutExpired:
        output = None
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return output, time.perf_counter() - start, cpu


def row(instance, tool, answer, wall, cpu, size):
    print(f"{instance:9} {tool:26} {answer:34} {wall:8.2f} {cpu:8.2f}  {size}", flush=True)


def run(instance, seconds, python, present):
    data, certificate = SCRATCH / f"{instance}.npz", SCRATCH / f"{instance}.cert.json"
    here = pathlib.Path(__file__).resolve().parent
    subprocess.run([python, here / "data.py", instance, data], check=True)
    program = ROOT / "target" / "release"
    solve = [program / "maxmargin", "solve", "--data", data, "--gap", "1e-6", "-o", SCRATCH / f"{instance}.json", "--certificate", certificate]
    output, wall, cpu = measured([*solve, "--time-limit", str(seconds), "--json"], 2 * seconds)
    if output is None:
        row(instance, "maxmargin solve", "no answer", wall, cpu, "")
        return
    whole = json.loads(certificate.read_text())
    nodes = sum(len(cover["nodes"]) for cover in bound_of(whole)["proof"]["covers"])
    size = f"{nodes} nodes, {certificate.stat().st_size / 1000:.0f} kB"
    gap = json.loads(output)["cost"]["gap"]
    row(instance, "maxmargin solve, with λ", f"proved, bracket {gap:.1e}", wall, cpu, size)
    output, wall, cpu = measured([program / "maxmargin-check", certificate], 2 * seconds)
    row(instance, "maxmargin-check", "verified" if output else "NOT VERIFIED", wall, cpu, "")
    question = SCRATCH / f"{instance}.question.json"
    question.write_text(json.dumps(ask(whole)))
    for peer in present:
        if peer == "z3" and not instance.startswith("iris"):
            continue
        command = [python, here / "peer.py", peer, question, str(seconds)]
        output, wall, cpu = measured(command, 2 * seconds + 20)
        answer, size = json.loads(output) if output else ("no answer", "")
        row(instance, peer, answer, wall, cpu, size)


def bound_of(whole):
    """The entry of the upper bound of any width."""
    return next(c for c in whole["claims"] if c["proof"]["rule"] == "dual_bound")


def ask(whole):
    """λ, T and the support samples, as the certificate's decimal or rational texts."""
    claim, data = bound_of(whole), whole["problem"]["data"]
    multipliers = claim["proof"]["multipliers"]
    lam = multipliers["lambda"]
    return {
        "unit": multipliers["units"]["a"],
        "lambda": [n for _, n in lam],
        "x": [data["x"][i] for i, _ in lam],
        "y": [1 if data["y"][i] == 1 else -1 for i, _ in lam],
        "bound": claim["claim"]["bound"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instances", nargs="*", default=["iris", "iris12", "digits01", "digits38"])
    parser.add_argument("--seconds", type=int, default=60, help="limit of each tool")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "build", "--quiet", "--release", "--workspace", "--bins"]
    subprocess.run(command, cwd=ROOT, check=True)
    python, present = environment()
    print(f"{'data':9} {'tool':26} {'answer':34} {'wall s':>8} {'CPU s':>8}  size of search or proof")
    for instance in arguments.instances:
        run(instance, arguments.seconds, python, present)


if __name__ == "__main__":
    main()
