# SPDX-License-Identifier: EUPL-1.2
"""What the steps of a subscription share: addresses, what the town offers, few forms a minute."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.enrolling import Enrolling
from hub.web.bodies import read_form
from hub.web.desk import desk
from hub.web.portal.answering import Offer
from hub.web.showing import show
from hub.web.strangers import origin_of
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.wording import Sentence

START: Final = "/abonnement"
THEMES: Final = "/abonnement/themes"
WAYS: Final = "/abonnement/coordonnees"
PROOFS: Final = "/abonnement/verification"
DONE: Final = "/abonnement/fini"
FIELDS: Final = {ChannelName.SMS: "mobile", ChannelName.EMAIL: "email"}
"""The field of a form each address is typed in."""


async def town(request: web.Request) -> Catalogue:
    """The themes and the places of this town."""
    hub = desk(request)
    return await hub.ledger.read(lambda conn: load_catalogue(conn, hub.authority))


def offer_of(request: web.Request) -> Offer:
    """What this town offers."""
    settings = desk(request).settings
    roads = [name for name in ChannelName if getattr(settings.channels, name) is not None]
    return Offer(roads, settings.people.phone_regions, bool(settings.portal.x_account))


def enrolling(request: web.Request) -> Enrolling:
    """What takes the answers."""
    hub = desk(request)
    return Enrolling(hub.asking, hub.engine.wishes, hub.authority)


def lost(request: web.Request) -> web.Response:
    """The answers are not there (any more): half an hour has passed, or cookies are refused."""
    return show(request, "portal/subscribe_lost.html", status=410, private=True)


def spoken(faults: Mapping[str, Sentence], language: str) -> dict[str, str]:
    """Faults by field, as the reader speaks."""
    return {name: sentence.spoken(language) for name, sentence in faults.items()}


async def admitted(request: web.Request) -> dict[str, str]:
    """The form of a request; few of them a minute from one block of addresses. Raises
    `ProblemError` 429."""
    hub = desk(request)
    limit = hub.settings.limits.public_per_minute
    await hub.limiter.admit("subscribe", origin_of(request), limit)
    return await read_form(request)
