# SPDX-License-Identifier: EUPL-1.2
"""`/console/invitation/{token}`: a link by which an officer chooses a password, once."""

from aiohttp import web

from hub.flow.staff import links, officers, passwords
from hub.flow.staff.links import Link
from hub.web.console.entering.sign_in import at_the_door, show_at_the_door, welcome
from hub.web.desk import desk
from hub.web.strangers import count_stranger

PATH = "/console/invitation/{token:[A-Za-z0-9_-]{20,64}}"


def routes() -> list[web.RouteDef]:
    """The page, and the password that was chosen."""
    return [web.get(PATH, show_page), web.post(PATH, choose)]


async def show_page(request: web.Request) -> web.StreamResponse:
    """Who the link is for, and the box for a password; opening it changes nothing."""
    return _page(request, await _link(request))


async def choose(request: web.Request) -> web.StreamResponse:
    """Keep the password, use the link up, and go in."""
    hub, form = desk(request), await at_the_door(request)
    link = await _link(request)
    if link is None:
        return _page(request, None)
    given = form.get("password", "")
    password = given if isinstance(given, str) else ""
    wrong = passwords.fault(password, link.officer.name, link.officer.email)
    if wrong is not None:
        return _page(request, link, wrong)
    kept, now, token = await officers.hashed(password), hub.clock.now(), request.match_info["token"]
    used = await hub.ledger.transact(lambda conn: links.use(conn, token, kept, now), hurry=True)
    if used is None:  # somebody was faster
        return _page(request, None)
    return await welcome(request, used.officer, "")


async def _link(request: web.Request) -> Link | None:
    """The living link of this address; a made-up one counts as a stranger's try."""
    hub, token = desk(request), request.match_info["token"]
    now = hub.clock.now()
    found = await hub.ledger.read(lambda conn: links.find(conn, token, now))
    if found is None:
        await count_stranger(request)
    return found


def _page(request: web.Request, link: Link | None, wrong: str = "") -> web.Response:
    status = 404 if link is None else 422 if wrong else 200
    return show_at_the_door(
        request, "console/entering/invitation.html", status=status, link=link, wrong=wrong
    )
