"""Numbers as certificates write them."""
from fractions import Fraction


def exact(text):
    """The fraction of ``"3"``, ``"-3/4"``, ``"0.1"`` or ``"3p-20"``, which means 3·2⁻²⁰."""
    number, power, exponent = text.partition("p")
    value = _fraction(number)
    return value * Fraction(2) ** int(exponent) if power else value


# Python refuses to read more than 4300 digits at once.
_DIGITS = 4000


def _fraction(text):
    if len(text) <= _DIGITS:
        return Fraction(text)
    numerator, _, denominator = text.partition("/")
    return Fraction(_integer(numerator), _integer(denominator or "1"))


def _integer(text):
    digits = text.lstrip("-")
    value = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        value = value * 10 ** len(part) + int(part)
    return -value if text.startswith("-") else value
