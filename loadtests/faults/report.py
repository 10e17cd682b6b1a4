"""The report of a run, in Markdown."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from loadtests.faults.run import Outcome


def report(outcome: Outcome, seed: int) -> str:
    verdict, totals = outcome.verdict, outcome.verdict.totals
    lines = [
        "# A run with faults",
        "",
        f"**{'Every promise was kept.' if outcome.kept else 'A promise was broken.'}** Seed {seed}: "
        f"{totals.commands:,} commands in {totals.attempts:,} attempts, {totals.events:,} events, "
        f"{sum(totals.faults.values())} faults, {totals.seen:,} states that clients were shown.",
        "",
        *_table(("Promise", "Looked at", "Broken"), [(n, f"{c.looked:,}", c.found) for n, c in verdict.checks.items()]),
        *_table(("Fault", "Times"), totals.faults.most_common()),
        *_table(("Outcome of attempts", "Times"), _by_last(totals.by_outcome).most_common()),
        *_table(("Refusal", "Times"), totals.refusals.most_common()),
        *_recoveries(totals.recoveries),
    ]
    problems = [problem for check in verdict.checks.values() for problem in check.kept] + outcome.differences
    return "\n".join(
        lines + (["## What was found", "", *(f"- {problem}" for problem in problems), ""] if problems else [])
    )


def _table(head: tuple[str, ...], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    lines = [head, ("---",) * len(head), *rows]
    return [*("| " + " | ".join(map(str, line)) + " |" for line in lines), ""]


def _by_last(outcomes: Counter[str]) -> Counter[str]:
    """Whatever the type and the door were."""
    summed: Counter[str] = Counter()
    for name, count in outcomes.items():
        summed[name.rpartition(", ")[2]] += count
    return summed


def _recoveries(seconds: list[float | None]) -> list[str]:
    known = [each for each in seconds if each is not None]
    if not known:
        return []
    told = (
        f"After each storm all was well within {max(known):.1f} s (median {median(known):.1f} s, {len(known)} storms)"
    )
    return [told + (f"; {seconds.count(None)} times it was not." if None in seconds else "."), ""]
