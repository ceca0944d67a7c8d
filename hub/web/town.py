# SPDX-License-Identifier: EUPL-1.2
"""What this town's pages have of its own, colour and logo, and the urgent alerts they all show."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from sqlalchemy.exc import DatabaseError

from hub.flow.office.town import Look
from hub.flow.office.town import look as chosen_look
from hub.reports.published import Thread, published
from hub.settings.sections import Portal
from hub.web.desk import desk
from hub.web.machines import is_machine
from templates.pages import colours

log = structlog.get_logger(__name__)

LOOK: Final = "look"
"""The cookie of a reader who chose light or dark."""
_LOGO_BYTES: Final = 100_000
_FRESH: Final = 5.0  # seconds every page shows the same alerts


@dataclass(slots=True)
class Town:
    """Its stylesheet ("" where its colour is the house's), logo and contact; these and the alerts
    are read again every few seconds at most."""

    stylesheet: str
    logo: bytes
    logo_kind: str
    accent: str = colours.DEFAULT_ACCENT
    contact: str = ""
    alerts: tuple[Thread, ...] = ()
    read_at: float = field(default=float("-inf"))
    look: Look = field(default_factory=Look)

    @property
    def stylesheet_address(self) -> str:
        """Changes with the colour; "" where it is the house's."""
        return f"/ville.css?v={_digest(self.stylesheet.encode())}" if self.stylesheet else ""

    @property
    def logo_address(self) -> str:
        """Changes with the file; "" where there is none."""
        return f"/logo?v={_digest(self.logo)}" if self.logo else ""


TOWN: Final[web.AppKey[Town]] = web.AppKey("town", Town)


def dressed(town: Town, portal: Portal, look: Look) -> None:
    """Have the town look as its officers chose, where they did; else as its settings say."""
    plain = town_of(portal) if look.logo is None else Town("", look.logo, look.logo_type or "")
    town.logo, town.logo_kind = plain.logo, plain.logo_kind
    town.accent = (look.accent or portal.accent).lower()
    own = town.accent != colours.DEFAULT_ACCENT
    town.stylesheet = colours.stylesheet(town.accent) if own else ""
    town.contact = portal.contact if look.contact is None else look.contact


def town_of(portal: Portal) -> Town:
    """The town's look by its settings. A logo that cannot be used is left out and logged: it never
    keeps an alert from leaving."""
    own = portal.accent.lower() != colours.DEFAULT_ACCENT
    sheet = colours.stylesheet(portal.accent.lower()) if own else ""
    rest = portal.accent.lower(), portal.contact
    if portal.logo is None:
        return Town(sheet, b"", "", *rest)
    try:
        return Town(sheet, *read_logo(portal.logo), *rest)
    except (OSError, ValueError) as refused:
        log.warning("portal.logo", why=type(refused).__name__)
        return Town(sheet, b"", "", *rest)


def read_logo(path: Path) -> tuple[bytes, str]:
    """The file and its media type. Raises `OSError`, or `ValueError` where it is neither SVG nor
    PNG, or over 100 kB, which a telephone in the country would wait for."""
    content = path.read_bytes()
    return content, logo_kind(content)


def logo_kind(content: bytes) -> str:
    """The media type of a logo. Raises `ValueError` as above."""
    if len(content) > _LOGO_BYTES:
        raise ValueError(f"has {len(content)} bytes; a logo has at most {_LOGO_BYTES}")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if b"<svg" in content[:2_000]:
        return "image/svg+xml"
    raise ValueError("is neither an SVG nor a PNG file")


@web.middleware
async def look_out(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Before a page is made: which urgent alerts it must name."""
    hub, town = desk(request), request.config_dict[TOWN]
    if is_machine(request.path):
        return await handler(request)
    if (now := hub.clock.monotonic()) - town.read_at > _FRESH:
        town.read_at = now  # before the read: the crowd behind does not ask again
        try:
            found = await published(hub.ledger, hub.authority)
            town.alerts = found.alerts(hub.clock.now())
            look = await hub.ledger.read(lambda conn: chosen_look(conn, hub.authority))
            if look != town.look:
                await asyncio.to_thread(dressed, town, hub.settings.portal, look)
                town.look = look
        except DatabaseError as failed:  # the page may still be of use without its bar
            log.warning("portal.alerts", why=type(failed).__name__)
    return await handler(request)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
