# SPDX-License-Identifier: EUPL-1.2
"""A CSV file as numbered lines: a spreadsheet's slips are found before anybody is written."""

import codecs
import csv
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from subscribers.wording import Sentence

COLUMNS: Final = (
    "ref",
    "language",
    "phone",
    "email",
    "themes",
    "zones",
    "channels",
    "cadence",
    "quiet_hours",
    "urgent_at_night",
    "timezone",
    "consent_source",
    "consent_date",
    "consent_text_version",
)
REQUIRED: Final = ("themes", "consent_source", "consent_date", "consent_text_version")
LINE_LIMIT: Final = 64 * 1024  # bytes
_MEANT: Final = {  # what French spreadsheets call them
    "telephone": "phone",
    "téléphone": "phone",
    "mobile": "phone",
    "portable": "phone",
    "courriel": "email",
    "mail": "email",
    "langue": "language",
    "thèmes": "themes",
    "quartier": "zones",
    "quartiers": "zones",
    "canaux": "channels",
    "identifiant": "ref",
    "consentement": "consent_source",
}

_NUL: Final = Sentence(
    "Cette ligne contient un caractère nul. Enregistrez le fichier à nouveau depuis le tableur.",
    "This line holds a null character. Save the file again from the spreadsheet.",
)
_TOO_LONG: Final = Sentence(
    "Cette ligne dépasse 64 ko. Vérifiez les guillemets et les fins de ligne.",
    "This line is over 64 kB. Check its quotes and line ends.",
)
_OPEN_QUOTE: Final = Sentence(
    "Un guillemet \" n'est pas fermé ou est mal placé. Écrivez une personne par ligne.",
    'A quote " is not closed or misplaced. Write one person a line.',
)


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a whole file was not read, and the first line that shows it."""

    line: int
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its cells by column, or what is wrong with it. `end` is the number of
    bytes read so far."""

    number: int
    cells: Mapping[str, str] | Sentence
    end: int


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file whose encoding and header are sound; `size` in bytes."""

    stream: BinaryIO
    columns: tuple[str, ...]
    delimiter: str
    size: int

    def lines(self) -> Iterator[Line]:
        """The lines after the header, blank ones left out. Memory does not grow with the file."""
        self.stream.seek(0)
        for number, raw, end in _raw_lines(self.stream):
            if number > 1:
                cells = self._cells(raw)
                if isinstance(cells, Sentence) or any(cells.values()):
                    yield Line(number, cells, end)

    def _cells(self, raw: bytes) -> dict[str, str] | Sentence:
        if len(raw) > LINE_LIMIT:
            return _TOO_LONG
        if b"\0" in raw:
            return _NUL
        cells = _split(raw.decode("utf-8"), self.delimiter)
        if cells is None:
            return _OPEN_QUOTE
        if cells and len(cells) != len(self.columns):
            return Sentence(
                f"Cette ligne a {len(cells)} cases au lieu de {len(self.columns)}. Vérifiez les "
                f"séparateurs « {self.delimiter} » et les guillemets.",
                f"This line has {len(cells)} cells instead of {len(self.columns)}. Check the "
                f"separators “{self.delimiter}” and the quotes.",
            )
        return dict(zip(self.columns, (cell.strip() for cell in cells), strict=False))


def open_csv(stream: BinaryIO) -> CsvFile | FileProblem:
    """Check the encoding of a whole seekable file, then its header.

    UTF-8, with or without a byte order mark; comma or semicolon.
    """
    stream.seek(0)
    if stream.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return FileProblem(1, _save_as_utf8(1, "UTF-16"))
    stream.seek(0)
    header, size = b"", 0
    for number, raw, end in _raw_lines(stream):
        size = end
        if number == 1:
            header = raw.removeprefix(codecs.BOM_UTF8)
            if b"\0" in header:
                return FileProblem(1, _save_as_utf8(1, "UTF-16"))
        if len(raw) <= LINE_LIMIT and not _is_utf8(raw):
            return FileProblem(number, _save_as_utf8(number, "Windows-1252"))
    if len(header) > LINE_LIMIT:
        return FileProblem(1, _TOO_LONG)
    text = header.decode("utf-8")
    delimiter = ";" if text.count(";") > text.count(",") else ","
    columns = tuple(cell.strip().lower() for cell in _split(text, delimiter) or ())
    problem = _check_columns(columns)
    return FileProblem(1, problem) if problem else CsvFile(stream, columns, delimiter, size)


def _raw_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    """Line number, bytes (cut just past the limit where longer) and the offset after it."""
    number, end = 0, 0
    while raw := stream.readline(LINE_LIMIT + 2):
        number, end, tail = number + 1, end + len(raw), raw
        while len(tail) > LINE_LIMIT and not tail.endswith(b"\n"):
            tail = stream.readline(LINE_LIMIT + 2)
            end += len(tail)
        yield number, raw, end


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _split(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([text.strip()], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _check_columns(columns: tuple[str, ...]) -> Sentence | None:
    if not any(columns):
        return Sentence(
            "Le fichier est vide. Sa première ligne doit nommer les colonnes.",
            "The file is empty. Its first line must name the columns.",
        )
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        fr = ", ".join(f"« {name} »{_hint(name, ' (vouliez-vous dire {} ?)')}" for name in unknown)
        en = ", ".join(f"“{name}”{_hint(name, ' (did you mean {}?)')}" for name in unknown)
        return Sentence(f"Colonnes inconnues : {fr}.", f"Unknown columns: {en}.")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        names = ", ".join(twice)
        return Sentence(f"Colonnes en double : {names}.", f"Columns given twice: {names}.")
    missing = ", ".join(name for name in REQUIRED if name not in columns)
    if missing:
        return Sentence(
            f"Il manque les colonnes {missing}. Sans preuve de consentement, personne n'est "
            "inscrit.",
            f"Columns {missing} are missing. Nobody is subscribed without proof of consent.",
        )
    return None


def _hint(name: str, template: str) -> str:
    meant = _MEANT.get(name) or next(iter(difflib.get_close_matches(name, COLUMNS, 1)), None)
    return template.format(meant) if meant else ""


def _save_as_utf8(line: int, guess: str) -> Sentence:
    return Sentence(
        f"Le fichier n'est pas en UTF-8 (ligne {line} ; il semble être en {guess}). Dans le "
        "tableur : Enregistrer sous, format « CSV UTF-8 ».",
        f"The file is not UTF-8 (line {line}; it looks like {guess}). In the spreadsheet: Save "
        "as, format “CSV UTF-8”.",
    )
