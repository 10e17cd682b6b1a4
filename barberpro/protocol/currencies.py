"""Currencies: how many decimals an amount has, and how it is written.

Of ISO 4217's active codes (list one of 2024-06-25) all have two but those here, and CLF and UYW, units of account in
which nobody pays.
"""

from decimal import Decimal
from typing import Final

from barberpro.protocol.errors import bad_field

_USUAL: Final = 2
_OTHERS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def decimals_of(currency: str) -> int:
    """currency: three letters."""
    return _OTHERS.get(currency, _USUAL)


def need_decimals(field: str, amount: str, currency: str) -> None:
    """Raises BAD_REQUEST for an amount with more decimals than its currency. amount: as `Money` takes it."""
    if len(amount.partition(".")[2]) > decimals_of(currency):
        raise bad_field(field, f"has more decimals than {currency}")


def scaled(amount: Decimal, currency: str) -> Decimal:
    """The amount with all of its currency's decimals. Nothing is rounded: what has more keeps them."""
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - neither infinite nor NaN: those are no amounts
    return amount.quantize(Decimal(1).scaleb(min(exponent, -decimals_of(currency))))


def written(amount: Decimal, currency: str) -> str:
    """As it stands on the wire: `250.00`, of yen `250`."""
    return str(scaled(amount, currency))
