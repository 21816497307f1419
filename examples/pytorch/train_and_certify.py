"""Trains a small PyTorch network on the digits and certifies it.

    pip install torch ./python
    python examples/pytorch/train_and_certify.py
"""
import pathlib

import numpy as np
import torch

import maxmargin

data = np.load(pathlib.Path(__file__).resolve().parents[1] / "digits" / "digits01.data.npz")
X, y = torch.from_numpy(data["X"]), torch.from_numpy(data["y"]).double()

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Linear(64, 10, bias=False),
    torch.nn.ReLU(),
    torch.nn.Linear(10, 1, bias=False),
).double()
optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(2000):
    optimiser.zero_grad()
    loss = torch.nn.functional.softplus(-y * model(X)[:, 0]).mean()
    loss.backward()
    optimiser.step()

# The three lines.
certificate = maxmargin.certify(model, X, y)
print(certificate)
certificate.save("digits.cert.json")
