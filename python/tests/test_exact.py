"""Numbers as certificates write them."""
from fractions import Fraction

import pytest

from maxmargin._exact import exact


@pytest.mark.parametrize(
    "text, value",
    [
        ("3", Fraction(3)),
        ("-3/4", Fraction(-3, 4)),
        ("0.1", Fraction(1, 10)),
        ("3p-20", Fraction(3, 2**20)),
        ("-5p3", Fraction(-40)),
    ],
)
def test_every_form(text, value):
    assert exact(text) == value


def test_more_digits_than_python_reads_at_once():
    assert exact("1" + "0" * 9000) == 10**9000
    assert exact("-1" + "0" * 9000 + "/3") == Fraction(-(10**9000), 3)
