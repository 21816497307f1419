"""The three lines with a real PyTorch model; skipped where torch is not installed."""
import runpy

import numpy as np
import pytest
from conftest import EXAMPLES

import maxmargin

torch = pytest.importorskip("torch")


def test_a_sequential_model(iris):
    weights, X, y = iris
    model = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(4, 10, bias=False, dtype=torch.float64),
        torch.nn.ReLU(),
        torch.nn.Linear(10, 1, bias=False, dtype=torch.float64),
    )
    with torch.no_grad():
        model[1].weight.copy_(torch.from_numpy(weights[0].copy()))
        model[3].weight.copy_(torch.from_numpy(weights[1].copy()))
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    certificate = maxmargin.certify(model, X, y, brackets="cell")
    assert certificate.network_digest == maxmargin.certify(weights, np.asarray(X), np.asarray(y), brackets="cell").network_digest
    assert maxmargin.certify(model.state_dict(), X, y, brackets="cell").claims == certificate.claims


def test_the_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "pytorch" / "train_and_certify.py"))
    assert "Among networks of any width: " in capsys.readouterr().out
    best = maxmargin.load("digits.cert.json").brackets[-1]
    # Training for a moment does not reach the maximum margin, but comes near.
    assert 1 < best.at_least <= best.at_most < 2
