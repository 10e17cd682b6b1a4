"""Amounts have as many decimals as their currency, and lose none."""

from decimal import Decimal

import pytest

from barberpro.protocol.currencies import decimals_of, need_decimals, scaled, written
from barberpro.protocol.errors import BarberProError


@pytest.mark.parametrize(("currency", "decimals"), [("INR", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("XYZ", 2)])
def test_a_currency_has_its_number_of_decimals(currency: str, decimals: int) -> None:
    assert decimals_of(currency) == decimals
    need_decimals("price", "1." + "0" * decimals if decimals else "1", currency)
    with pytest.raises(BarberProError, match="decimals"):
        need_decimals("price", "1." + "0" * (decimals + 1), currency)


@pytest.mark.parametrize(("amount", "currency", "shown"), [
    ("250", "INR", "250.00"), ("0", "INR", "0.00"), ("-0.5", "INR", "-0.50"), ("1E+3", "INR", "1000.00"),
    ("250.00", "JPY", "250"), ("0.00", "JPY", "0"), ("5.5", "KWD", "5.500"),
    ("250.5", "JPY", "250.5"),  # of a shop that has changed its currency: nothing is rounded
    ("999999999.99", "INR", "999999999.99"),
])  # fmt: skip
def test_an_amount_is_written_with_them_and_never_rounded(amount: str, currency: str, shown: str) -> None:
    assert written(Decimal(amount), currency) == shown
    assert scaled(Decimal(amount), currency) == Decimal(amount)
