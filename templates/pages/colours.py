# SPDX-License-Identifier: EUPL-1.2
"""The town's colour: legible or refused, and what it becomes as a link and in the dark."""

import colorsys
from typing import Final

DEFAULT_ACCENT: Final = "#0b5563"
LEGIBLE: Final = 4.5
"""The least contrast of a text with its ground (WCAG 2.2, 1.4.3; RGAA 3.2)."""

_LIGHT: Final = ("#ffffff", "#f4f6f6", "#e8eded")
_DARK: Final = ("#12191b", "#1b2427", "#243034")
"""The grounds of app.css: `--bg`, `--surface`, `--surface-2`."""

Rgb = tuple[float, float, float]


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white), of two `#rrggbb` (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def legible_on_white(accent: str) -> bool:
    """Whether white words on a button of this colour, and such words on white, can be read."""
    return contrast(accent, "#ffffff") >= LEGIBLE


def tokens(accent: str) -> tuple[dict[str, str], dict[str, str]]:
    """The custom properties that follow from an accent: of the light scheme, of the dark one.

    `--tint`, a ground for words, is the scheme's own ground with a breath of the accent.
    """
    tint, night = _mixed(accent, _LIGHT[0], 0.1), _mixed(accent, _DARK[0], 0.14)
    light = {
        "--accent": accent,
        "--on-accent": "#ffffff",
        "--tint": tint,
        "--link": _moved(accent, (*_LIGHT, tint), LEGIBLE, -0.01),
    }
    bright = _moved(accent, (*_DARK, night), LEGIBLE + 1, 0.01)
    dark = {
        "--accent": bright,
        "--on-accent": "#12191b",
        "--tint": night,
        "--link": _moved(accent, (*_DARK, night), LEGIBLE + 2, 0.01),
    }
    return light, dark


def stylesheet(accent: str) -> str:
    """The town's few rules, over those of app.css and by the same two ways into the dark."""
    light, dark = (";".join(f"{k}:{v}" for k, v in each.items()) for each in tokens(accent))
    return (
        f":root{{{light}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}"
        f':root[data-theme="dark"]{{{dark}}}'
        "@media print{:root:root{--accent:#000000;--link:#000000;--tint:#ffffff}}"
    )


def _moved(colour: str, grounds: tuple[str, ...], least: float, step: float) -> str:
    """The nearest of the same hue, darker (a step below 0) or lighter, legible on every ground."""
    hue, light, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    while min(contrast(colour, ground) for ground in grounds) < least and 0 < light + step < 1:
        light += step
        colour = _hex(colorsys.hls_to_rgb(hue, light, min(saturation, 0.75)))
    return colour


def _mixed(colour: str, ground: str, share: float) -> str:
    both = zip(_rgb(colour), _rgb(ground), strict=True)
    red, green, blue = (share * one + (1 - share) * other for one, other in both)
    return _hex((red, green, blue))


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
