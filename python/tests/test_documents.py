"""The Python of the documents that is not run elsewhere: its lines do what they say."""
import pathlib
import sys
import types

import numpy as np
import pytest
from conftest import EXAMPLES, Linear, ReLU, Sequential

import maxmargin

ROOT = pathlib.Path(__file__).parents[2]


def blocks(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [part.split("```")[0] for part in text.split("```python\n")[1:]]


def names(iris):
    weights, X, y = iris
    return {"model": Sequential(Linear(weights[0]), ReLU(), Linear(weights[1])), "X": X, "y": y}


@pytest.mark.parametrize("name", ["README.md", "python/README.md", "docs/python.md"])
def test_three_lines_give_a_certificate(name, iris, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(blocks(name)[0], names(iris))
    found = maxmargin.load("net.cert.json")
    assert {claim.kind for claim in found.claims} >= {"margin_at_most", "kkt_residual"}
    assert "print" not in blocks(name)[0] or "In its activation cell: " in capsys.readouterr().out


def test_what_the_tutorial_saves_is_read(iris, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (script,) = [block for block in blocks("docs/tutorial.md") if "save_file" in block]
    try:
        import safetensors.torch  # noqa: F401
        import torch
    except ImportError:
        # Without PyTorch its part of the lines only has to be called with a state dict.
        saved, module = {}, types.ModuleType("safetensors.torch")
        module.save_file = lambda state, path: saved.update({path: state})
        monkeypatch.setitem(sys.modules, "safetensors", types.ModuleType("safetensors"))
        monkeypatch.setitem(sys.modules, "safetensors.torch", module)
        model = types.SimpleNamespace(state_dict=lambda: {"0.weight": iris[0][0]})
    else:
        saved = None
        tensors = {f"{k}.weight": torch.tensor(w) for k, w in zip((0, 2), iris[0])}
        model = types.SimpleNamespace(state_dict=lambda: tensors)
    exec(script, {"model": model, "X": iris[1], "y": iris[2]})
    assert saved is None or list(saved) == ["net.safetensors"]
    found = maxmargin.certify(saved is None and "net.safetensors" or iris[0], "train.npz", brackets="cell")
    assert found.counts["samples"] == len(iris[2])


def test_the_cluster_of_the_documents_is_a_job_of_slurm():
    jobqueue = pytest.importorskip(
        "dask_jobqueue", reason="NOT TESTED: SLURMCluster of the documents (pip install dask-jobqueue)"
    )
    (script,) = [block for block in blocks("docs/many-machines.md") if "SLURMCluster" in block]
    start = script.split("cluster.adapt")[0]
    assert "dask_jobqueue" in start and jobqueue.SLURMCluster
    found = {}
    exec(start, found)
    with found["cluster"] as cluster:
        job = cluster.job_script()
    assert "#SBATCH -p cpu" in job and "#SBATCH --cpus-per-task=32" in job and "--mem=30G" in job, job
    assert "#SBATCH -t 12:00:00" in job and "--nthreads 4 " in job and "--nworkers 8 " in job, job
