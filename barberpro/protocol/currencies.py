"""Currencies: how many decimals an amount has.

Of ISO 4217's active codes all have two, but for those here (list of 2024-06-25). The libraries that have the list weigh
more than it: babel 30 MB of languages with it, and pycountry has no decimals.
"""

from decimal import Decimal
from typing import Final

_USUAL: Final = 2
_OTHERS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def decimals_of(currency: str) -> int:
    """currency: three letters."""
    return _OTHERS.get(currency, _USUAL)


def fits(amount: str, currency: str) -> bool:
    """Whether an amount has no more decimals than its currency. amount: as `Money` takes it."""
    return len(amount.partition(".")[2]) <= decimals_of(currency)


def scaled(amount: Decimal, currency: str) -> Decimal:
    """The amount with all of its currency's decimals. Raises decimal.Inexact when it has more, other than zeros."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), context=_EXACT)


def written(amount: Decimal, currency: str) -> str:
    """As it stands on the wire: `250.00`, of yen `250`."""
    return str(scaled(amount, currency))
