"""Tables as files: CSV for programs, PDF for people. Blocking: to be called in a thread.

reportlab is imported where it is used: a server that makes no PDF does not pay for it.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any, Final, Protocol

Cell = str | int | Decimal | None
Row = Sequence[Cell]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MARGIN: Final = 36.0
_LINE: Final = 12.0
_SIZE: Final = 7.5
_GAP: Final = 4.0
_FONT: Final = "Vera"
_BOLD: Final = "VeraBd"


@dataclass(frozen=True, slots=True)
class Column:
    """width: a part of the page's, beside the other columns'. Numbers are set to the right."""

    name: str
    width: int


class Document(Protocol):
    """A table on its way into a file."""

    def add(self, rows: Iterable[Row]) -> None: ...

    def finished(self) -> bytes:
        """The file, once all rows are added."""


class Csv:
    """UTF-8 with a byte order mark, by which Excel knows it; RFC 4180.

    Text that a spreadsheet would take for a formula gets an apostrophe in front: whoever wrote it is not to reckon
    on somebody else's machine.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._text = StringIO()
        self._writer = csv.writer(self._text)
        self._writer.writerow([column.name for column in columns])

    def add(self, rows: Iterable[Row]) -> None:
        self._writer.writerows([_plain(cell) for cell in row] for row in rows)

    def finished(self) -> bytes:
        return self._text.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str | int | Decimal | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


class Pdf:
    """A4, across; the title and the columns' names on every page. What does not fit into its column is cut."""

    def __init__(self, title: str, subtitle: str, columns: Sequence[Column]) -> None:
        from reportlab.lib.pagesizes import A4, landscape
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas

        for font in (_FONT, _BOLD):
            pdfmetrics.registerFont(TTFont(font, f"{font}.ttf"))
        self._measure = pdfmetrics.stringWidth
        self._page: tuple[float, float] = landscape(A4)
        self._file = BytesIO()
        self._canvas: Any = Canvas(self._file, pagesize=self._page)
        self._canvas.setTitle(title)
        self._title, self._subtitle, self._columns = title, subtitle, columns
        unit = (self._page[0] - 2 * _MARGIN) / sum(column.width for column in columns)
        self._widths = [column.width * unit for column in columns]
        self._number = 0
        self._y = 0.0
        self._begin_page()

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._y < _MARGIN + _LINE:
                self._canvas.showPage()
                self._begin_page()
            self._write(row, _FONT)

    def finished(self) -> bytes:
        self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()

    def _begin_page(self) -> None:
        width, height = self._page
        self._number += 1
        self._canvas.setFont(_BOLD, 12)
        self._canvas.drawString(_MARGIN, height - _MARGIN, self._title)
        self._canvas.setFont(_FONT, _SIZE)
        self._canvas.drawString(_MARGIN, height - _MARGIN - _LINE, self._subtitle)
        self._canvas.drawRightString(width - _MARGIN, height - _MARGIN, str(self._number))
        self._y = height - _MARGIN - 3 * _LINE
        self._write([column.name for column in self._columns], _BOLD)
        self._canvas.line(_MARGIN, self._y + _LINE - 3, width - _MARGIN, self._y + _LINE - 3)

    def _write(self, row: Row, font: str) -> None:
        self._canvas.setFont(font, _SIZE)
        x = _MARGIN
        for cell, width in zip(row, self._widths, strict=True):
            text = self._cut("" if cell is None else str(cell), font, width - _GAP)
            if isinstance(cell, int | Decimal):
                self._canvas.drawRightString(x + width - _GAP, self._y, text)
            else:
                self._canvas.drawString(x, self._y, text)
            x += width
        self._y -= _LINE

    def _cut(self, text: str, font: str, width: float) -> str:
        if self._measure(text, font, _SIZE) <= width:
            return text
        while text and self._measure(text + "...", font, _SIZE) > width:
            text = text[:-1]
        return text + "..."
