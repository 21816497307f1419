"""Exceptions: the words of the command line, and its exit codes."""
import functools

from . import _native


class Error(Exception):
    """Anything that maxmargin refuses. ``exit_code`` is what the command line would return."""

    exit_code = 70


class Rejected(Error):
    """A proof in the certificate does not prove its claim."""

    exit_code = 1


class InputError(Error, ValueError):
    """A model, data set or certificate that cannot be used."""

    exit_code = 2


class OtherProblem(Error):
    """The certificate speaks of another model or data set."""

    exit_code = 3


class LimitReached(Error):
    """A limit of size was reached."""

    exit_code = 4


class Undecided(Error):
    """Nothing that was asked for could be proved or refuted."""

    exit_code = 5


class UsageError(Error, ValueError):
    """Arguments that do not go together."""

    exit_code = 64


_CLASSES = {c.exit_code: c for c in (Rejected, InputError, OtherProblem, LimitReached, Undecided, UsageError)}


# Names that stand for arrays, as people say them.
_WORDS = [("<model>.npz", "the model"), ("<data>.npz", "the data")]


def translated(function):
    """``function``, with native failures raised as the classes above."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except _native.Failure as failure:
            code, message = failure.args
        for name, words in _WORDS:
            message = message.replace(name, words)
        raise _CLASSES.get(code, Error)(message)

    return wrapper
