# SPDX-License-Identifier: EUPL-1.2
"""A town's letterhead and words, for every test of this room."""

from datetime import UTC, datetime

import pytest

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, Urgency
from templates.catalogue import Catalogue
from templates.content import Content, Kind, Letterhead
from templates.render import Composer


@pytest.fixture(scope="session")
def letterhead() -> Letterhead:
    return Letterhead(
        authority_key="valmont",
        authority="Ville de Valmont-sur-Orne",
        sender="Ville de Valmont-sur-Orne",
        urgency=Urgency.INFORMATION,
        kind=Kind.FIRST,
        themes=(("eau", "Eau et coupures"),),
        zones=(("tanneries", "Tanneries"),),
        page_url="https://alerte.example.org/a/7Kq2",
        stop_url=f"https://alerte.example.org/stop/{STOP_TOKEN_MARK}",
        short_stop_url=f"https://alerte.example.org/s/{SHORT_STOP_MARK}",
        home_url="https://alerte.example.org/",
        list_domain="alerte.example.org",
        published=datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
        expires=datetime(2026, 11, 26, 13, 0, tzinfo=UTC),
        timezone="Europe/Paris",
        key="annonce-1.1",
        chain="annonce-1",
    )


@pytest.fixture(scope="session")
def content() -> Content:
    return Content(
        language="fr",
        title="Coupure d'eau jeudi, Tanneries",
        body="L'eau sera **coupée jeudi 26/11** de 8 h à 12 h.\n\n"
        "- Remplissez [une bassine](https://example.org/bassine).\n"
        "- Fermez les robinets.",
        link="https://example.org/travaux",
    )


@pytest.fixture(scope="session")
def composer() -> Composer:
    return Composer(Catalogue())
