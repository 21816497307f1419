"""Certificates from Python against NumPy's arithmetic and the command line's files."""
import doctest
import json
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from conftest import CERTIFICATES, EXAMPLES, Flatten, LeakyReLU, Linear, ReLU, Sequential, Tanh

import maxmargin


def relu_margins(weights, X, y):
    return y * (np.maximum(X @ weights[0].T, 0) @ weights[1].T)[:, 0]


def test_the_example_of_the_package_runs():
    result = doctest.testmod(maxmargin)
    assert result.attempted >= 5 and result.failed == 0


def test_margins_are_those_of_numpy(iris):
    weights, X, y = iris
    certificate = maxmargin.certify(weights, X, y, brackets=["cell", "everywhere"])
    margins = relu_margins(weights, X, y)
    assert float(certificate.margin) == pytest.approx(margins.min(), rel=1e-12)
    norm = sum((w**2).sum() for w in weights)
    assert float(certificate.nu) == pytest.approx(margins.min() / norm, rel=1e-12)
    assert isinstance(certificate.margin, Fraction) and isinstance(certificate.nu, Fraction)
    assert certificate.status == "certified" and certificate.undecided == []
    cell, everywhere, any_width = certificate.brackets
    assert [b.region for b in certificate.brackets] == ["cell", "everywhere", "any_width"]
    assert 1 <= cell.at_least <= cell.at_most <= everywhere.at_most == any_width.at_most
    assert everywhere.at_most / everywhere.at_least < 1 + Fraction(1, 10**5)
    assert certificate.counts["samples"] == 150
    kinds = {claim.kind for claim in certificate.claims}
    assert {"margin_at_most", "margin_at_least"} <= kinds
    assert all(isinstance(value, Fraction) for c in certificate.claims for value in c.values.values())


def test_the_same_network_in_every_form(iris, tmp_path):
    weights, X, y = iris
    np.savez(tmp_path / "m.npz", **{"0.weight": weights[0], "2.weight": weights[1]})
    forms = [
        weights,
        {"0.weight": weights[0], "2.weight": weights[1]},
        Sequential(Flatten(), Linear(weights[0]), ReLU(), Linear(weights[1])),
        tmp_path / "m.npz",
        str(EXAMPLES / "iris" / "iris_m10.safetensors"),
    ]
    found = [maxmargin.certify(f, X.reshape(150, 2, 2), y, brackets="cell") for f in forms]
    reference = json.loads((CERTIFICATES / "data" / "iris_m10.cert.json").read_text())["problem"]
    assert {c.network_digest for c in found} == {reference["network_digest"]}
    assert {c.data_digest for c in found} == {reference["data_digest"]}


def test_activations_and_a_first_bias():
    X, y = [[1.0, 0.25], [-1.0, 0.5]], [1, 0]
    model = Sequential(Linear(np.eye(2)), LeakyReLU(0.1), Linear([[1.0, -0.25]]))
    leaky = maxmargin.certify(model, X, y, brackets="cell")
    assert leaky.margin == Fraction(1, 10) + Fraction(1, 8)
    linear = maxmargin.certify(Sequential(Linear(np.eye(2)), Linear([[1.0, 0.0]])), X, y, decide="global")
    assert linear.margin == 1
    biased = Sequential(Linear([[1.0, 0.0], [0.0, 0.0]], [0.0, 1.0]), ReLU(), Linear([[2.0, -1.0]]))
    assert maxmargin.certify(biased, X, y, brackets="cell").margin == 1


@pytest.mark.parametrize(
    "model, words",
    [
        (Sequential(Linear(np.eye(2)), Tanh(), Linear([[1.0, 1.0]])), "layer 1 is a Tanh"),
        (Sequential(Linear(np.eye(2)), ReLU()), "ends with an activation"),
        (Sequential(ReLU(), Linear(np.eye(2))), "does not follow a Linear layer"),
        (Sequential(), "no Linear layers"),
        (Sequential(Linear(np.eye(2)), ReLU(), Linear([[1.0, 1.0]], [0.5])), "bias"),
        ([np.eye(2), np.ones((1, 3))], "3"),
        ([np.eye(2), np.array([[np.nan, 1.0]])], "NaN"),
        (3, "a model of type int is not supported"),
        ("missing.safetensors", "missing.safetensors: No such file"),
        ([np.eye(2), -np.ones((1, 2))], "does not classify its data: sample"),
    ],
)
def test_what_is_refused_and_why(model, words):
    with pytest.raises(maxmargin.InputError) as error:
        maxmargin.certify(model, [[1.0, 0.25], [-1.0, 0.5]], [1, -1])
    assert words.lower() in str(error.value).lower()
    assert error.value.exit_code == 2


def test_bad_arguments(iris):
    weights, X, y = iris
    for arguments, words in [
        ({"brackets": "far"}, "`far` is not a region"),
        ({"decide": "maybe"}, "not a question"),
        ({"scope": "layer:1", "brackets": "cell"}, "--scope goes with --decide"),
        ({"activation": "tanh"}, "write relu, linear or leaky:SLOPE"),
    ]:
        with pytest.raises(maxmargin.UsageError) as error:
            maxmargin.certify(weights, X, y, **arguments)
        assert words in str(error.value)


def test_saving_loading_checking(iris, tmp_path):
    weights, X, y = iris
    certificate = maxmargin.certify(weights, X, y, brackets="cell", embed=True)
    for name in ["c.json", "c.json.gz"]:
        certificate.save(tmp_path / name)
        assert maxmargin.load(tmp_path / name).claims == certificate.claims
        assert maxmargin.check(tmp_path / name, weights, X, y).verdict == certificate.verdict
    assert certificate.check(weights, X, y).network_digest == certificate.network_digest
    with pytest.raises(maxmargin.OtherProblem, match="another data set"):
        certificate.check(weights, X[:-1], y[:-1])
    with pytest.raises(maxmargin.OtherProblem, match="another model"):
        certificate.check([2 * weights[0], weights[1]], X, y)
    (tmp_path / "cut.json").write_bytes(certificate.to_bytes()[:1000])
    with pytest.raises(maxmargin.InputError, match="truncated"):
        maxmargin.load(tmp_path / "cut.json")
    with pytest.raises(maxmargin.Rejected, match="claim 0"):
        maxmargin.load(CERTIFICATES / "rejected" / "bound_too_small.json")
    bare = maxmargin.certify(weights, X, y, brackets="cell", embed=False)
    bare.save(tmp_path / "bare.json")
    with pytest.raises(maxmargin.InputError, match="does not embed its problem"):
        maxmargin.load(tmp_path / "bare.json")
    assert maxmargin.check(tmp_path / "bare.json", weights, X, y).claims == bare.claims
    assert "<svg" in bare._repr_html_()


def test_every_committed_certificate_loads():
    files = sorted((CERTIFICATES / "paper").glob("*.cert.json"))
    assert len(files) >= 17
    for file in files:
        assert maxmargin.load(file).claims


def test_pages(iris, tmp_path):
    weights, X, y = iris
    certificate = maxmargin.certify(weights, X, y, brackets="cell")
    certificate.to_html(tmp_path / "<net>.html")
    page = (tmp_path / "<net>.html").read_text(encoding="utf-8")
    assert "<title>&lt;net&gt;.html · maxmargin</title>" in page
    assert page.count("<svg") == certificate.to_html().count("<svg") == 2
    assert page.startswith("<!DOCTYPE html>") and "<script" not in page
    assert "<html" not in certificate._repr_html_()


def test_solving_and_polishing(iris):
    weights, X, y = iris
    solution = maxmargin.solve(X, y, gap=1e-7)
    assert solution.status == "certified" and solution.gap <= 1e-7
    assert solution.cost == pytest.approx(4.869958763, rel=1e-6)
    margins = relu_margins(solution.network.weights, X, y)
    norm = sum((w**2).sum() for w in solution.network.weights)
    assert margins.min() / norm == pytest.approx(0.5 / solution.cost, rel=1e-9)
    assert solution.certificate.brackets[-1].region == "any_width"
    again = maxmargin.certify(solution.network, X, y, brackets="everywhere")
    assert again.brackets[0].at_most < 1 + Fraction(1, 10**6)
    polished = maxmargin.polish(weights, X, y)
    assert polished.nu_after > polished.nu_before
    assert polished.network.shape == "4-10-1"
    nothing = maxmargin.polish(polished.network, X, y)
    assert nothing.nu_after >= nothing.nu_before


def test_against_the_linear_separator_of_scikit_learn():
    """A linear network of depth 1 has the margin of the hard-margin SVM through the origin."""
    from sklearn.datasets import load_iris
    from sklearn.svm import LinearSVC

    X, target = load_iris(return_X_y=True)
    X = X - X[target != 0].mean(axis=0) / 2 - X[target == 0].mean(axis=0) / 2
    y = np.where(target == 0, 1, -1)
    svm = LinearSVC(C=1e6, fit_intercept=False, loss="hinge", max_iter=10**6, random_state=0, dual=True).fit(X, y)
    certificate = maxmargin.certify([svm.coef_], X, y, brackets="everywhere")
    best = certificate.brackets[0]
    assert best.at_most is not None and 1 <= best.at_most
    expected = (y * (X @ svm.coef_[0])).min() / np.linalg.norm(svm.coef_)
    assert float(certificate.nu) == pytest.approx(expected, rel=1e-9)


def test_progress_and_time_limit(iris):
    weights, X, y = iris
    seen = []
    maxmargin.certify(weights, X, y, progress=seen.append)
    assert any("bracket" in stage for stage in seen) and all(isinstance(s, str) for s in seen)
    start = time.monotonic()
    certificate = maxmargin.certify(weights, X, y, time_limit=0, progress=False)
    assert time.monotonic() - start < 30
    # What needs no search is proved all the same.
    assert certificate.status == "limit" and certificate.claims


def test_an_exception_of_the_progress_function_stops_the_search(iris):
    weights, X, y = iris

    def stop(stage):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        maxmargin.certify(weights, X, y, progress=stop)


def test_control_c_and_other_threads(iris):
    """A signal ends a long call; meanwhile other threads run."""
    import _thread
    import signal

    # A shell starts its background jobs with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    data = np.random.default_rng(0)
    X = data.standard_normal((400, 30))
    y = np.where(X[:, 0] * X[:, 1] + 0.3 * X[:, 2] > 0, 1, -1)
    ticks = []

    def other():
        for _ in range(10):
            time.sleep(0.1)
            ticks.append(time.monotonic())
        _thread.interrupt_main()

    thread = threading.Thread(target=other)
    start = time.monotonic()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        maxmargin.solve(X, y, progress=False)
    elapsed = time.monotonic() - start
    thread.join()
    signal.signal(signal.SIGINT, before)
    assert elapsed < 15
    assert len(ticks) == 10
