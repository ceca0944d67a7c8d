# SPDX-License-Identifier: EUPL-1.2
"""What citizens read on each page, and what a page never does."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from channels.base import ChannelName, Urgency
from templates.content import Kind
from templates.pages.pages import (
    ERROR_STATUSES,
    STATIC_FOLDER,
    Phone,
    PhoneMessage,
    StopChoice,
    page,
)
from templates.pages.wording import LANGUAGES, ShownState

VOID = {"meta", "link", "br", "input", "img", "path"}
TOWN = "Ville de Valmont-sur-Orne"


class Outline(HTMLParser):
    """The few facts of a page's structure, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def main_of(html: str) -> str:
    """The page without what stands around it."""
    return html[html.index("<main") : html.index("</main>") + len("</main>")]


def text_of(html: str) -> str:
    """The words a reader meets, with single spaces (no-break ones made plain)."""
    body = re.sub(r"</(?:dt|dd|div|p|li|h\d|td|th)>", r"\g<0> ", html[html.index("<body") :])
    return re.sub(r"\s+", " ", Markup(body).striptags()).replace("\u00a0", " ")


@pytest.fixture(params=["announcement", "stop", "message", "sandbox"])
def any_page(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    contexts = {"announcement": "announcement", "stop": "stop_question", "sandbox": "sandbox"}
    if request.param == "message":
        return "message.html", {"authority": TOWN, "status": 404, "reference": "7Kq2"}
    return f"{request.param}.html", request.getfixturevalue(contexts[request.param])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_keeps_the_shared_skeleton(
    any_page: tuple[str, dict[str, Any]], language: str
) -> None:
    name, context = any_page
    html = page(name, language, **context)
    outline = Outline(html)
    assert html.startswith("<!doctype html>")
    assert outline.all("html") == [{"lang": language}]
    assert outline.headings.count(1) == 1
    assert outline.headings[0] == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(outline.all("main")) == len(outline.all("header")) == len(outline.all("footer")) == 1
    assert outline.all("nav")[0]["aria-label"]
    assert outline.all("a")[0] == {"class": "skip", "href": "#contenu"}
    assert outline.all("main")[0]["id"] == "contenu"
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert f"– {TOWN}" in html[html.index("<title>") : html.index("</title>")]


def test_no_page_needs_a_script_or_an_inline_style(any_page: tuple[str, dict[str, Any]]) -> None:
    name, context = any_page
    outline = Outline(page(name, "fr", **context))
    assert not outline.all("script")
    assert not outline.all("style")
    for _, attributes in outline.tags:
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]


def test_the_stylesheet_is_ours_and_its_address_follows_its_content(
    announcement: dict[str, Any],
) -> None:
    outline = Outline(page("announcement.html", "fr", **announcement))
    links = {link["rel"]: link["href"] for link in outline.all("link")}
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", links["stylesheet"] or "")
    assert (STATIC_FOLDER / "icon.svg").is_file()
    assert (links["icon"] or "").startswith("/static/icon.svg?v=")


def test_the_stylesheet_stays_small_and_calls_nobody() -> None:
    css = (STATIC_FOLDER / "app.css").read_text(encoding="utf-8")
    assert len(css.encode()) < 30_000
    assert "url(" not in css
    assert "@import" not in css


def test_a_missing_name_is_an_error_never_a_blank(announcement: dict[str, Any]) -> None:
    del announcement["is_expired"]
    with pytest.raises(UndefinedError, match="is_expired"):
        page("announcement.html", "fr", **announcement)


def test_moments_are_shown_in_the_town_s_zone(announcement: dict[str, Any]) -> None:
    paris = text_of(page("announcement.html", "fr", **announcement))
    assert "Publié le mercredi 25 novembre 2026 à 14 h 05" in paris
    reunion = page("announcement.html", "en", timezone="Indian/Reunion", **announcement)
    assert "Published on Wednesday 25 November 2026 at 5:05 pm" in text_of(reunion)
    assert 'datetime="2026-11-25T17:05+04:00"' in reunion


def test_the_first_of_a_month_reads_as_french_says_it(announcement: dict[str, Any]) -> None:
    announcement["published"] = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    assert "mardi 1er décembre 2026 à 8 h 00" in text_of(
        page("announcement.html", "fr", **announcement)
    )


def test_a_moment_without_a_zone_or_an_unknown_zone_is_refused(
    announcement: dict[str, Any],
) -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        page("announcement.html", "fr", timezone="Valmont/Orne", **announcement)
    announcement["published"] = announcement["published"].replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        page("announcement.html", "fr", **announcement)


# ---------------------------------------------------------------------------- an announcement


def test_an_announcement_says_what_where_and_until_when(announcement: dict[str, Any]) -> None:
    words = text_of(page("announcement.html", "fr", **announcement))
    for expected in (
        "Information",
        "L’eau sera coupée jeudi.",
        "Thème Eau et coupures",
        "Lieu Tanneries",
        "Valable jusqu’au jeudi 26 novembre 2026 à 12 h 00",
        "En savoir plus : https://example.org/travaux",
        "Recevoir les alertes",
    ):
        assert expected in words
    assert "Mis à jour" not in words
    assert "Plus valable" not in words


@pytest.mark.parametrize(
    ("urgency", "word"),
    [(Urgency.IMPORTANT, "Important"), (Urgency.URGENT, "URGENT"), (Urgency.DRILL, "EXERCICE")],
)
def test_a_level_is_a_word_not_only_a_colour(
    announcement: dict[str, Any], urgency: Urgency, word: str
) -> None:
    announcement["urgency"] = urgency
    assert word in text_of(page("announcement.html", "fr", **announcement))


def test_an_expired_announcement_is_marked(announcement: dict[str, Any]) -> None:
    announcement["is_expired"] = True
    words = text_of(page("announcement.html", "fr", **announcement))
    assert "Plus valable" in words
    assert "s’est terminée le jeudi 26 novembre 2026" in words
    assert "Valable jusqu’au" not in words
    announcement["expires"] = None
    assert "Plus valable" in text_of(page("announcement.html", "fr", **announcement))


def test_a_cancelled_announcement_says_so_before_anything_else(
    announcement: dict[str, Any],
) -> None:
    announcement |= {"is_cancelled": True, "is_expired": True}
    words = text_of(page("announcement.html", "fr", **announcement))
    assert words.index("Annulée") < words.index("L’eau sera coupée")
    assert "Plus valable" not in words


def test_without_a_zone_or_a_theme_the_whole_town_is_meant(announcement: dict[str, Any]) -> None:
    announcement |= {"zones": [], "themes": [], "expires": None, "link": None}
    words = text_of(page("announcement.html", "fr", **announcement))
    assert "Toute la ville" in words
    assert "Thème" not in words
    assert "En savoir plus" not in words


def test_the_chain_is_listed_with_its_kinds(announcement: dict[str, Any]) -> None:
    announcement |= {
        "kind": Kind.ALL_CLEAR,
        "updated": datetime(2026, 11, 26, 9, 0, tzinfo=UTC),
        "related": [
            {
                "kind": Kind.FIRST,
                "title": "Fuite d’eau",
                "url": "/a/5Hh3",
                "published": datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
            }
        ],
    }
    html = page("announcement.html", "fr", **announcement)
    words = text_of(html)
    assert "Information · Fin d’alerte" in words
    assert "Première annonce · 24/11/2026 10:00" in words
    assert "Mis à jour le jeudi 26 novembre 2026 à 10 h 00" in words
    assert {"href": "/a/5Hh3", "lang": "fr"} in Outline(html).all("a")


def test_words_in_another_language_are_marked_as_such(announcement: dict[str, Any]) -> None:
    html = page("announcement.html", "en", content_language="fr", **announcement)
    assert Outline(html).all("h1") == [{"lang": "fr"}]
    assert Outline(page("announcement.html", "fr", **announcement)).all("h1") == [{"lang": "fr"}]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//example.org"])
def test_only_a_web_address_becomes_a_link(announcement: dict[str, Any], link: str) -> None:
    announcement["link"] = link
    assert link not in page("announcement.html", "fr", **announcement)


@given(st.text(alphabet=st.characters(categories=("L", "P", "S"))))
def test_words_from_outside_never_become_tags(words: str) -> None:
    nasty = f"<script>{words}</script>"
    phone = Phone(
        nasty,
        nasty,
        [
            PhoneMessage(
                ChannelName.SMS,
                datetime(2026, 11, 26, tzinfo=UTC),
                nasty,
                nasty,
                ShownState.SENDING,
                subject=nasty,
            )
        ],
    )
    now = datetime(2026, 11, 26, tzinfo=UTC)
    html = page("sandbox.html", "fr", authority=nasty, phones=[phone], announcements=[], now=now)
    assert "<script" not in html


def test_a_body_that_was_not_cleaned_is_shown_as_text(announcement: dict[str, Any]) -> None:
    announcement["body_html"] = "<script>alert(1)</script>"
    assert "<script" not in page("announcement.html", "fr", **announcement)


# ---------------------------------------------------------------------------- stop


def test_the_stop_page_asks_with_three_choices_and_one_button(
    stop_question: dict[str, Any],
) -> None:
    html = page("stop.html", "fr", **stop_question)
    outline = Outline(main_of(html))
    assert outline.all("form") == [{"method": "post", "action": "/stop/token"}]
    radios = [field for field in outline.all("input") if field["type"] == "radio"]
    assert [radio["value"] for radio in radios] == [choice.value for choice in StopChoice]
    assert {radio["name"] for radio in radios} == {"choice"}
    assert [label["for"] for label in outline.all("label")] == [radio["id"] for radio in radios]
    assert len(outline.all("button")) == len(outline.all("fieldset")) == 1
    words = text_of(html)
    assert "Seulement « Eau et coupures, Travaux » par SMS" in words
    assert "06 •• •• •• 42" in words


def test_two_clicks_stop_because_one_choice_is_ready(stop_question: dict[str, Any]) -> None:
    def ready() -> list[str | None]:
        fields = Outline(page("stop.html", "fr", **stop_question)).all("input")
        return [field["value"] for field in fields if "checked" in field]

    assert ready() == ["theme"]
    stop_question["themes"] = []
    assert ready() == ["channel"]


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (StopChoice.THEME, "Vous ne recevrez plus « Eau et coupures, Travaux » par e-mail."),
        (StopChoice.CHANNEL, "Vous ne recevrez plus aucun message par e-mail."),
        (StopChoice.ALL, "Vous ne recevrez plus aucun message de Ville de Valmont-sur-Orne."),
    ],
)
def test_the_result_says_exactly_what_stopped_and_the_way_back(
    stop_question: dict[str, Any], choice: StopChoice, sentence: str
) -> None:
    stop_question |= {"state": "done", "choice": choice, "channel": ChannelName.EMAIL}
    html = page("stop.html", "fr", home_url="https://alerte.example.org/", **stop_question)
    words = text_of(html)
    assert sentence in words
    assert ("Thèmes arrêtés : Eau et coupures, Travaux." in words) == (choice != "theme")
    assert ("Coordonnée concernée : 06 •• •• •• 42." in words) == (choice != "all")
    assert "Vous pouvez vous abonner à nouveau" in words
    assert {"class": "button secondary", "href": "https://alerte.example.org/"} in Outline(
        html
    ).all("a")
    assert not Outline(main_of(html)).all("form")


def test_a_link_to_nothing_tells_no_more_than_that() -> None:
    words = text_of(page("stop.html", "en", authority=TOWN, state="gone"))
    assert "There is nothing to stop" in words
    assert "does not match any subscription" in words


# ---------------------------------------------------------------------------- errors


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", sorted(ERROR_STATUSES))
def test_an_error_says_what_happened_what_to_do_and_its_reference(
    status: int, language: str
) -> None:
    html = page("message.html", language, authority=TOWN, status=status, reference="7Kq2-91bd")
    words = text_of(html)
    assert "error." not in html
    assert "7Kq2-91bd" in words
    assert html.count('class="button"') == 1
    assert f"<title>{ {'fr': 'Erreur', 'en': 'Error'}[language] }" in html


def test_an_unlisted_status_borrows_the_words_of_its_class() -> None:
    def title(status: int) -> str:
        html = page("message.html", "fr", authority=TOWN, status=status, reference=None)
        assert "Référence" not in html
        return html[html.index("<h1>") : html.index("</h1>")]

    assert title(418) == title(400) != title(500)
    assert title(507) == title(500)


# ---------------------------------------------------------------------------- the phones


def test_progress_is_said_in_words_beside_its_bar(sandbox: dict[str, Any]) -> None:
    html = page("sandbox.html", "fr", **sandbox)
    words = text_of(html)
    assert "SMS : 501 remis sur 742, 398 reçus, 241 en attente, 6 échecs" in words
    assert "X : personne à joindre sur ce canal pour l’instant" in words
    assert "Important · Envoi en cours" in words
    bars = Outline(html).all("progress")
    assert [(bar["max"], bar["value"]) for bar in bars] == [("742", "501")]


def test_an_announcement_is_finished_when_nothing_waits(sandbox: dict[str, Any]) -> None:
    (progress,) = sandbox["announcements"]
    assert not progress.finished
    sandbox["announcements"] = [type(progress)("Eau", "/a/7Kq2", Urgency.URGENT, progress.runs[1:])]
    assert "URGENT · Terminé" in text_of(page("sandbox.html", "fr", **sandbox))


def test_a_phone_shows_the_newest_message_first(sandbox: dict[str, Any]) -> None:
    html = page("sandbox.html", "fr", **sandbox)
    phone = text_of(html[: html.index("<table")])
    assert phone.index("Marché déplacé samedi") < phone.index("Coupure d'eau jeudi")
    assert "11 h 30" in phone
    assert "25/11/2026 14:05" in phone
    assert "Dans le résumé de 18 h 00" in phone


def test_an_empty_phone_says_what_will_come_and_why_it_is_empty(sandbox: dict[str, Any]) -> None:
    words = text_of(page("sandbox.html", "fr", **sandbox))
    assert "rien n’a encore été envoyé à cette personne" in words
    assert "la ville n’a encore rien publié sur X" in words


def test_the_list_holds_every_message_of_every_phone(sandbox: dict[str, Any]) -> None:
    html = page("sandbox.html", "fr", **sandbox)
    rows = html[html.index("<tbody>") : html.index("</tbody>")].split("<tr>")[1:]
    assert len(rows) == 2
    assert "26/11/2026 11:30" in rows[0]
    outline = Outline(html)
    assert len(outline.all("caption")) == 1
    assert {head["scope"] for head in outline.all("th")} == {"col", "row"}
    assert all(cell["data-label"] for cell in outline.all("td"))


def test_an_empty_town_says_so_everywhere(sandbox: dict[str, Any]) -> None:
    sandbox |= {"announcements": [], "phones": [Phone("Zoé", "Gare.", [])]}
    html = page("sandbox.html", "fr", **sandbox)
    assert "<table" not in html
    assert "Aucune annonce n’a encore été publiée." in text_of(html)
    assert "La liste est vide" in text_of(html)


def test_the_sandbox_is_named_in_text_and_in_the_title(sandbox: dict[str, Any]) -> None:
    html = page("sandbox.html", "fr", **sandbox)
    assert "Bac à sable : aucun message réel ne part." in text_of(html)
    assert "– Bac à sable</title>" in html
    sandbox["sandbox"] = False
    assert "Bac à sable" not in page("sandbox.html", "fr", **sandbox)
