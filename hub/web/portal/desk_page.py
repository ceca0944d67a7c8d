# SPDX-License-Identifier: EUPL-1.2
"""`/guichet`: staff subscribe somebody present, on the telephone, or by the paper form.

Opened with a desk's key (decision 29), and to officers of the console who may see contacts. What
somebody had before is never shown here: an officer writes down, and reads back what was written
down just now.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens import desk_visits
from hub.flow.citizens.asking import Verdict
from hub.flow.citizens.assisting import AskedTooOftenError, Assisting
from hub.flow.citizens.desk_visits import Clerk
from hub.flow.citizens.enrolling import Confirmed
from hub.flow.staff.roles import Role
from hub.web import cookies
from hub.web.bodies import read_form
from hub.web.console.guard import at_console
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.limiter import block, caller
from hub.web.portal.desk_form import take
from hub.web.portal.masking import masked
from hub.web.problems import ProblemError, not_found
from hub.web.references import SHAPE, Kind
from hub.web.showing import see_other, show
from hub.web.town import TOWN
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.consent_text import CONSENT_VERSION, consent_text

HOME: Final = "/guichet"
_COOKIE: Final = "desk"
_NAME: Final = 80  # characters of an officer's name
_INVALID: Final = 422
_PAGE: Final = "portal/desk.html"


def routes() -> list[web.RouteDef]:
    """The way in, the form, the code read back, what was noted, the way out."""
    return [
        web.get(HOME, show_form),
        web.post(HOME, note),
        web.post(f"{HOME}/ouvrir", sign_in),
        web.post(f"{HOME}/fermer", sign_out),
        web.get(f"{HOME}/code/{{asked:{SHAPE}}}", show_code),
        web.post(f"{HOME}/code/{{asked:{SHAPE}}}", read_back),
        web.get(f"{HOME}/fait/{{person:{SHAPE}}}", show_leaflet),
    ]


# --------------------------------------------------------------------------- in and out


async def show_form(request: web.Request) -> web.Response:
    """The form for whoever opened the desk; for anybody else the box for its key."""
    clerk = await _clerk(request)
    if clerk is None:
        return _way_in(request, {}, "")
    return _form(request, clerk, await _catalogue(request), {}, {})


async def sign_in(request: web.Request) -> web.Response:
    """Open the desk with its key. Few tries a minute: a key is long, and nobody types it often."""
    hub = desk(request)
    who = block(caller(request, hub.settings.server.trusted_proxies))
    await hub.limiter.admit("desk", who, desk_visits.MOST_TRIES)
    form = await read_form(request)
    officer, key = form.get("officer", "").strip()[:_NAME], form.get("key", "").strip()
    errors = {name: "missing" for name, given in (("key", key), ("officer", officer)) if not given}
    if errors:
        return _way_in(request, errors, officer)
    now = hub.clock.now()
    token = await hub.ledger.transact(
        lambda conn: desk_visits.sign_in(conn, hub.authority, key, officer, now)
    )
    if token is None:
        return _way_in(request, {"key": "unknown"}, officer)
    response = see_other(HOME)
    cookies.keep(request, response, _COOKIE, token, int(desk_visits.LONGEST / timedelta(seconds=1)))
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Close the desk; the form carries the visit's token, as every other."""
    await _checked(request, await read_form(request))
    token = cookies.read(request, _COOKIE) or ""
    await desk(request).ledger.transact(lambda conn: desk_visits.sign_out(conn, token))
    response = see_other(HOME)
    cookies.drop(request, response, _COOKIE)
    return response


def _way_in(request: web.Request, errors: Mapping[str, str], officer: str) -> web.Response:
    shown: dict[str, Any] = {"state": "closed", "faults": errors, "officer": officer}
    return show(request, _PAGE, status=_INVALID if errors else 200, private=True, **shown)


async def _clerk(request: web.Request) -> Clerk | None:
    return await _with_a_key(request) or await _from_the_console(request)


async def _from_the_console(request: web.Request) -> Clerk | None:
    seat = await at_console(request, Role.CONTACTS)
    if seat is None or seat.officer.authority != desk(request).authority:
        return None
    who = seat.officer
    return Clerk(who.name, "console", who.authority, seat.csrf, number=who.id)


async def _with_a_key(request: web.Request) -> Clerk | None:
    hub, token = desk(request), cookies.read(request, _COOKIE)
    if token is None:
        return None
    now = hub.clock.now()
    # read first: a made-up cookie is nothing to write about
    if await hub.ledger.read(lambda conn: desk_visits.holder(conn, token, now)) is None:
        return None
    found = await hub.ledger.transact(lambda conn: desk_visits.clerk_of(conn, token, now))
    return found if found is not None and found.authority == hub.authority else None


async def _checked(request: web.Request, form: Mapping[str, str]) -> Clerk:
    """Whoever opened the desk and sent this form. Raises `ProblemError` 403 for anybody else."""
    clerk = await _clerk(request)
    if clerk is None or not desk_visits.is_theirs(clerk, form.get("csrf", "")):
        raise ProblemError(
            403,
            "other_visit",
            fr="Le guichet est fermé, ou ce formulaire est d'une autre visite. Ouvrez-le.",
            en="The desk has closed, or this form is from another visit. Open it again.",
        )
    return clerk


# --------------------------------------------------------------------------- noting


async def note(request: web.Request) -> web.Response:
    """Write somebody down, or say field by field what is missing, with all that was typed kept."""
    hub, form = desk(request), await read_form(request)
    clerk, catalogue = await _checked(request, form), await _catalogue(request)
    today = hub.clock.now().astimezone(ZoneInfo(catalogue.timezone)).date()
    regions = hub.settings.people.phone_regions
    taken = take(form, catalogue, regions, today, language_of(request))
    if taken.answers is None or taken.told is None:
        return _form(request, clerk, catalogue, form, taken.errors)
    try:
        noted = await _assisting(hub).note(taken.answers, taken.told, clerk)
    except AskedTooOftenError as refused:
        return _form(request, clerk, catalogue, form, {}, until=refused.until)
    if noted.code is None:
        return _done(hub, noted.number)
    return see_other(f"{HOME}/code/{hub.references.of(Kind.CODE, noted.code)}")


def _done(hub: Desk, person: int) -> web.Response:
    return see_other(f"{HOME}/fait/{hub.references.of(Kind.PERSON, person)}")


def _form(
    request: web.Request,
    clerk: Clerk,
    catalogue: Catalogue,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    **more: Any,
) -> web.Response:
    hub, language = desk(request), language_of(request)
    themes = [each for each in catalogue.themes.values() if not each.archived]
    zones = [each for each in catalogue.zones.values() if not each.archived]
    context: dict[str, Any] = {
        "state": "open",
        "clerk": clerk,
        "values": form,
        "errors": errors,
        "themes": [(each.key, each.name(language), each.parent is not None) for each in themes],
        "zones": [(each.key, each.name(language)) for each in zones if each.level == "district"],
        "consent": consent_text(hub.authority_name, language),
        "consent_version": CONSENT_VERSION,
        "until": None,
        **more,
    }
    status = _INVALID if errors or context["until"] else 200
    return show(request, _PAGE, status=status, private=True, **context)


# --------------------------------------------------------------------------- the code read back


async def show_code(request: web.Request) -> web.Response:
    """The box for the six digits that the person reads out."""
    clerk = await _clerk(request)
    if clerk is None:
        return see_other(HOME)
    return await _code(request, clerk, None)


async def read_back(request: web.Request) -> web.Response:
    """Look at the digits; the right ones lead to the leaflet."""
    form = await read_form(request)
    clerk = await _checked(request, form)
    hub = desk(request)
    assisting = _assisting(hub)
    found = await assisting.asked_here(_asked(request), clerk)
    if found is None:
        raise not_found()
    asked, _ = found
    confirmed = await assisting.read_back(asked, form.get("code", ""), clerk)
    if confirmed.answered.verdict is Verdict.RIGHT:
        assert asked.subscriber is not None  # `asked_here` finds those of people written down
        return _done(hub, asked.subscriber)
    return await _code(request, clerk, confirmed)


def _asked(request: web.Request) -> int:
    return desk(request).references.number(Kind.CODE, request.match_info["asked"])


async def _code(request: web.Request, clerk: Clerk, confirmed: Confirmed | None) -> web.Response:
    found = await _assisting(desk(request)).asked_here(_asked(request), clerk)
    if found is None:
        raise not_found()
    asked, address = found
    answered = None if confirmed is None else confirmed.answered
    shown: dict[str, Any] = {
        "clerk": clerk,
        "asked": request.match_info["asked"],
        "contact": masked(ChannelName.SMS, address),
        "expires": asked.expires,
        "verdict": None if answered is None else answered.verdict,
        "left": 0 if answered is None else answered.left,
    }
    status = 200 if answered is None else _INVALID
    return show(request, "portal/desk_code.html", status=status, private=True, **shown)


async def show_leaflet(request: web.Request) -> web.Response:
    """What was noted just now, to print for the person; in their language."""
    hub, clerk = desk(request), await _clerk(request)
    if clerk is None:
        return see_other(HOME)
    person = hub.references.number(Kind.PERSON, request.match_info["person"])
    noted = await _assisting(hub).leaflet(person, clerk)
    if noted is None:
        raise not_found()
    catalogue, language = await _catalogue(request), language_of(request)
    themes, zones = catalogue.themes_by_key, catalogue.zones_by_key
    return show(
        request,
        "portal/desk_done.html",
        private=True,
        clerk=clerk,
        noted=noted,
        themes=[themes[key].name(language) for key in noted.themes if key in themes],
        zones=[zones[key].name(language) for key in noted.zones if key in zones],
        consent=consent_text(hub.authority_name, language),
        consent_version=CONSENT_VERSION,
        contact=request.config_dict[TOWN].contact,
        address=f"{hub.site.public_url}/mes-alertes",
        two_way=hub.settings.channels.sms is not None and hub.settings.channels.sms.two_way,
    )


def _assisting(hub: Desk) -> Assisting:
    return Assisting(hub.asking, hub.engine.wishes)


async def _catalogue(request: web.Request) -> Catalogue:
    hub = desk(request)
    return await hub.ledger.read(lambda conn: load_catalogue(conn, hub.authority))
