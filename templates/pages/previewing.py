# SPDX-License-Identifier: EUPL-1.2
"""What pages that preview an announcement ask of a template (`console/writing/previews.html`)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from templates import gsm
from templates.difference import difference
from templates.phrases import sentence
from templates.preview import specimen
from templates.refusals import Refusal

_UNSEEN: Final = frozenset("\t\u00a0\u202f\u2007\u2009\u200a\u00ad\u200b\u2060")


@pass_context
def _refused(context: Context, refusal: Refusal) -> str:
    """Why a text cannot leave, and by how much."""
    return sentence(refusal, context["language"])


def _family(character: str) -> str:
    """The family of a costly character, "other" where nothing may stand for it."""
    return gsm.family(character) or "other"


def _glyph(character: str) -> str:
    """A character one can see: itself, or its code point."""
    return f"U+{ord(character):04X}" if character in _UNSEEN else character


def _marked(before: str, after: str) -> Markup:
    """Both texts in one, what goes struck out and what comes underlined."""
    said = Markup()
    for piece in difference(before, after):
        if piece.same:
            said += piece.gone
            continue
        said += Markup("<del>{}</del>").format(_visible(piece.gone)) if piece.gone else ""
        said += Markup("<ins>{}</ins>").format(_visible(piece.come)) if piece.come else ""
    return said


def _visible(text: str) -> str:
    return "".join(map(_glyph, text))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "refused": _refused,
    "specimen": specimen,
    "family": _family,
    "glyph": _glyph,
    "marked": _marked,
}
