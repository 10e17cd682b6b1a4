"""Results become tables in a page; what is written by hand stays."""

import pytest

from loadtests.bench.report import Figure, Json
from loadtests.bench.tables import END, MarkersMissing, begin, tables, written

MACHINE = {"date": "2026-11-21", "cpu": "A CPU", "cores": 2, "system": "Linux 6", "python": "3.11", "load_before": 0.1}


def report(figure: Figure) -> Json:
    return {"machine": MACHINE, "results": [figure.to_json()]}


def figure(**fields: object) -> Figure:
    given = {"id": "P1", "title": "things", "value": 9054.4, "unit": "things/s", "asked": ">= 12000", "holds": False}
    return Figure(**{**given, **fields})  # type: ignore[arg-type]  # each test gives fields of their types


def test_a_result_is_a_row_with_its_peers_and_says_when_it_falls_short() -> None:
    told = tables(report(figure(peers={"row locks": 3230.0, "other": 8.125}, ratios={"row locks": 2.803, "other": 1})))
    assert told.splitlines()[-1] == (
        "| P1 | things | 9,054 things/s | row locks: 3,230 (2.80)<br>other: 8.12 (1.00) | >= 12000 | **no** |"
    )


def test_a_result_that_holds_says_yes() -> None:
    assert tables(report(figure(holds=True))).endswith("| >= 12000 | yes |")


def test_the_machine_is_described_above_the_table() -> None:
    assert tables(report(figure())).startswith("Measured on 2026-11-21: 2 cores of A CPU, Linux 6, Python 3.11;")


def test_a_short_run_says_that_it_means_nothing() -> None:
    short = {**report(figure()), "machine": {**MACHINE, "quick": True}}
    assert "whose figures mean nothing" in tables(short)


def test_a_bar_in_a_name_does_not_break_the_table() -> None:
    assert r"this \| that" in tables(report(figure(title="this | that")))


PAGE = f"# Head\n{begin('one')}\nold\n{END}\nprose\n{begin('two')}\nolder\nstill\n{END}\nlast words\n"


def test_only_the_suites_own_place_is_written() -> None:
    expected = PAGE.replace("older\nstill", "new")
    assert written(PAGE, "two", "new") == expected
    assert written(expected, "two", "new") == expected


def test_what_is_written_is_no_pattern() -> None:
    assert r"a \1 b" in written(PAGE, "one", r"a \1 b")


def test_a_page_without_the_place_is_refused() -> None:
    with pytest.raises(MarkersMissing, match="three"):
        written(PAGE, "three", "new")


def test_a_place_that_does_not_end_does_not_swallow_the_next() -> None:
    torn = PAGE.replace(END, "", 1)
    with pytest.raises(MarkersMissing, match="one"):
        written(torn, "one", "new")


def test_details_side_by_side_are_a_column_a_case_below_the_table() -> None:
    cases = {"2 days": {"events": 2040, "read_ms": [1.5, 20.25]}, "a | year": {"events": 365000, "read_ms": [1.75, 21]}}
    assert tables(report(figure(details={"side_by_side": cases}))).splitlines()[-5:] == [
        "",
        r"| | 2 days | a \| year |",
        "|---|---|---|",
        "| events | 2,040 | 365,000 |",
        "| read_ms | 1.5, 20.25 | 1.75, 21 |",
    ]
