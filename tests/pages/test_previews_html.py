# SPDX-License-Identifier: EUPL-1.2
"""What an officer reads of a preview: the exact text, its figures, what is dear and what saves."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.foresight.audience_ahead import Audience, Going
from hub.flow.foresight.looking_ahead import Ahead, texts_of
from hub.flow.foresight.small_numbers import Teller
from hub.flow.site import Press, Site
from hub.pricing import Prices
from subscribers.catalogue import Catalogue as Town
from subscribers.foresight import Unreached
from templates.catalogue import Catalogue
from templates.completeness import Element
from templates.content import Content, Kind
from templates.pages.pages import _environment
from templates.render import Composer

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
SMS, X, EMAIL, PUSH = ChannelName.SMS, ChannelName.X, ChannelName.EMAIL, ChannelName.WEBPUSH
TOWN = Town(1, "valmont", "Ville de Valmont-sur-Orne", "Europe/Paris", "fr", {}, {})
PRICES = {
    SMS: Prices(0.045, 0.045, "EUR"),
    EMAIL: Prices(0.0, 0.0, "EUR"),
    X: Prices(0.0, 0.0, "USD"),
    PUSH: Prices(0.0, 0.0, "EUR"),
}
SAMPLE = (
    "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, "
    "pour réparer une fuite. Faites une réserve et fermez bien tous vos robinets"
)


@cache
def _press() -> Press:
    return Press(Composer(Catalogue()), Site("https://sms.example.org"))


def _ahead(copies: int = 742, **changes: object) -> Ahead:
    words = {"fr": Content("fr", "Coupure d’eau", SAMPLE, overrides={SMS: SAMPLE, X: SAMPLE})}
    announcement = Announcement(
        id=0,
        code="7Kq2ab",
        authority=1,
        kind=Kind.FIRST,
        urgency=Urgency.INFORMATION,
        state=State.DRAFT,
        contents=words,
        themes=(),
        channels=(SMS, X, EMAIL, PUSH),
        created=NOW,
    )
    lost = Unreached(suspended=0, unverified=12, no_contact_point=0)
    going = Going(SMS, copies, 0, 0, 0, 0, lost)
    audience = Audience(NOW, copies, (going,), {"": copies}, {(SMS, "fr"): copies})
    changed = replace(announcement, **changes)
    return Ahead(audience, texts_of(changed, TOWN, _press(), PRICES, audience))


def _shown(call: str, language: str = "fr", **names: object) -> str:
    source = '{% import "console/writing/previews.html" as it with context %}{{ it.' + call + " }}"
    page = _environment(language).from_string(source).render(language=language, **names)
    return re.sub(r"\s+", " ", page)


def test_the_sample_reads_as_the_console_says() -> None:
    page = _shown('previews(a, t, "/e", "compose", "/apercu")', a=_ahead(), t=Teller(exactly=False))
    assert "201 caractères · 3 SMS par personne · UCS-2" in re.sub(r"<[^>]*>", "", page)
    assert "1 caractère coûte cher : apostrophe typographique <kbd>’</kbd>" in page
    assert "Remplacer ’ par ' → 2 SMS par personne, −33,39 €" in page.replace("\u00a0", " ")
    assert "d<del>’</del><ins>&#39;</ins>eau" in page
    assert "1 post · 192 / 280" in page
    assert '<iframe sandbox title="Aperçu de l’e-mail" src="/e?langue=fr"' in page
    assert "Titre 13 / 50" in page
    assert len(set(re.findall(r' id="([^"]+)"', page))) == len(re.findall(r' id="', page))


def test_the_cost_is_told_before_and_after_the_correction() -> None:
    page = _shown("cost_table(a, t)", a=_ahead(), t=Teller(exactly=False)).replace("\u00a0", " ")
    assert "100,17 €" in page
    assert "66,78 €" in page
    assert "gratuit" in page  # notifications
    assert "Prix non renseigné" in page


def test_a_chosen_spelling_stays_ticked_and_is_not_offered_again() -> None:
    [family] = _ahead().leaving[0].cheaper[0].families
    again = _ahead(spelling=(family,))
    call = 'previews(a, t, "", "compose", "", chosen)'
    page = _shown(call, a=again, t=Teller(exactly=True), chosen=[family.value])
    assert 'value="apostrophes" checked' in page
    assert "<button" not in page


@pytest.mark.parametrize(("exactly", "people"), [(True, "3"), (False, "moins de 5")])
def test_small_counts_and_what_they_cost_are_hidden_together(exactly: bool, people: str) -> None:
    teller = Teller(exactly=exactly)
    assert f"{people} personnes" in _shown("audience_box(a, t)", a=_ahead(3), t=teller)
    page = _shown("cost_table(a, t)", a=_ahead(3), t=teller).replace("\u00a0", " ")
    assert ("0,41 €" in page) is exactly
    assert ("au plus 0,54 €" in page) is not exactly


def test_who_is_not_told_is_told_with_the_reason() -> None:
    page = _shown("audience_box(a, t)", a=_ahead(), t=Teller(exactly=True))
    assert "contact non vérifié · 12" in page
    english = _shown("audience_box(a, t)", "en", a=_ahead(), t=Teller(exactly=True))
    assert "contact not verified · 12" in english


def test_nobody_is_said_once() -> None:
    teller = Teller(exactly=False)
    assert "Personne n’est abonné" in _shown("audience_box(a, t)", a=_ahead(0), t=teller)
    page = _shown("audience_box(a, t, {}, false)", a=_ahead(0), t=teller)
    assert "Personne n’est abonné" not in page
    assert "0 personne" in page


def test_what_cannot_leave_says_by_how_much_and_is_shown() -> None:
    words = {"fr": Content("fr", "Titre", "Une phrase de dix mots ici. " * 60)}
    page = _shown("previews(a, t)", a=_ahead(contents=words), t=Teller(exactly=True))
    assert "SMS ; le maximum est 6. Retirez" in page.replace("\u00a0", " ")
    assert "/ 280" in page


def test_the_six_checks_give_an_example_for_what_is_missing() -> None:
    found = {element: element is not Element.TIME for element in Element}
    page = _shown("completeness(f)", f=found)
    assert "Ajoutez l’heure de début, par exemple : dès 14 h." in page.replace("\u00a0", " ")
    assert page.count("(manque)") == 1
