# SPDX-License-Identifier: EUPL-1.2
"""The long texts (help, accessibility, privacy, legal notice, site map), and those for machines."""

import asyncio
from datetime import timedelta
from typing import Final

from aiohttp import web

from channels.base import ChannelName
from hub.flow.office.town import texts
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.problems import not_found
from hub.web.showing import show as show_page
from hub.web.town import TOWN
from templates.pages.texts import linked, span, text

PATHS: Final = {
    "/aide": "help",
    "/accessibilite": "accessibility",
    "/confidentialite": "privacy",
    "/mentions-legales": "legal",
    "/plan": "plan",
}
_NOBODY: Final = {"fr": "l’accueil de la mairie", "en": "the town hall’s reception"}
_NO_OFFICER: Final = {"fr": "à demander à la mairie", "en": "ask at the town hall"}
_HIDDEN: Final = (
    *("/mes-alertes", "/stop/", "/s/", "/c/", "/l/", "/appareil", "/affichage", "/composants"),
    *("/guichet", "/sandbox", "/api/", "/hooks/", "/callbacks/"),
)


def routes() -> list[web.RouteDef]:
    """One page a text; what search engines and finders of flaws look for."""
    return [
        *(web.get(path, show) for path in PATHS),
        web.get("/robots.txt", robots),
        web.get("/.well-known/security.txt", security),
    ]


async def show(request: web.Request) -> web.Response:
    """A text in the reader's language: the town's own words where it wrote some."""
    hub, language = desk(request), language_of(request)
    own = await hub.ledger.read(lambda conn: texts(conn, hub.authority))
    name, contact = PATHS[request.path], request.config_dict[TOWN].contact
    found = await asyncio.to_thread(
        text,
        *(name, language, values(hub, language, contact), true(hub)),
        hub.settings.portal.texts,
        own=own.get((name, language), ""),
    )
    return show_page(request, "portal/text.html", text=found)


async def robots(request: web.Request) -> web.Response:
    """What search engines pass over (RFC 9309): whatever is somebody's own."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _HIDDEN)]
    return web.Response(text="\n".join(lines) + "\n")


async def security(request: web.Request) -> web.Response:
    """Whom to tell of a flaw (RFC 9116), where the town says how it is reached."""
    hub = desk(request)
    contact = linked(request.config_dict[TOWN].contact).partition("](")[2].rstrip(")")
    if not contact:
        raise not_found()
    ends = (hub.clock.now() + timedelta(days=90)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {contact}",
        f"Expires: {ends:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: fr, en",
        f"Canonical: {hub.site.public_url}/.well-known/security.txt",
    ]
    return web.Response(text="\n".join(lines) + "\n")


def values(hub: Desk, language: str, contact: str) -> dict[str, str]:
    """What fills the blanks of a text."""
    portal, kept = hub.settings.portal, hub.settings.retention
    days = {
        "unverified": kept.unverified,
        "consents": kept.consents,
        "deliveries": kept.deliveries,
        "attempts": kept.attempts,
        "audit": kept.audit,
        "backups": kept.backups,
    }
    return {
        "authority": hub.authority_name,
        "contact": linked(contact) or _NOBODY[language],
        "dpo": linked(portal.dpo) or _NO_OFFICER[language],
        "public_url": hub.site.public_url,
        **{name: span(count, language) for name, count in days.items()},
    }


def true(hub: Desk) -> set[str]:
    """What the texts may say of this town."""
    channels = hub.settings.channels
    configured = {name.value for name in ChannelName if getattr(channels, name) is not None}
    two_way = {"two_way"} if channels.sms is not None and not channels.sms.one_way else set()
    direct = {"x_messages"} if channels.x is not None and channels.x.direct_messages else set()
    return {hub.settings.portal.accessibility, *configured, *two_way, *direct}
