# SPDX-License-Identifier: EUPL-1.2
"""`/console/annonces/{code}/destinataires`: to whom an announcement goes, and what became of it.

Addresses are masked; showing one is a role of its own, and a line in the journal.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName, SmsText
from hub.flow.office.looking import reveal
from hub.flow.staff.roles import Role
from hub.reports.recipients import (
    GROUPS,
    Recipient,
    Recipients,
    Story,
    Wanted,
    recipients,
    story,
)
from hub.reports.shown import shown_state
from hub.web.console.following.watching import ONE, Sight, must_see
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.desk import desk
from hub.web.portal.masking import masked, readable
from hub.web.problems import not_found
from hub.web.references import SHAPE, Kind, References
from templates import gsm

FILTERS: Final = ("canal", "etat", "du", "au")
_LIST: Final = ONE + "/destinataires"
_ROW: Final = f"{_LIST}/{{delivery:{SHAPE}}}"


def routes() -> list[web.RouteDef]:
    """The log, one delivery, and its address."""
    return [
        web.get(_LIST, show_log),
        web.get(_ROW, show_one),
        web.post(_ROW, show_address),
    ]


@seated(Role.READ)
async def show_log(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Fifty a page. `canal` is a channel, `etat` one of `GROUPS`, `du` and `au` are minutes on the
    town's clock ("2026-11-26T08:00"); what is none of them is all."""
    found = await must_see(request, seat)
    names = desk(request).references
    wanted = _wanted(request.query, names, ZoneInfo(seat.authority.timezone))
    number = found.announcement.id
    page = await desk(request).ledger.read(lambda conn: recipients(conn, number, wanted))
    chosen = {name: request.query.get(name, "") for name in FILTERS}
    here = f"/console/annonces/{found.announcement.code}"
    return show(
        request,
        seat,
        "console/following/recipients.html",
        here=here,
        title=found.title,
        page=page,
        rows=[_line(each, names) for each in page.rows],
        channels=[each.channel for each in found.watched.channels],
        groups=list(GROUPS),
        chosen=chosen,
        begins=not wanted.after,
        first=f"{here}/destinataires?{urlencode(chosen)}",
        older=_older(here, chosen, wanted, page, names),
    )


def _wanted(query: Mapping[str, str], names: References, zone: ZoneInfo) -> Wanted:
    name, group = query.get("canal", ""), query.get("etat", "")
    return Wanted(
        ChannelName(name) if name in tuple(ChannelName) else None,
        GROUPS.get(group, frozenset()),
        _minute(query.get("du", ""), zone),
        _minute(query.get("au", ""), zone, later=1),  # that minute, too
        names.number(Kind.MESSAGE, query.get("apres", "")),
        _whole(query.get("vus", "")),
    )


def _minute(given: str, zone: ZoneInfo, *, later: int = 0) -> datetime | None:
    try:
        return datetime.fromisoformat(given).replace(tzinfo=zone) + timedelta(minutes=later)
    except (ValueError, OverflowError):
        return None


def _whole(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 16 else 0


def _older(
    here: str, chosen: Mapping[str, str], wanted: Wanted, page: Recipients, names: References
) -> str:
    if not page.more:
        return ""
    end = names.of(Kind.MESSAGE, page.rows[-1].row.id)
    last = {"apres": end, "vus": wanted.seen + len(page.rows)}
    return f"{here}/destinataires?{urlencode({**chosen, **last})}"


def _line(each: Recipient, names: References) -> dict[str, Any]:
    row = each.row
    return {
        "reference": names.of(Kind.MESSAGE, row.id),
        "channel": row.channel,
        "contact": masked(row.channel, each.contact.address) if each.contact else "",
        "state": shown_state(row.channel, row.state, row.reason),
        "reason": row.reason,
        "due": row.due,
        "at": row.at,
        "maybe_sent": row.maybe_sent,
    }


@seated(Role.READ)
async def show_one(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What happened to one message, its address masked."""
    found, told = await _story(request, seat)
    return _page(request, seat, found, told, "")


@seated(Role.CONTACTS)
async def show_address(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The same with the address, once the journal says who looked at it. Answered at once: an
    address goes into no link, and no cookie."""
    hub = desk(request)
    found, told = await _story(request, seat)
    contact = told.recipient.contact
    if contact is None:
        return _page(request, seat, found, told, "")
    code, message, now = found.announcement.code, request.match_info["delivery"], hub.clock.now()
    await hub.ledger.transact(
        lambda conn: reveal(conn, seat.officer, code, message, now), hurry=True
    )
    return _page(request, seat, found, told, readable(contact.channel, contact.address))


async def _story(request: web.Request, seat: Seat) -> tuple[Sight, Story]:
    found = await must_see(request, seat)
    hub, about = desk(request), found.announcement.id
    number = hub.references.number(Kind.MESSAGE, request.match_info["delivery"])

    def read(conn: Connection) -> Story | None:
        return story(conn, about, number)

    told = await hub.ledger.read(read)
    if told is None:
        raise not_found()
    return found, told


def _page(
    request: web.Request, seat: Seat, found: Sight, told: Story, address: str
) -> web.Response:
    return show(
        request,
        seat,
        "console/following/delivery.html",
        here=f"/console/annonces/{found.announcement.code}",
        title=found.title,
        it=_line(told.recipient, desk(request).references),
        row=told.recipient.row,
        told=told,
        segments=_segments(request, found, told),
        address=address,
        may_see=seat.officer.may(Role.CONTACTS) and told.recipient.contact is not None,
    )


def _segments(request: web.Request, found: Sight, told: Story) -> int:
    """How many SMS it was billed as, 0 for another channel or a text that prints no more."""
    if told.recipient.row.channel is not ChannelName.SMS:
        return 0
    language = told.language or found.catalogue.language
    printed = desk(request).intake.press.print(
        found.announcement, found.catalogue, ChannelName.SMS, language
    )
    text = getattr(printed, "text", None)
    return gsm.segments(text.body).count if isinstance(text, SmsText) else 0
