"""Covers searched by two worker processes, one of which is killed."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

import maxmargin

distributed = pytest.importorskip(
    "distributed", reason="NOT TESTED: client=…, since dask.distributed is not installed (pip install distributed)"
)


@pytest.fixture(scope="module")
def client():
    import dask

    # The loss of a worker is at once a matter of maxmargin, not only of dask.
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster, distributed.Client(cluster) as client:
        yield client


def pair(a, b):
    digits = load_digits()
    keep = np.isin(digits.target, [a, b])
    return digits.data[keep] / 16, np.where(digits.target[keep] == a, 1, -1)


class Killer:
    """A progress function that kills a worker which has subtrees to do."""

    def __init__(self, client, after):
        self.client, self.after = client, after
        self.pids = client.run(os.getpid)
        self.lost, self.stages = [], []

    def __call__(self, stage):
        self.stages.append(stage)
        _, found, rest = stage.partition("on workers: ")
        if self.lost or not found or int(rest.split()[0]) < self.after:
            return
        for address, tasks in self.client.processing().items():
            if tasks:
                self.lost = tasks
                os.kill(self.pids[address], signal.SIGKILL)
                return


def test_the_same_certificate_though_a_worker_is_killed(client):
    X, y = pair(5, 8)
    undisturbed = maxmargin.solve(X, y, gap=1e-4, client=client, progress=False)
    killer = Killer(client, 10)
    assert len(set(killer.pids.values())) == 2
    together = maxmargin.solve(X, y, gap=1e-4, client=client, progress=killer)
    assert killer.lost, "the search was over before a worker could be killed"
    assert set(client.run(os.getpid).values()) != set(killer.pids.values())
    assert together.status == "certified" and together.gap <= 1e-4
    assert together.certificate.claims[1].nodes > 1000
    # Not only the same claims: the same proof, byte for byte.
    assert together.certificate.to_bytes() == undisturbed.certificate.to_bytes()


def test_a_network_is_certified_by_workers(client):
    X, y = pair(3, 5)
    network = maxmargin.solve(X, y, gap=1e-4, progress=False).network
    arguments = dict(brackets="everywhere", gap=1e-4)
    stages = []
    together = maxmargin.certify(network, X, y, client=client, progress=stages.append, **arguments)
    assert any("on workers: " in stage for stage in stages)
    alone = maxmargin.certify(network, X, y, progress=False, **arguments)
    assert together.to_bytes() == alone.to_bytes()


def test_what_workers_raise_is_raised_here(client, monkeypatch):
    X, y = pair(2, 3)
    submit = client.submit

    def broken(function, *arguments, **options):
        if function.__name__ == "_serve":
            arguments = (b"{}", *arguments[1:])
        return submit(function, *arguments, **options)

    monkeypatch.setattr(client, "submit", broken)
    with pytest.raises(maxmargin.InputError, match="this is not a task of maxmargin"):
        maxmargin.solve(X, y, gap=1e-4, client=client, progress=False)
    with pytest.raises(maxmargin.UsageError, match="client is a int, not a dask.distributed.Client"):
        maxmargin.solve(X, y, client=3)


def test_a_time_limit_is_for_workers_too(client):
    X, y = pair(1, 8)
    solution = maxmargin.solve(X, y, gap=1e-4, time_limit=5, client=client, progress=False)
    assert solution.status == "limit" and 0 < solution.cost_bound < solution.cost


def test_the_script_in_the_documents(tmp_path):
    root = pathlib.Path(__file__).parents[2]
    text = (root / "docs" / "many-machines.md").read_text(encoding="utf-8")
    script = text.split("```python\n")[1].split("```")[0]
    assert "n_workers=8" in script
    (tmp_path / "run.py").write_text(script.replace("n_workers=8", "n_workers=2"), encoding="utf-8")
    shutil.copy(root / "examples" / "iris" / "iris.data.npz", tmp_path / "train.npz")
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, check=True, timeout=120)
    found = maxmargin.load(tmp_path / "best.cert.json.gz")
    assert {claim.kind for claim in found.claims} == {"margin_at_least", "margin_at_most"}
