"""A verified certificate as an object."""
import contextlib
import gzip
import json
import os
from fractions import Fraction
from typing import NamedTuple, Optional

from . import _native
from ._errors import Error, InputError, translated
from ._exact import exact
from ._inputs import data_file, model_file


class Bracket(NamedTuple):
    """Bounds of the best normalised margin in a region, as multiples of this network's."""

    region: str
    """``cell``, ``near:δ``, ``everywhere`` or ``any_width``."""
    at_least: Fraction
    """1 for the network itself, more if a better one is known."""
    at_most: Optional[Fraction]
    """``None`` if no bound was proved."""
    rule: str
    """The rule of the upper bound."""
    nodes: int
    """Cover nodes of its proof."""


class Claim(NamedTuple):
    """One verified statement."""

    kind: str
    """As in the file: ``kkt``, ``local_optimum``, ``margin_at_most``, …"""
    scope: str
    """``all`` or ``layer:L``."""
    region: Optional[str]
    """The competitors of a margin claim."""
    values: dict
    """Its numbers, exact: ``bound``, or ``lo``, ``hi``, ``delta`` and ``epsilon``."""
    rule: str
    """The rule that proved it."""
    nodes: int
    """Cover nodes of its proof."""
    text: str
    """The statement in words."""


_NUMBERS = ("bound", "lo", "hi", "delta", "epsilon")


class Certificate:
    """A certificate that the kernel has verified in exact arithmetic.

    It is made by :func:`certify`, :func:`solve` and :func:`load`.
    """

    def __init__(self, content, model=None, data=None, options="{}", found=None):
        self._content = content
        self._given = (model, data, options)
        self._report = json.loads(_verify(content, model, data, options))
        self._found = found or {}

    # What it says

    @property
    def verdict(self):
        """The verdict in sentences, one a line."""
        lines = list(self._report["sentences"])
        lines += [f"UNDECIDED: {line}" for line in self.undecided]
        return "\n".join(lines)

    @property
    def status(self):
        """``certified``; ``undecided`` or ``limit`` if something asked for is missing; ``verified`` if loaded."""
        return self._found.get("verdict", "verified")

    @property
    def undecided(self):
        """What was asked for and neither proved nor refuted, with the reason."""
        open_questions = [
            f"{d['question']}, {d['scope']}: {d['reason']}"
            for d in self._found.get("decisions", [])
            if d["answer"] is None
        ]
        return open_questions + list(self._found.get("undecided", []))

    @property
    def margin(self):
        """The margin γ of the network, exactly."""
        return exact(self._report["margin"]["gamma"])

    @property
    def nu(self):
        """The normalised margin ν = γ/|θ|^m, exactly; at odd depth a lower bound (see ``nu_bounds``)."""
        return self.nu_bounds[0]

    @property
    def nu_bounds(self):
        """Bounds of ν; equal for even depth."""
        margin = self._report["margin"]
        low, high = (margin.get("nu_lo", margin.get("nu")), margin.get("nu_hi", margin.get("nu")))
        return exact(low), exact(high)

    @property
    def counts(self):
        """Samples, duplicates, constraints, active ones, kinks and dead units."""
        names = ("samples", "duplicates", "constraints", "active", "kinks", "dead_units")
        return {name: self._report["margin"][name] for name in names}

    @property
    def brackets(self):
        """A :class:`Bracket` for every region the claims speak of, smallest first."""
        return [
            Bracket(
                b["region"],
                exact(b["at_least"]),
                None if b["at_most"] is None else exact(b["at_most"]),
                b["rule"],
                b["nodes"],
            )
            for b in self._report["brackets"]
        ]

    @property
    def claims(self):
        """Every verified :class:`Claim`, in the order of the file."""
        return [
            Claim(
                c["kind"],
                c["scope"],
                c.get("region"),
                {name: exact(c[name]) for name in _NUMBERS if name in c},
                c["rule"],
                c.get("nodes", 0),
                text,
            )
            for c, text in zip(self._report["claims"], self._report["texts"])
        ]

    @property
    def network_digest(self):
        """SHA-256 of the network's canonical exact JSON."""
        return self._report["network_digest"]

    @property
    def data_digest(self):
        """SHA-256 of the data set's canonical exact JSON."""
        return self._report["data_digest"]

    # What can be done with it

    def check(self, model, X, y=None, *, activation=None):
        """Verify it again, against this model and data; raises :class:`OtherProblem` if it is about others."""
        return check(self, model, X, y, activation=activation)

    def save(self, path):
        """Write the file; a name ending in ``.gz`` means gzip."""
        content = self._content
        if os.fspath(path).endswith(".gz"):
            content = gzip.compress(content)
        with open(path, "wb") as file:
            file.write(content)

    def to_bytes(self):
        """The file as bytes."""
        return self._content

    def to_html(self, path=None):
        """The page with pictures: one HTML file, complete in itself. Returned, or written to ``path``."""
        name = os.path.basename(os.fspath(path)) if path is not None else "certificate"
        document = self._page(name, False)
        if path is None:
            return document
        with open(path, "w", encoding="utf-8") as file:
            file.write(document)
        return None

    def _repr_html_(self):
        return self._page("certificate", True)

    @translated
    def _page(self, name, fragment):
        return _native.page(self._content, name, fragment, *self._given)

    def __str__(self):
        return self.verdict

    def __repr__(self):
        return f"<maxmargin.Certificate: {len(self._report['claims'])} claims>\n{self.verdict}"


@translated
def _verify(content, model, data, options):
    return _native.check(content, model, data, options)


def _content(certificate):
    if isinstance(certificate, Certificate):
        return certificate.to_bytes()
    if isinstance(certificate, (bytes, bytearray)):
        return bytes(certificate)
    path = os.fspath(certificate)
    try:
        with (gzip.open(path) if path.endswith(".gz") else open(path, "rb")) as file:
            return file.read()
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


@contextlib.contextmanager
def _named(certificate):
    """Messages about a file begin with its name."""
    try:
        yield
    except Error as error:
        name = os.fspath(certificate) if isinstance(certificate, (str, os.PathLike)) else ""
        if name and not str(error).startswith(name):
            raise type(error)(f"{name}: {error}") from None
        raise


def load(path):
    """Read and verify a certificate file that embeds its network and data.

    One that does not is read by :func:`check`.
    """
    with _named(path):
        return Certificate(_content(path))


def check(certificate, model, X, y=None, *, activation=None):
    """Verify a certificate, a file or an object, against a model and data.

    Raises :class:`Rejected` if a proof does not hold, and :class:`OtherProblem` if the certificate is
    about another model or data set. Returns the verified :class:`Certificate`.
    """
    model, activation = model_file(model, activation)
    data = data_file(X, y)
    options = json.dumps({} if activation is None else {"activation": activation})
    with _named(certificate):
        return Certificate(_content(certificate), model, data, options)
