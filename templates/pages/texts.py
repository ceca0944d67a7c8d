# SPDX-License-Identifier: EUPL-1.2
"""The long texts around the service (help, accessibility, privacy…): Markdown, the town's first.

A text begins with its title (`# Help`), then sections (`## …`). `{contact}` and the like are filled
in; what stands between `{if sms}` and `{/if}` is said only where it is so.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

HOUSE: Final = Path(__file__).parent / "texts"
NAMES: Final = ("help", "accessibility", "privacy", "legal", "plan")
"""What there is, in every language: `texts/<language>/<name>.md`."""

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAGS: Final = {
    *("p", "br", "a", "strong", "em", "ul", "ol", "li", "blockquote", "code", "pre", "hr"),
    *("h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_NOTICE: Final = re.compile(r"\A\s*<!--.*?-->\s*", re.DOTALL)
_ONLY_IF: Final = re.compile(r"\{if (\w+)\}\n?(.*?)\{/if\}\n?", re.DOTALL)
_BLANK: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to be shown: its title without markup, the rest as safe HTML."""

    title: str
    body: Markup


def text(
    name: str,
    language: str,
    values: Mapping[str, str],
    true: Collection[str] = (),
    overlay: Path | None = None,
    *,
    own: str = "",
) -> Text:
    """One of `NAMES` in a language: `own` words, else the town's folder `overlay`, else ours.

    `values` fill the blanks (Markdown; a blank nobody knows stays as written), `true` are the words
    after `{if …}` that hold. Raises `FileNotFoundError` for another name or language.
    """
    written = _NOTICE.sub("", own or source(name, language, overlay))
    said = _ONLY_IF.sub(lambda found: found[2] if found[1] in true else "", written)
    filled = _BLANK.sub(lambda found: values.get(found[1], found[0]), said)
    first, _, rest = filled.partition("\n")
    return Text(first.lstrip("# ").strip(), _html(rest))


def source(name: str, language: str, overlay: Path | None = None) -> str:
    """The Markdown of a text, the town's folder first. Raises `FileNotFoundError` as above."""
    return _read(f"{language}/{name}.md", overlay)


def span(days: int, language: str) -> str:
    """A number of days as people say it: ``7 jours``, ``13 mois``, ``3 ans``."""
    years, months = round(days / 365.25), round(days / 30.44)
    count, word = days, ("jour", "jours", "day", "days")
    if years and abs(days - years * 365.25) <= 2 + years / 4:  # as somebody who counts 365
        count, word = years, ("an", "ans", "year", "years")
    elif 1 < months < 24 and abs(days - months * 30.44) <= 3:
        count, word = months, ("mois", "mois", "month", "months")
    return f"{count}\u00a0{word[(language != 'fr') * 2 + (count > 1)]}"


def linked(contact: str) -> str:
    """A way to reach somebody, as Markdown that opens it: an e-mail, a telephone, or as written."""
    plain = contact.strip()
    if re.fullmatch(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+", plain):
        return f"[{plain}](mailto:{plain})"
    if re.fullmatch(r"\+?[\d .()\u00a0-]{6,20}", plain):
        return f"[{plain}](tel:{re.sub(r'[^+0-9]', '', plain)})"
    return plain


def _read(path: str, overlay: Path | None) -> str:
    if overlay is not None:
        try:
            return (overlay / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            pass  # the house's words, rather than none
    return (HOUSE / path).read_text("utf-8")


def _html(markdown: str) -> Markup:
    tokens = _MARKDOWN.parse(markdown)
    for token in tokens:
        if token.tag == "h1":  # the page's own
            token.tag = "h2"
        if token.type == "th_open":
            token.attrSet("scope", "col")
    clean = nh3.clean(
        _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}, "th": {"scope"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener",
    )
    return Markup(clean.strip())  # noqa: S704 (nh3 made it safe on the line above)
