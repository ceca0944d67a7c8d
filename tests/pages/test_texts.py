# SPDX-License-Identifier: EUPL-1.2
"""The long texts are whole in both languages; a town's own come first and execute nothing."""

import re
from pathlib import Path

import pytest

from templates.pages.texts import HOUSE, NAMES, linked, span, text
from templates.pages.wording import LANGUAGES

BLANKS = (
    *("authority", "contact", "dpo", "public_url", "unverified", "consents"),
    *("deliveries", "attempts", "audit", "backups"),
)
VALUES = dict.fromkeys(BLANKS, "x")
ALL = ("not", "partly", "fully", "sms", "email", "webpush", "x", "x_messages", "two_way")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("true", [(), ALL])
def test_every_text_is_whole_in_every_language(
    name: str, language: str, true: tuple[str, ...]
) -> None:
    found = text(name, language, VALUES, true)
    assert found.title
    assert "<h2>" in found.body
    assert "<h1>" not in found.body
    assert "{" not in found.body
    assert "EUPL-1.2 --" not in found.body


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same_things(name: str) -> None:
    def shape(language: str) -> list[str]:
        found = text(name, language, VALUES, ALL)
        return re.findall(r"<(h2|h3|li|tr|p)>", found.body)

    assert shape("fr") == shape("en")


@pytest.mark.parametrize("name", NAMES)
def test_french_puts_no_plain_space_before_high_punctuation(name: str) -> None:
    written = (HOUSE / "fr" / f"{name}.md").read_text("utf-8").partition("-->")[2]
    assert re.findall(r".{9} [:;?!»]|« .{9}", written) == []


def test_what_is_not_so_is_not_said() -> None:
    assert "Twilio" in text("privacy", "fr", VALUES, ["sms"]).body
    assert "Twilio" not in text("privacy", "fr", VALUES, ["email"]).body
    assert "non conforme" in text("accessibility", "fr", VALUES, ["not"]).body
    assert "non conforme" not in text("accessibility", "fr", VALUES, ["fully"]).body


def test_a_table_s_heads_say_what_they_head() -> None:
    assert '<th scope="col">' in text("privacy", "fr", VALUES).body


def test_the_town_s_own_text_comes_first_and_the_house_s_where_it_has_none(tmp_path: Path) -> None:
    own = tmp_path / "fr" / "legal.md"
    own.parent.mkdir()
    own.write_text("# Notre page\n\nPar {authority}, {nobody}.", "utf-8")
    found = text("legal", "fr", {"authority": "Valmont"}, overlay=tmp_path)
    assert (found.title, found.body) == ("Notre page", "<p>Par Valmont, {nobody}.</p>")
    assert text("legal", "en", VALUES, overlay=tmp_path) == text("legal", "en", VALUES)
    own.write_bytes(b"\xff\xfe")
    assert text("legal", "fr", VALUES, overlay=tmp_path) == text("legal", "fr", VALUES)


def test_a_town_s_text_executes_nothing(tmp_path: Path) -> None:
    own = tmp_path / "fr" / "help.md"
    own.parent.mkdir()
    nasty = "# Aide\n\n<script>alert(1)</script> [x](javascript:alert(1)) {contact}"
    own.write_text(nasty, "utf-8")
    body = text("help", "fr", {"contact": "<img src=x onerror=alert(1)>"}, overlay=tmp_path).body
    assert "<script" not in body
    assert "<img" not in body
    assert "href" not in body


@pytest.mark.parametrize(
    ("days", "fr", "en"),
    [
        (1, "1 jour", "1 day"),
        (7, "7 jours", "7 days"),
        (30, "30 jours", "30 days"),
        (180, "6 mois", "6 months"),
        (396, "13 mois", "13 months"),
        (365, "1 an", "1 year"),
        (1096, "3 ans", "3 years"),
        (36500, "100 ans", "100 years"),
        (900, "900 jours", "900 days"),
    ],
)
def test_a_number_of_days_is_said_as_people_say_it(days: int, fr: str, en: str) -> None:
    assert [span(days, name).replace("\u00a0", " ") for name in ("fr", "en")] == [fr, en]


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("mairie@example.org", "[mairie@example.org](mailto:mairie@example.org)"),
        ("06 39 98 00 01", "[06 39 98 00 01](tel:0639980001)"),
        ("+33 6 39 98 00 01", "[+33 6 39 98 00 01](tel:+33639980001)"),
        ("1 place de la Mairie", "1 place de la Mairie"),
        ("", ""),
    ],
)
def test_a_contact_opens_what_it_is(contact: str, shown: str) -> None:
    assert linked(contact) == shown
