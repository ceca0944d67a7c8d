# SPDX-License-Identifier: EUPL-1.2
"""What this town's pages have of its own, colour and logo, and the urgent alerts they all show."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from sqlalchemy.exc import DatabaseError

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
    """Its stylesheet ("" where its colour is the house's) and logo, read once at the start; the
    alerts, read again every few seconds at most."""

    stylesheet: str
    logo: bytes
    logo_kind: str
    alerts: tuple[Thread, ...] = ()
    read_at: float = field(default=float("-inf"))

    @property
    def stylesheet_address(self) -> str:
        """Changes with the colour; "" where it is the house's."""
        return f"/ville.css?v={_digest(self.stylesheet.encode())}" if self.stylesheet else ""

    @property
    def logo_address(self) -> str:
        """Changes with the file; "" where there is none."""
        return f"/logo?v={_digest(self.logo)}" if self.logo else ""


TOWN: Final[web.AppKey[Town]] = web.AppKey("town", Town)


def town_of(portal: Portal) -> Town:
    """The town's look by its settings. A logo that cannot be used is left out and logged: it never
    keeps an alert from leaving."""
    own = portal.accent.lower() != colours.DEFAULT_ACCENT
    sheet = colours.stylesheet(portal.accent.lower()) if own else ""
    if portal.logo is None:
        return Town(sheet, b"", "")
    try:
        return Town(sheet, *read_logo(portal.logo))
    except (OSError, ValueError) as refused:
        log.warning("portal.logo", why=type(refused).__name__)
        return Town(sheet, b"", "")


def read_logo(path: Path) -> tuple[bytes, str]:
    """The file and its media type. Raises `OSError`, or `ValueError` where it is neither SVG nor
    PNG, or over 100 kB, which a telephone in the country would wait for."""
    content = path.read_bytes()
    if len(content) > _LOGO_BYTES:
        raise ValueError(f"has {len(content)} bytes; a logo has at most {_LOGO_BYTES}")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content, "image/png"
    if b"<svg" in content[:2_000]:
        return content, "image/svg+xml"
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
        except DatabaseError as failed:  # the page may still be of use without its bar
            log.warning("portal.alerts", why=type(failed).__name__)
    return await handler(request)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
