# SPDX-License-Identifier: EUPL-1.2
"""Tables for a spreadsheet: every export of the console is made here, and none can run anything."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from aiohttp import web

from hub.web.showing import PRIVATE

Cell = str | int | datetime | None

_ACTIVE: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
# what spreadsheets take for the narrow ones
_WIDE: Final = str.maketrans("＝＋－＠｜％", "=+-@|%")
# where a spreadsheet that parts cells by commas would begin another one
_WITHIN: Final = re.compile("([,;\\t\\r\\n][\"']?)(?=[=+@|-])")
_APART: Final = r"\1'"
_MARK: Final = "\ufeff"  # without it Excel takes UTF-8 for its own old encoding


def cell(value: Cell) -> str:
    """A value as it stands in a cell, never a formula (OWASP, "CSV injection").

    Whole numbers stay numbers, moments are RFC 3339, nothing is empty. A text that a spreadsheet
    would calculate gets an apostrophe before it, blanks in front of it or not; and so does what a
    program that parts cells elsewhere would take for the beginning of one.
    """
    match value:
        case None:
            return ""
        case int():
            return str(value)
        case datetime():
            return value.isoformat(timespec="seconds")
        case str():
            first = value.lstrip(" \u00a0\u202f\u3000").translate(_WIDE)[:1]
            active = first in _ACTIVE or value[:1] in _ACTIVE
            if first and active:
                return f"'{value[:1]}{_WITHIN.sub(_APART, value[1:])}"
            return _WITHIN.sub(_APART, value)


def sheet(rows: Iterable[Sequence[Cell]]) -> bytes:
    """A whole file, its headings in the first row: semicolons, for a comma is decimal in French."""
    written = io.StringIO(_MARK)
    written.seek(0, io.SEEK_END)
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode("utf-8")


def download(name: str, rows: Iterable[Sequence[Cell]]) -> web.Response:
    """The answer that a browser keeps as a file called `name` (of plain ASCII), ``.csv`` added."""
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return web.Response(body=sheet(rows), content_type="text/csv", charset="utf-8", headers=headers)
