"""Numbers as certificates write them."""
from fractions import Fraction


def exact(text):
    """The fraction of ``"3"``, ``"-3/4"``, ``"0.1"`` or ``"3p-20"``, which means 3·2⁻²⁰."""
    number, power, exponent = text.partition("p")
    return Fraction(number) * Fraction(2) ** int(exponent) if power else Fraction(number)
