# SPDX-License-Identifier: EUPL-1.2
"""Which characters a text may hold, and the one form they are written in."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK
from templates.content import Content
from templates.refusals import Unwritable

# C0 but tab and line ends, DEL, C1, lone surrogates, the byte order mark, non-characters: no
# reader sees them, X refuses them, and they break headers, JSON or UTF-8.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_BREAKS = re.compile(r"(?<!\s)\s*[\r\n\t]\s*")


def tidy(content: Content) -> Content | Unwritable:
    """The same words in their normal form, or the first character nobody may write.

    Blank texts count as not given. Line ends become ``\\n`` (forms post CRLF), accents one
    character each (NFC: the same text to Unicode, and an ``é`` typed in two halves would turn an
    SMS into UCS-2), the title one line.
    The marks of the personal stop links are refused: a text from outside could otherwise carry
    every citizen's own token to a stranger's site.
    """
    for field, text in _fields(content):
        if found := _UNSEEN.search(text):
            return Unwritable(field, f"U+{ord(found[0]):04X}", found.start())
        for mark in (STOP_TOKEN_MARK, SHORT_STOP_MARK):
            if (position := text.find(mark)) >= 0:
                return Unwritable(field, "mark", position)
    if content.link and not _WEB.match(content.link.strip()):
        return Unwritable("link", "scheme", 0)
    return replace(
        content,
        title=one_line(_normal(content.title)),
        body=_normal(content.body),
        short=_normal(content.short or "") or None,
        link=_normal(content.link or "") or None,
        overrides={
            channel: _normal(text) for channel, text in content.overrides.items() if text.strip()
        },
    )


def one_line(text: str) -> str:
    """The text without line breaks or tabs, each with the blanks around it become one space."""
    return _BREAKS.sub(" ", text.strip())


def _fields(content: Content) -> Iterator[tuple[str, str]]:
    yield "title", content.title
    yield "body", content.body
    yield "short", content.short or ""
    yield "link", content.link or ""
    for channel, text in content.overrides.items():
        yield channel.value, text


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", text)).strip()
