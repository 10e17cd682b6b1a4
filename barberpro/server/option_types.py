"""Types of the command line's options: click's own, without the values that mean nothing here."""

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A number in a range. `nan` is in all of them by click's comparison, and `inf` in those that are open."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


class Directory(click.Path):
    """A directory's name. An empty one, as an unset variable of a shell leaves it, would be the present directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        if value == "":
            self.fail("is empty: name a directory.", param, ctx)
        return super().convert(value, param, ctx)
