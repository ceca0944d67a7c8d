# SPDX-License-Identifier: EUPL-1.2
"""What makes the portal an app on a phone: its manifest, its icons, its worker, its offline page.

W3C Web Application Manifest; Service Workers. The worker's file must be asked for again each time,
or a fault in it could never be repaired.
"""

import asyncio
import json
import re
from typing import Any, Final

from aiohttp import web

from hub.reports.published import Thread, published
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from hub.web.showing import show
from hub.web.town import TOWN
from subscribers.wording import Sentence
from templates.pages.app_icon import icon
from templates.pages.pages import STATIC_FOLDER, asset

_LATEST: Final = 10
_SHELL: Final = ("app.css", "app.js", "icon.svg")
_ICONS: Final = {
    "appli-180.png": (180, False),  # what iOS puts on the home screen
    "appli-192.png": (192, False),
    "appli-512.png": (512, False),
    "appli-masque-512.png": (512, True),
}
_DAY: Final = {"Cache-Control": "public, max-age=86400"}
_ASKED_AGAIN: Final = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
_TOWN_WORD: Final = re.compile(
    r"^(ville|commune|mairie|town|city)\s+(de\s+|du\s+|of\s+|d['’])", re.IGNORECASE
)

_ABOUT: Final = Sentence(
    "Les alertes et les annonces de {town}.", "Alerts and announcements of {town}."
)
_SHORTCUTS: Final = (
    ("/annonces", Sentence("Annonces", "Announcements")),
    ("/abonnement", Sentence("Recevoir les alertes", "Get alerts")),
    ("/mes-alertes", Sentence("Mes alertes", "My alerts")),
)


def routes() -> list[web.RouteDef]:
    """The files a browser asks for by itself."""
    return [
        web.get("/manifest.webmanifest", manifest),
        web.get("/sw.js", worker),
        web.get("/hors-ligne", offline),
        web.get(r"/{name:appli-[a-z0-9-]+\.png}", drawn),
    ]


async def manifest(request: web.Request) -> web.Response:
    """What the app is called and looks like, in the reader's language."""
    hub, language = desk(request), language_of(request)
    town, accent = hub.authority_name, request.config_dict[TOWN].accent
    said: dict[str, Any] = {
        "id": "/",
        "name": town,
        "short_name": _TOWN_WORD.sub("", town)[:30],
        "description": _ABOUT.spoken(language).format(town=town),
        "lang": language,
        "dir": "ltr",
        "start_url": "/?appli=1",
        "scope": "/",
        "display": "standalone",
        "theme_color": accent,
        "background_color": "#ffffff",
        "categories": ["government", "news"],
        "icons": [
            _picture("appli-192.png", "any"),
            _picture("appli-512.png", "any"),
            _picture("appli-masque-512.png", "maskable"),
        ],
        "shortcuts": [{"name": name.spoken(language), "url": path} for path, name in _SHORTCUTS],
    }
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
    body = json.dumps(said, ensure_ascii=False).encode()
    return web.Response(body=body, content_type="application/manifest+json", headers=headers)


def _picture(name: str, purpose: str) -> dict[str, str]:
    size = _ICONS[name][0]
    src, sizes = f"/{name}", f"{size}x{size}"
    return {"src": src, "sizes": sizes, "type": "image/png", "purpose": purpose}


async def drawn(request: web.Request) -> web.Response:
    """An icon in the town's colour, drawn at its first use, away from the loop."""
    wanted = _ICONS.get(request.match_info["name"])
    if wanted is None:
        raise not_found()
    size, maskable = wanted
    accent = request.config_dict[TOWN].accent
    body = await asyncio.to_thread(icon, size, accent, maskable=maskable)
    return web.Response(body=body, content_type="image/png", headers=_DAY)


async def worker(_request: web.Request) -> web.Response:
    """The service worker, told which files the pages need: it changes whenever one of them does."""
    shell = [asset(name) for name in _SHELL]
    source = STATIC_FOLDER.joinpath("sw.js").read_text("utf-8")
    body = source.replace("/* the shell */", json.dumps(shell)[1:-1])
    return web.Response(text=body, content_type="text/javascript", headers=_ASKED_AGAIN)


async def offline(request: web.Request) -> web.Response:
    """The latest announcements, to be kept by the browser and shown when nothing else can be."""
    hub, language = desk(request), language_of(request)
    found = await published(hub.ledger, hub.authority)

    def line(thread: Thread) -> dict[str, Any]:
        current = thread.current
        wishes = (language, hub.settings.hub.language, *current.titles)
        spoken = next(each for each in wishes if each in current.titles)
        return {
            "title": current.titles[spoken],
            "url": f"/a/{thread.first.code}",
            "urgency": current.urgency,
            "kind": current.kind,
            "published": thread.published,
            "language": spoken,
        }

    latest = [line(each) for each in found.threads[:_LATEST]]
    page = show(request, "portal/offline.html", latest=latest, now=hub.clock.now())
    page.headers["X-Robots-Tag"] = "noindex"
    return page
