"""Is the point your training converged to optimal for the max-margin problem? With proof.

>>> import maxmargin
>>> W = [[[1.0, 0.0], [-1.0, 0.0]], [[1.0, -1.0]]]         # two ReLU neurons, output weights 1 and -1
>>> X, y = [[1.0, 0.25], [-1.0, 0.25]], [1, -1]
>>> certificate = maxmargin.certify(W, X, y, decide=["kkt", "global"])
>>> print(certificate)
Not a KKT point
Not a global optimum
>>> certificate.margin, certificate.nu
(Fraction(1, 1), Fraction(1, 4))

A trained network gets bounds instead: :func:`certify` without ``decide`` proves how much larger the
best normalised margin in its activation cell, near it, and of any network can be.
"""
import json
import numbers
import sys
from fractions import Fraction


from . import _native
from ._cluster import Cluster
from ._certificate import Bracket, Certificate, Claim, check, load
from ._errors import (
    Error,
    InputError,
    LimitReached,
    OtherProblem,
    Rejected,
    Undecided,
    UsageError,
    translated,
)
from ._inputs import data_file, model_file
from ._network import Network

__version__ = _native.__version__
__all__ = [
    "Bracket",
    "Certificate",
    "Claim",
    "Error",
    "InputError",
    "LimitReached",
    "Network",
    "OtherProblem",
    "Polished",
    "Rejected",
    "Solution",
    "Undecided",
    "UsageError",
    "certify",
    "check",
    "load",
    "polish",
    "solve",
]


class Solution:
    """What :func:`solve` found: ``network``, ``certificate`` and the bracket of the cost 1/(2ν)."""

    def __init__(self, network, certificate, report):
        self.network = network
        """The :class:`Network`."""
        self.certificate = certificate
        """The :class:`Certificate` of its margin and of the bound for every width."""
        self.status = report["verdict"]
        """``certified`` if the gap was reached, ``limit`` or ``undecided`` if not."""
        self.cost = report["cost_upper"]
        """Cost 1/(2ν) of the network."""
        self.cost_bound = report["cost_lower"]
        """Certified lower bound of every network's cost, or ``None``."""
        self.gap = report["gap"]
        """``cost/cost_bound − 1``, or ``None``."""

    def __repr__(self):
        bound = "no bound" if self.gap is None else f"at most {self.gap:.1e} above the best of any width"
        return f"<maxmargin.Solution: {self.network.shape}, cost {self.cost:.9f}, {bound}>"


class Polished:
    """What :func:`polish` did: ``network`` (or ``None``), ``nu_before`` and ``nu_after``."""

    def __init__(self, network, report):
        self.network = network
        """The better :class:`Network`, or ``None`` if none was found."""
        self.nu_before = report["nu_before"]
        """ν of the given network."""
        self.nu_after = report.get("nu_after", report["nu_before"])
        """ν of the better one."""

    def __repr__(self):
        if self.network is None:
            return f"<maxmargin.Polished: no improvement, ν = {self.nu_before:.9f}>"
        return f"<maxmargin.Polished: ν from {self.nu_before:.9f} to {self.nu_after:.9f}>"


def _list(value):
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _options(**options):
    for name, least in (("gap", 0.0), ("time_limit", 0.0), ("threads", 1)):
        value = options.get(name)
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if value is not None and not (number and least <= value < float("inf")):
            raise UsageError(f"{name} is {value!r}: it must be a number, at least {least:g}")
        if value is not None:
            options[name] = int(value) if name == "threads" else float(value)  # NumPy's, too
    return json.dumps({name: value for name, value in options.items() if value is not None})


def _progress(progress):
    """The function to call with what is being done, or ``None``."""
    if callable(progress):
        return progress
    if not progress or not sys.stderr.isatty():
        return None

    def show(stage):
        sys.stderr.write(f"\r\x1b[K{stage}")
        sys.stderr.flush()

    return show


def _finish(progress, callback):
    if callback is not None and callback is not progress:
        sys.stderr.write("\r\x1b[K")


@translated
def certify(
    model,
    X,
    y=None,
    *,
    activation=None,
    decide=(),
    scope=(),
    brackets=(),
    active=None,
    kinks=None,
    gap=1e-6,
    embed=None,
    time_limit=None,
    threads=None,
    client=None,
    progress=True,
):
    """Prove what is provable about a network on its training set.

    Parameters
    ----------
    model
        A ``torch.nn.Sequential`` of Linear, ReLU, LeakyReLU and Flatten layers (biases only in the first),
        a state dict, a list of weight matrices (outputs × inputs, first layer first), or the path of a
        ``.safetensors``, ``.npz``, ``.onnx`` or exact ``.json`` file. Floats are taken exactly.
    X, y
        Samples (n × features; more axes are flattened) and labels: ±1 or 0/1 for one output, 0…K−1 for K.
        Or ``X`` is the path of an ``.npz``, ``.csv`` or ``.json`` data set and ``y`` is left out.
    activation
        ``"relu"``, ``"linear"`` or ``"leaky:SLOPE"``, where the model does not say (default: ReLU).
    decide
        Exact verdicts: any of ``"kkt"``, ``"local"``, ``"global"``. ``scope`` says about which layers:
        ``"all"``, ``"layer:1"``, …
    brackets
        Regions for two-sided bounds: ``"cell"``, ``"near:1e-4"``, ``"everywhere"``. Without ``decide`` and
        ``brackets``: all three for a trained network, all exact verdicts for an exact ``.json`` one.
    active, kinks
        δ and ε of the KKT residual (default: 0.01 and 1e-4).
    gap
        Relative width at which a bracket is good enough.
    embed
        Whether the certificate contains network and data (default: if they are small).
    time_limit, threads
        Seconds after which to stop with what is proved by then, and threads (default: all cores).
    client
        A ``dask.distributed.Client``: the search for the bound of any width runs on its workers, which need
        this package. The certificate does not depend on them.
    progress
        ``True`` for a line on a terminal, ``False``, or a function that is called with a text.

    Returns
    -------
    Certificate
        What could be proved, verified. What was asked for and is missing is in its ``undecided``.

    Raises
    ------
    InputError
        Model or data that cannot be used, with layer, sample and value.
    Undecided
        Nothing at all could be proved.
    KeyboardInterrupt
        Ctrl-C.
    """
    model, activation = model_file(model, activation)
    data = data_file(X, y)
    exact = lambda value: None if value is None else str(Fraction(str(value)))  # noqa: E731
    options = _options(
        activation=activation,
        decide=_list(decide),
        scope=_list(scope),
        brackets=_list(brackets),
        active=exact(active),
        kinks=exact(kinks),
        gap=gap,
        embed=embed,
        time_limit=time_limit,
        threads=threads,
    )
    callback = _progress(progress)
    with Cluster.of(client) as workers:
        try:
            content, report = _native.certify(model, data, options, callback, workers)
        finally:
            _finish(progress, callback)
    found = json.loads(report)
    if not content:
        raise Undecided("; ".join(found["undecided"]) or "nothing could be proved")
    return Certificate(bytes(content), model, data, _options(activation=activation), found)


@translated
def solve(
    X,
    y=None,
    *,
    activation="relu",
    gap=1e-6,
    time_limit=None,
    threads=None,
    client=None,
    progress=True,
):
    """Find a two-layer network with the largest normalised margin of any width, with a certified gap.

    ``X``, ``y`` and ``client`` as in :func:`certify`, with two classes. Returns a :class:`Solution`.
    """
    options = _options(activation=activation, gap=gap, time_limit=time_limit, threads=threads)
    callback = _progress(progress)
    with Cluster.of(client) as workers:
        try:
            content, report, network = _native.solve(data_file(X, y), options, callback, workers)
        finally:
            _finish(progress, callback)
    return Solution(Network(json.loads(network)), Certificate(bytes(content)), json.loads(report))


@translated
def polish(model, X, y=None, *, activation=None, jump=False, time_limit=None, threads=None, progress=True):
    """Move a two-layer network to the best point reachable across adjacent activation cells.

    The exact normalised margin never decreases. ``jump`` lets neurons that are not needed start again in far
    cells. A bias of the first layer is the last column of the new network's first matrix, for a last feature 1
    of every sample. Returns :class:`Polished`.
    """
    model, activation = model_file(model, activation)
    options = _options(activation=activation, jump=jump, time_limit=time_limit, threads=threads)
    callback = _progress(progress)
    try:
        network, report = _native.polish(model, data_file(X, y), options, callback)
    finally:
        _finish(progress, callback)
    return Polished(None if network is None else Network(json.loads(network)), json.loads(report))
