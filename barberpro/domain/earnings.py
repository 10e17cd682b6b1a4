"""Earnings: the ledger's lines added up, by currency, by day and by method."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from barberpro.protocol.currencies import written
from barberpro.protocol.money import CurrencySums, Sums
from barberpro.storage.ledger import Sum

_METHODS: Final = ("cash", "card", "upi")


def earnings_of(sums: Iterable[Sum], days: Sequence[date], currency: str | None) -> list[CurrencySums]:
    """One entry for each currency that there is anything in, and for `currency`, if given, which comes first."""
    by_currency: dict[str, list[Sum]] = {currency: []} if currency is not None else {}
    for each in sums:
        by_currency.setdefault(each.currency, []).append(each)
    return [_of_currency(own, days, name) for name, own in by_currency.items()]


def _of_currency(sums: Sequence[Sum], days: Sequence[date], currency: str) -> CurrencySums:
    by_day: list[list[Sum]] = [[] for _ in days]
    for each in sums:
        by_day[each.day].append(each)
    by_method = {
        method: written(_total(each for each in sums if each.method == method), currency) for method in _METHODS
    }
    return {
        "currency": currency,
        **_sums(sums, currency),
        "byMethod": {"cash": by_method["cash"], "card": by_method["card"], "upi": by_method["upi"]},
        "days": [{"date": day.isoformat(), **_sums(own, currency)} for day, own in zip(days, by_day, strict=True)],
    }


def _sums(sums: Sequence[Sum], currency: str) -> Sums:
    def of(**wanted: str) -> str:
        [(field, value)] = wanted.items()
        return written(_total(each for each in sums if getattr(each, field) == value), currency)

    return {
        "charges": of(kind="charge"),
        "tips": of(kind="tip"),
        "refunds": of(kind="refund"),
        "corrections": of(kind="correction"),
        "total": written(_total(sums), currency),
        "forServices": of(purpose="service"),
        "forTips": of(purpose="tip"),
    }


def _total(sums: Iterable[Sum]) -> Decimal:
    return sum((each.amount for each in sums), Decimal(0))
