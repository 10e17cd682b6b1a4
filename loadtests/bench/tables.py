"""Results as tables of a Markdown page, between markers; what stands around them is written by hand.

<!-- figures: engine -->
whatever was here is replaced
<!-- end of figures -->
"""

import re
from typing import Any, Final

Json = dict[str, Any]

_BEGIN: Final = "<!-- figures: "
END: Final = "<!-- end of figures -->"
_HEAD: Final = """| Id | What | Measured | Peers in the same run (ratio) | Asked | Holds |
|---|---|---|---|---|---|"""


class MarkersMissing(Exception):
    """The page has no place for a suite's figures."""


def begin(suite: str) -> str:
    return f"{_BEGIN}{suite} -->"


def tables(report: Json) -> str:
    """What a suite's JSON object says, as a line on the machine and a table; then its details side by side."""
    rows = "\n".join(_row(result) for result in report["results"])
    told = [f"{_measured_on(report['machine'])}\n\n{_HEAD}\n{rows}"]
    told += [_side_by_side(cases) for result in report["results"] if (cases := result["details"].get("side_by_side"))]
    return "\n\n".join(told)


def written(page: str, suite: str, text: str) -> str:
    """The page with the text in the suite's place. Raises MarkersMissing."""
    pattern = re.compile(f"({re.escape(begin(suite))}\n).*?({re.escape(END)})", re.DOTALL)
    found = pattern.search(page)
    if found is None or _BEGIN in page[found.end(1) : found.start(2)]:
        raise MarkersMissing(f"the page has no place between {begin(suite)} and {END}")
    return page[: found.end(1)] + text + "\n" + page[found.start(2) :]


def _measured_on(machine: Json) -> str:
    kind = "a short run, whose figures mean nothing" if machine.get("quick") else "medians of the rounds"
    return (
        f"Measured on {machine['date']}: {machine['cores']} cores of {machine['cpu']}, {machine['system']}, "
        f"Python {machine['python']}; load before the run {machine['load_before']}; {kind}."
    )


def _row(result: Json) -> str:
    peers = "<br>".join(
        f"{_cell(name)}: {_number(value)} ({result['ratios'][name]:.2f})" for name, value in result["peers"].items()
    )
    measured = f"{_number(result['value'])} {result['unit']}"
    cells = (result["id"], result["title"], measured, None, result["asked"], None)
    told = [_cell(str(cell)) if cell is not None else "" for cell in cells]
    told[3], told[5] = peers, "yes" if result["holds"] else "**no**"
    return f"| {' | '.join(told)} |"


def _side_by_side(cases: dict[str, Json]) -> str:
    """A column a case. cases: {case: {name: a number, or several}}, all with the same names."""
    rows = [f"| | {' | '.join(map(_cell, cases))} |", f"|---|{'---|' * len(cases)}"]
    for name in next(iter(cases.values())):
        values = [case[name] if isinstance(case[name], list) else [case[name]] for case in cases.values()]
        rows.append(f"| {name} | {' | '.join(', '.join(map(_number, several)) for several in values)} |")
    return "\n".join(rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
