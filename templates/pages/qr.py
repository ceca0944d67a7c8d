# SPDX-License-Identifier: EUPL-1.2
"""An address as a QR code, drawn by the page itself: no picture to fetch, sharp at any size."""

import io
from typing import Final

import segno
from markupsafe import Markup

_QUIET: Final = 4  # modules of white around it, as ISO/IEC 18004 asks


def qr_code(address: str, label: str) -> Markup:
    """The code of `address` as inline SVG, black on white also on a dark page; `label` is what a
    screen reader says in its place.

    Error correction M (15 %): a poster gets wet and scratched. Nothing of it is a style, which the
    pages' policy refuses.
    """
    code = segno.make(address, error="m", micro=False)
    drawn = io.BytesIO()
    code.save(
        drawn,
        kind="svg",
        border=_QUIET,
        xmldecl=False,
        svgns=False,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        dark="#000",
        light="#fff",
        title=None,
    )
    named = Markup('<svg role="img" aria-label="{}" ').format(label)
    rest = drawn.getvalue().decode().strip().removeprefix("<svg ")
    return named + Markup(rest)  # noqa: S704 (made here, of nothing but numbers)
