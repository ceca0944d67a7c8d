# SPDX-License-Identifier: EUPL-1.2
"""How dates, numbers and Markdown are written, on pages and where every character counts.

Babel knows the names of days and months; the patterns are ours, for its French ones carry
no-break spaces that turn two SMS into three, and its long ones spell out the time zone.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import nh3
from babel.dates import format_datetime
from babel.numbers import format_decimal
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from templates.phrases import spoken

# `breaks`: an officer who ends a line means it. Raw HTML is shown as typed, never obeyed.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})
_LOCALE = {"fr": "fr_FR", "en": "en_GB"}
_LONG = {"fr": "EEEE d MMMM y 'à' H 'h' mm", "en": "EEEE d MMMM y 'at' h:mm a"}
_LONG_FIRST = "EEEE d'er' MMMM y 'à' H 'h' mm"  # French: premier, deux, trois…
_TABLE = {"fr": "dd/MM/y HH:mm", "en": "d MMM y HH:mm"}
_SHORT_DAY = {"fr": "EEE dd/MM", "en": "EEE dd/MM"}
_TAGS = {
    *("p", "br", "a", "strong", "em", "ul", "ol", "li", "blockquote", "code", "pre", "hr"),
    *("h2", "h3", "h4", "h5", "h6"),
}
_HEADING = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}


def long_date(moment: datetime, zone: str, language: str) -> str:
    """``jeudi 26 novembre 2026 à 8 h 00``, ``Thursday 26 November 2026 at 8:00 am``: pages."""
    tongue, local = spoken(language), moment.astimezone(ZoneInfo(zone))
    pattern = _LONG_FIRST if (tongue, local.day) == ("fr", 1) else _LONG[tongue]
    return _format(local, pattern, tongue)


def table_date(moment: datetime, zone: str, language: str) -> str:
    """``26/11/2026 08:00``, ``26 Nov 2026 08:00``: tables."""
    tongue = spoken(language)
    return _format(moment.astimezone(ZoneInfo(zone)), _TABLE[tongue], tongue)


def short_date(moment: datetime, zone: str, language: str) -> str:
    """``jeu. 26/11 8h``, ``Thu 26/11 8am``: SMS and X, in ASCII."""
    tongue, local = spoken(language), moment.astimezone(ZoneInfo(zone))
    return f"{_format(local, _SHORT_DAY[tongue], tongue)} {_hour(local, tongue)}"


def short_range(start: datetime, end: datetime, zone: str, language: str) -> str:
    """``jeu. 26/11 8h-12h``; over several days, both are named. SMS and X, in ASCII."""
    local_start, local_end = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    if local_start.date() == local_end.date():
        return f"{short_date(start, zone, language)}-{_hour(local_end, spoken(language))}"
    return f"{short_date(start, zone, language)} - {short_date(end, zone, language)}"


def plain_number(value: float, language: str) -> str:
    """``1 284``, ``66,5`` in French, ``1,284`` in English, with ordinary spaces only."""
    written = format_decimal(value, locale=_LOCALE[spoken(language)])
    return written.replace("\u202f", " ").replace("\u00a0", " ")


def _format(local: datetime, pattern: str, language: str) -> str:
    return format_datetime(local, pattern, locale=_LOCALE[language])


def _hour(local: datetime, language: str) -> str:
    minutes = f"{local.minute:02}" if local.minute else ""
    if language == "fr":
        return f"{local.hour}h{minutes}"
    colon = ":" if minutes else ""
    return f"{local.hour % 12 or 12}{colon}{minutes}{'am' if local.hour < 12 else 'pm'}"


def html(markdown: str) -> Markup:
    """Markdown as safe HTML: known tags only, links to http, https, mailto and tel only.

    Headings go down one level: the title of the announcement is the page's own.
    """
    tokens = _MARKDOWN.parse(markdown)
    for token in tokens:
        token.tag = _HEADING.get(token.tag, token.tag)
    rendered = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener",
    )
    return Markup(clean.strip())  # noqa: S704 (nh3 made it safe on the line above)


def plain(markdown: str) -> str:
    """Markdown as plain text: a link is ``label (address)``, an item ``- …``, no markup left.

    Paragraphs are parted by an empty line.
    """
    return "\n".join(_blocks(_MARKDOWN.parse(markdown))).strip()


def compact(text: str) -> str:
    """The text without empty lines or blanks at line ends, for channels paid by the character."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def sentence_end(text: str) -> str:
    """The text with a full stop, unless it already ends like a sentence."""
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def to_json(value: object) -> str:
    """A JSON text (RFC 8259) in as few bytes as it takes: UTF-8 as it is, no blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _blocks(tokens: Sequence[Token]) -> list[str]:
    """Lines of text; lists nest by two blanks, and only a loose block is followed by a gap."""
    lines: list[str] = []
    numbers: list[int | None] = []  # one for each open list: its next number, or a bullet
    marker = ""
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                numbers.append(None)
            case "ordered_list_open":
                numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
                lines += [] if numbers else [""]
            case "list_item_open":
                marker = _marker(numbers)
            case "inline" | "fence" | "code_block":
                text = _inline(token.children) if token.children else token.content.rstrip()
                lines += _indented(text, marker, len(numbers))
                marker = ""
                lines += [] if numbers else [""]
            case _:
                pass
    return lines


def _marker(numbers: list[int | None]) -> str:
    number = numbers[-1]
    if number is None:
        return "- "
    numbers[-1] = number + 1
    return f"{number}. "


def _indented(text: str, marker: str, depth: int) -> list[str]:
    outer = "  " * max(depth - 1, 0)
    inner = outer + ("  " if depth else "")
    first, *rest = text.split("\n")
    return [(outer + marker if marker else inner) + first, *(inner + line for line in rest)]


def _inline(children: Sequence[Token]) -> str:
    written, links = "", list[tuple[str, int]]()
    for token in children:
        match token.type:
            case "softbreak" | "hardbreak":
                written += "\n"
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(written)))
            case "link_close":
                address, start = links.pop()
                written += _address(written[start:], address)
            case _:
                written += token.content
    return written


def _address(label: str, address: str) -> str:
    shown = _MARKDOWN.normalizeLinkText(address)  # as people read it: no %C3%A9
    bare = shown.removeprefix("mailto:").removeprefix("tel:")
    if not label:
        return bare
    return "" if label in {shown, bare} else f" ({bare})"
