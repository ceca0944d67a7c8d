# SPDX-License-Identifier: EUPL-1.2
"""Every word can be read on its ground, in both schemes, whatever colour the town has."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from templates.pages import colours
from templates.pages.pages import STATIC_FOLDER

CSS = (STATIC_FOLDER / "app.css").read_text("utf-8")
TOKEN = re.compile(r"(--[\w-]+): (#[0-9a-f]{6});")
WORDS = ("text", "muted", "link", "visited")
OWN_GROUND = ("success", "warning", "danger", "info", "urgent", "sandbox")


def blocks() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The tokens as written: light, dark by the device, dark by the reader."""
    light, rest = CSS.split("@media (prefers-color-scheme: dark)", 1)
    device, chosen = rest.split(':root[data-theme="light"]', 1)
    chosen = chosen.split("@media", 1)[0]
    return dict(TOKEN.findall(light)), dict(TOKEN.findall(device)), dict(TOKEN.findall(chosen))


LIGHT, DARK, CHOSEN = blocks()
SCHEMES = {"light": LIGHT, "dark": {**LIGHT, **DARK}}


def faults(scheme: dict[str, str]) -> list[str]:
    """Pairs of words and ground that fall under what WCAG asks."""
    grounds = [scheme[name] for name in ("--bg", "--surface", "--surface-2", "--tint")]
    pairs = [(f"--{word}", ground, 4.5) for word in WORDS for ground in grounds]
    pairs += [(f"--{name}", scheme[f"--{name}-bg"], 4.5) for name in OWN_GROUND]
    pairs += [(f"--{name}", scheme["--bg"], 4.5) for name in ("sms", "email", "webpush", "x")]
    pairs += [(f"--on-{name}", scheme[f"--{name}"], 4.5) for name in ("accent", "danger", "band")]
    pairs += [("--accent", scheme["--bg"], 4.5), ("--danger", scheme["--bg"], 4.5)]
    pairs += [(line, scheme["--bg"], 3.0) for line in ("--border", "--focus")]
    return [
        f"{word} {scheme[word]} on {ground}: {found:.2f}"
        for word, ground, least in pairs
        if (found := colours.contrast(scheme[word], ground)) < least
    ]


@pytest.mark.parametrize("name", SCHEMES)
def test_every_word_is_legible_on_every_ground_it_stands_on(name: str) -> None:
    assert faults(SCHEMES[name]) == []


def test_dark_is_the_same_dark_by_the_device_and_by_the_reader() -> None:
    assert DARK == CHOSEN
    assert set(DARK) <= set(LIGHT)


def test_contrast_is_that_of_the_wcag() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("accent", ["#777777", "#ffd23f", "#00a0c0", "#ffffff", "#ff0000"])
def test_a_colour_too_pale_to_read_is_not_legible(accent: str) -> None:
    assert not colours.legible_on_white(accent)


ODD = ["#000000", "#0000ff", "#7f0000", "#006400", "#c00080", "#757575", "#2b2bff", "#0b5563"]


def check(accent: str) -> None:
    light, dark = colours.tokens(accent)
    assert faults({**LIGHT, **light}) == []
    assert faults({**SCHEMES["dark"], **dark}) == []


@pytest.mark.parametrize("accent", ODD)
def test_an_odd_accent_is_made_legible_in_both_schemes(accent: str) -> None:
    check(accent)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_any_accent_legible_on_white_is_legible_everywhere(rgb: tuple[int, int, int]) -> None:
    accent = "#" + "".join(f"{part:02x}" for part in rgb)
    assume(colours.legible_on_white(accent))
    check(accent)


def test_the_town_s_few_rules_go_into_the_dark_by_the_same_two_ways() -> None:
    sheet = colours.stylesheet("#7d0f3c")
    assert sheet.startswith(":root{--accent:#7d0f3c;")
    device = re.search(r":root:not\(\[data-theme\]\)\{(.*?)\}", sheet)
    chosen = re.search(r':root\[data-theme="dark"\]\{(.*?)\}', sheet)
    assert device is not None
    assert chosen is not None
    assert device[1] == chosen[1]
    assert len(sheet) < 1_000
