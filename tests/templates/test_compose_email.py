# SPDX-License-Identifier: EUPL-1.2
"""What leaves by e-mail: readable by everybody, and easy to stop."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from channels.base import (
    ChannelName,
    EmailText,
    Rendered,
    Urgency,
)
from templates.catalogue import PACKAGED
from templates.content import Content, Letterhead
from templates.render import Composed, Composer


def _text(composed: Composed) -> EmailText:
    assert isinstance(composed, Rendered), composed
    assert isinstance(composed.text, EmailText)
    return composed.text


class _Outline(HTMLParser):
    """The text, the tags and the languages of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.languages: dict[str, str | None] = {}
        self.styled: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if "lang" in named:
            self.languages[tag] = named["lang"]
        if "style" in named:
            self.styled.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_an_email_carries_why_stop_and_page_in_text_and_html(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    letter = _text(composer.compose(ChannelName.EMAIL, content, letterhead))
    assert letter.subject == "Coupure d'eau jeudi, Tanneries"
    for page in (letter.text, letter.html):
        assert letterhead.stop_url in page
        assert letterhead.page_url in page
        assert f"{letterhead.home_url}mes-alertes" in page
        assert "Eau et coupures" in page
        assert "https://example.org/travaux" in page
        assert "mercredi 25 novembre 2026 à 9 h 00" in page
        assert "jeudi 26 novembre 2026 à 14 h 00" in page
    assert letter.stop_url == letterhead.stop_url
    assert letter.list_id == "eau.alerte.example.org"
    assert letter.list_name == "Eau et coupures"


def test_an_email_is_readable_without_sight_images_or_style_sheets(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, language="ar", body=f"{content.body}\n\n# Suite\n\nfin")
    letter = _text(composer.compose(ChannelName.EMAIL, words, letterhead))
    page = _Outline(letter.html)
    assert page.languages == {"html": "fr", "h1": "ar", "div": "ar"}
    assert 'dir="rtl"' in letter.html
    assert page.tags.count("h1") == 1
    assert [tag for tag in page.tags if tag.startswith("h") and tag[1:].isdigit()] == ["h1", "h2"]
    assert not {"img", "script", "link", "table"} & set(page.tags)
    assert {"body", "h1", "h2", "p", "ul", "a"} <= page.styled
    assert "prefers-color-scheme: dark" in letter.html


@pytest.mark.parametrize(("language", "subject"), [("fr", "ALERTE : "), ("en", "ALERT: ")])
def test_an_urgent_email_says_urgent_in_words(
    composer: Composer, content: Content, letterhead: Letterhead, language: str, subject: str
) -> None:
    words = replace(content, language=language)
    headed = replace(letterhead, urgency=Urgency.URGENT)
    letter = _text(composer.compose(ChannelName.EMAIL, words, headed))
    assert letter.subject == f"{subject}{content.title}"
    assert letter.text.startswith("URGENT\n")
    assert "URGENT" in _Outline(letter.html).words


@pytest.mark.parametrize(("language", "word"), [("fr", "EXERCICE"), ("en", "DRILL")])
def test_a_drill_by_email_starts_and_ends_with_its_word(
    composer: Composer, content: Content, letterhead: Letterhead, language: str, word: str
) -> None:
    words = replace(content, language=language)
    headed = replace(letterhead, urgency=Urgency.DRILL, expires=None, themes=(), zones=())
    letter = _text(composer.compose(ChannelName.EMAIL, words, headed))
    body = _Outline(letter.html.partition("<body")[2].partition(">")[2]).words.strip()
    for text in (letter.subject, letter.text.strip(), body):
        assert text.startswith(word)
        assert text.endswith(word)
        assert text.count(word) == 2
    assert letter.list_id == "valmont.alerte.example.org"
    assert letter.list_name == letterhead.authority


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_an_email_stands_out_from_its_ground() -> None:
    # WCAG 2.2, 1.4.3; what names no ground of its own lies on the page, light or dark.
    sheet = (PACKAGED / "email.base.html").read_text("utf-8")
    light, dark = re.findall(r"<style.*?>(.*?)</style>", sheet, re.DOTALL)
    for rules, page in ((light, "#ffffff"), (dark, "#1b2427")):
        colours = re.findall(r"([\w., ]+) \{([^{}]*[ ;]color: (#\w{6})[^{}]*)\}", f" {rules}")
        assert len(colours) >= 7
        for name, rule, colour in colours:
            ground = re.search(r"background: (#\w{6})", rule)
            shades = sorted(map(_luminance, (colour, ground[1] if ground else page)))
            assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 4.5, name


def test_a_header_of_the_list_stays_one_line(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    headed = replace(letterhead, themes=(("eau/coupures à venir", "Eau\r\nBcc: x"),))
    letter = _text(composer.compose(ChannelName.EMAIL, content, headed))
    assert letter.list_id == "eau-coupures-venir.alerte.example.org"
    assert letter.list_name == "Eau Bcc: x"


def test_an_adapted_email_replaces_the_body_in_both_forms(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, overrides={ChannelName.EMAIL: "Un **autre** texte"})
    letter = _text(composer.compose(ChannelName.EMAIL, words, letterhead))
    assert "Un autre texte" in letter.text
    assert "Un <strong>autre</strong> texte" in letter.html
    assert "bassine" not in letter.text + letter.html
