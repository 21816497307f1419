#!/usr/bin/env python3
"""Trains a two-layer ReLU network without biases towards maximum margin, with NumPy alone.

    python3 train.py --width 10 --seed 0 --steps 100000 --out my_digits.safetensors

Full-batch gradient descent on the mean exponential loss, from a small random start. The gradient
is divided by the loss: without that the steps die out with the loss, long before the margin has
converged. Prints the normalised margin min_i y_i F(x_i) / |θ|² while it trains.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np


def save_safetensors(path, tensors):
    """The whole format: length of the header, header in JSON, then the numbers."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, dtype="<f8").tobytes()
        span = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": span}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def margins(w, v, x, y):
    return y * (np.maximum(x @ w.T, 0) @ v.T)[:, 0]


def train(x, y, width, seed, steps, rate):
    rng = np.random.default_rng(seed)
    w = 0.1 * rng.standard_normal((width, x.shape[1])) / np.sqrt(x.shape[1])
    # A ReLU network whose output weights all have one sign outputs one sign, and stays so.
    v = 0.1 * np.where(np.arange(width) % 2, -1.0, 1.0)[None, :] / np.sqrt(width)
    for step in range(steps):
        hidden = x @ w.T
        active = np.maximum(hidden, 0)
        q = y * (active @ v.T)[:, 0]
        # exp(−q_i) / Σ_j exp(−q_j): the loss-normalised weights, computed without underflow.
        share = np.exp(q.min() - q)
        pull = (share / share.sum()) * y
        grad_v = pull[None, :] @ active
        grad_w = ((hidden > 0) * (pull[:, None] * v)).T @ x
        # The curvature of log Σ exp(−q_i) grows like |θ|²; the step shrinks with it.
        step_size = rate / max(1.0, (w**2).sum() + (v**2).sum())
        w += step_size * grad_w
        v += step_size * grad_v
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            q = margins(w, v, x, y)
            nu = q.min() / ((w**2).sum() + (v**2).sum())
            print(f"step {step + 1}: normalised margin {nu:.9f}, {np.mean(q > 0):.1%} classified")
    return w, v


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = Path(__file__).parent
    parser.add_argument("--data", default=here / "digits01.data.npz")
    parser.add_argument("--width", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--out", default="my_digits.safetensors")
    args = parser.parse_args()
    data = np.load(args.data)
    x, y = data["X"], data["y"]
    w, v = train(x, y, args.width, args.seed, args.steps, args.rate)
    save_safetensors(args.out, {"0.weight": w, "2.weight": v})
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
