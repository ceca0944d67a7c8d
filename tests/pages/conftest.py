# SPDX-License-Identifier: EUPL-1.2
"""What the made-up town's pages show, one context a page."""

from datetime import UTC, datetime
from typing import Any

import pytest
from markupsafe import Markup

from channels.base import ChannelName, Urgency
from templates.content import Kind
from templates.pages.pages import AnnouncementProgress, Phone, PhoneMessage, RunProgress
from templates.pages.wording import ShownState

TOWN = "Ville de Valmont-sur-Orne"
NOON = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)  # 12:00 in the town


@pytest.fixture
def announcement() -> dict[str, Any]:
    return {
        "authority": TOWN,
        "home_url": "https://alerte.example.org/",
        "urgency": Urgency.INFORMATION,
        "kind": Kind.FIRST,
        "title": "Coupure d’eau jeudi",
        "body_html": Markup("<p>L’eau sera coupée <strong>jeudi</strong>.</p>"),
        "themes": ["Eau et coupures"],
        "zones": ["Tanneries"],
        "published": datetime(2026, 11, 25, 13, 5, tzinfo=UTC),
        "updated": None,
        "expires": NOON,
        "is_expired": False,
        "is_cancelled": False,
        "link": "https://example.org/travaux",
        "related": [],
    }


@pytest.fixture
def stop_question() -> dict[str, Any]:
    return {
        "authority": TOWN,
        "state": "ask",
        "themes": ["Eau et coupures", "Travaux"],
        "channel": ChannelName.SMS,
        "masked_contact": "06 •• •• •• 42",
        "token_url": "/stop/token",
    }


@pytest.fixture
def phones() -> list[Phone]:
    sms = PhoneMessage(
        ChannelName.SMS,
        datetime(2026, 11, 25, 13, 5, tzinfo=UTC),
        "VALMONT",
        "Coupure d'eau jeudi",
        ShownState.DELIVERED,
    )
    email = PhoneMessage(
        ChannelName.EMAIL,
        datetime(2026, 11, 26, 10, 30, tzinfo=UTC),
        TOWN,
        "Le marché est déplacé.",
        ShownState.DIGEST,
        subject="Marché déplacé samedi",
        until=datetime(2026, 11, 26, 17, 0, tzinfo=UTC),
    )
    return [
        Phone("Amina, 34 ans", "Tanneries. SMS et e-mail.", [sms, email]),
        Phone("M. Petit, 81 ans", "Centre. SMS.", []),
        Phone("X de la ville", "Lu par tout le monde.", [], public=True),
    ]


@pytest.fixture
def sandbox(phones: list[Phone]) -> dict[str, Any]:
    sms = RunProgress(
        ChannelName.SMS, total=742, handed_over=501, received=398, waiting=241, failed=6
    )
    nobody = RunProgress(ChannelName.X, total=0, handed_over=0, received=0, waiting=0, failed=0)
    progress = AnnouncementProgress(
        "Coupure d’eau jeudi", "/a/7Kq2", Urgency.IMPORTANT, [sms, nobody]
    )
    return {
        "authority": TOWN,
        "phones": phones,
        "announcements": [progress],
        "now": NOON,
        "sandbox": True,
    }
