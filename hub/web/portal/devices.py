# SPDX-License-Identifier: EUPL-1.2
"""`/appareil`: a citizen's browser asks to be told, comes back, is replaced, is removed.

Scripts post JSON here (without scripts there are no notifications); removing and trying are forms.
"""

import hashlib
import hmac
import json
import re
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import Recipient
from hub.web import cookies, visits
from hub.web.bodies import read_body, read_form
from hub.web.desk import Desk, desk
from hub.web.limiter import block, caller
from hub.web.references import Kind
from hub.web.showing import PRIVATE, see_other
from hub.web.strangers import count_stranger
from subscribers import drafts
from subscribers.answers import is_pending

ROOM: Final = "device"
"""The name under which templates find what `context` gives."""
_MINE: Final = "/mes-alertes"
_DONE: Final = "/abonnement/fini"
_SMALL: Final = 8_192  # bytes: an endpoint has 2,048 at most
_BROWSERS: Final = (
    ("Edge", r"\bEdgA?/|\bEdgiOS/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bCriOS/"),
    ("Safari", r"\bSafari/"),
)
_MACHINES: Final = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("Mac", r"\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)


def routes() -> list[web.RouteDef]:
    """Three for the browser itself, two for people."""
    return [
        web.post("/appareil", add),
        web.post("/appareil/ouvrir", come_back),
        web.post("/appareil/renouveler", renew),
        web.post("/appareil/retirer", remove),
        web.post("/appareil/essai", try_out),
    ]


async def context(request: web.Request) -> dict[str, Any]:
    """What ``portal/device.html`` needs, under one name: ``show(…, **await context(request))``.

    `key`: what browsers subscribe with, "" where the town sends no notifications; `token`: what
    its script posts back; `mine`: the visitor's browsers (`id`, `label`, `since`, `mark`), with
    `csrf` for their forms, both empty without a visit.
    """
    hub, visit = desk(request), await visits.visitor(request)
    held = [] if visit is None else await hub.devices.of(visit.person)
    mine = [
        {
            "id": hub.references.of(Kind.CONTACT, each.id),
            "label": each.label or "",
            "since": each.verified_at or each.created,
            "mark": _mark(each.address),
        }
        for each in held
    ]
    found = {
        "key": hub.devices.terms.key if hub.devices.terms else "",
        "token": _token(request),
        "mine": mine,
        "csrf": visit.csrf if visit else "",
    }
    return {ROOM: found}


# ------------------------------------------------------------------ what the browser's script posts


async def add(request: web.Request) -> web.Response:
    """The browser's own subscription, for whoever is subscribing here or visiting their pages.

    201 with where to go on; 403 where nobody is, 422 where it is no subscription we take.
    """
    hub, said = desk(request), await _said(request)
    if not hmac.compare_digest(said["token"].encode(), _token(request).encode()):
        await count_stranger(request)
        return _told(403)
    browser = hub.devices.read(said["endpoint"], said["p256dh"], said["auth"])
    if not isinstance(browser, Recipient):
        await count_stranger(request)
        return _told(422, reason=str(browser))
    label = label_of(request.headers.get("User-Agent", ""))
    visit = await visits.visitor(request)
    for person, onward in await _holders(request, visit):
        holder = await hub.devices.add(person, browser, label)
        if holder is not None:
            answer = _told(201, go=onward)
            if visit is None or visit.person != holder:
                await visits.open_visit(request, answer, holder)
            return answer
    await count_stranger(request)
    return _told(403)


async def come_back(request: web.Request) -> web.Response:
    """A browser we know opens its own pages: its address and its secret are the proof.

    Whoever is wrong in either is answered alike, and counted.
    """
    hub, said = desk(request), await _said(request)
    await count_stranger(request)
    person = await hub.devices.whose(said["endpoint"], said["auth"])
    if person is None:
        return _told(403)
    answer = _told(200, go=_MINE)
    await visits.open_visit(request, answer, person)
    return answer


async def renew(request: web.Request) -> web.Response:
    """Its push service gave the browser a new subscription: 204, whether we knew it or not."""
    hub, said = desk(request), await _said(request)
    await count_stranger(request)
    browser = hub.devices.read(said["endpoint"], said["p256dh"], said["auth"])
    if isinstance(browser, Recipient):
        await hub.devices.renew(said["old_endpoint"], said["old_auth"], browser)
    return web.Response(status=204, headers=PRIVATE)


async def _holders(request: web.Request, visit: visits.Visit | None) -> list[tuple[int, str]]:
    """For whom it may be, and where each goes on: who is subscribing first, then who visits.

    Once an address is proved, the draft alone is not enough: somebody else may have typed it in,
    or has left this browser since.
    """
    hub, found = desk(request), []
    now = hub.clock.now()
    token = cookies.read(request, drafts.COOKIE)

    def read(conn: Connection) -> int | None:
        person = drafts.person_of(conn, hub.authority, token or "", now)
        theirs = person is not None and (
            is_pending(conn, person) or (visit is not None and visit.person == person)
        )
        return person if theirs else None

    if token is not None and (subscribing := await hub.ledger.read(read)) is not None:
        found.append((subscribing, _DONE))
    if visit is not None:
        found.append((visit.person, _MINE))
    return found


async def _said(request: web.Request) -> dict[str, str]:
    """The small JSON object a script of ours posts; what is missing or no plain text is ""."""
    raw = await read_body(request, _SMALL, ("application/json",))
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        given = {}
    names = ("token", "endpoint", "p256dh", "auth", "old_endpoint", "old_auth")
    found = given if isinstance(given, dict) else {}
    texts = {name: found.get(name) for name in names}
    return {
        name: text if isinstance(text, str) and text.isascii() else ""
        for name, text in texts.items()
    }


def _told(status: int, **said: str) -> web.Response:
    return web.json_response(said, status=status, headers=PRIVATE)


def _token(request: web.Request) -> str:
    """Ties what a script posts to a page we showed to this very draft or visit."""
    held = [cookies.read(request, name) or "" for name in (drafts.COOKIE, visits.COOKIE)]
    key = "|".join(held).encode("utf-8", "replace")
    return hmac.digest(key, b"device", "sha256").hex()[:32]


def _mark(address: str) -> str:
    """By which a browser knows itself in the list, and nobody else knows its address."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:16]


# ------------------------------------------------------------------ what people do with the list


async def remove(request: web.Request) -> web.Response:
    """Forget one browser of the visitor's."""
    hub, visit, contact = await _meant(request)
    if visit is None:
        return see_other(_MINE)
    removed = await hub.devices.remove(visit.person, contact)
    return see_other(f"{_MINE}?fait={'appareil' if removed else 'dernier'}")


async def try_out(request: web.Request) -> web.Response:
    """A trial message to one browser of the visitor's, within the limits of asking."""
    hub, visit, contact = await _meant(request)
    if visit is None:
        return see_other(_MINE)
    origin = block(caller(request, hub.settings.server.trusted_proxies))
    asked = await hub.devices.try_out(hub.asking, visit.person, contact, origin)
    on_its_way = asked is not None and asked.refusal is None
    return see_other(f"{_MINE}?fait={'essai' if on_its_way else 'attendre'}")


async def _meant(request: web.Request) -> tuple[Desk, visits.Visit | None, int]:
    """The visitor, and the browser the form names; a visit that is over asks for a new one."""
    form, visit = await read_form(request), await visits.visitor(request)
    if visit is not None:
        visits.check(form, visit)
    hub = desk(request)
    return hub, visit, hub.references.number(Kind.CONTACT, form.get("device", ""))


def label_of(user_agent: str) -> str:
    """What a list of devices calls it: "Firefox, Android". Names no version: it is not needed."""
    names = (
        next((name for name, pattern in each if re.search(pattern, user_agent)), "")
        for each in (_BROWSERS, _MACHINES)
    )
    return ", ".join(filter(None, names))
