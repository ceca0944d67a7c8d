# SPDX-License-Identifier: EUPL-1.2
"""`/console/envois`: the announcements and messages behind the home page's last seven days.

Nobody's address is among them: that is each announcement's own log, and a permission of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.delivery import DeliveryState
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import scope_of
from hub.reports.shown import shown_state
from hub.reports.week import FAILED, SENT, Row, Sent, Week, rows, sent_in, week
from hub.web.console.guard import Seat, seated
from hub.web.console.home import currency_of, seven_days_ago
from hub.web.console.showing import show
from hub.web.console.titles import title_of
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.references import Kind
from templates.pages.wording import reason_sentence, state_label

PATH: Final = "/console/envois"
PAGE: Final = 50
_STATES: Final[Mapping[str, Sequence[DeliveryState]]] = {"remis": SENT, "echecs": FAILED}


def routes() -> list[web.RouteDef]:
    """The page."""
    return [web.get(PATH, show_sends)]


@seated(Role.READ)
async def show_sends(request: web.Request, seat: Seat) -> web.StreamResponse:
    """With a channel (`?canal=`) its messages, `?etat=` remis or echecs, fifty a page; without, the
    announcements."""
    channel, state = _asked(request.query)
    hub, language = desk(request), language_of(request)
    after = hub.references.number(Kind.MESSAGE, request.query.get("apres", ""))
    end = hub.clock.now()
    start = seven_days_ago(end, seat)

    def read(conn: Connection) -> tuple[Week, Sequence[Sent], Sequence[Row]]:
        sees, town = scope_of(conn, seat.officer, Role.READ).sees, seat.authority.id
        found = week(conn, town, sees, start, end, currency_of)
        if channel is None:
            return found, list(sent_in(conn, town, sees, start, end).values()), ()
        states = _STATES[state]
        return found, (), rows(conn, town, sees, start, end, channel, states, after, PAGE + 1)

    found, announcements, messages = await hub.ledger.read(read)
    told = None if channel is None else found.channels.get(channel)
    total = 0 if told is None else (told.failed if state == "echecs" else told.sent)
    older = ""
    if len(messages) > PAGE:
        last = hub.references.of(Kind.MESSAGE, messages[PAGE - 1].id)
        older = f"{PATH}?{urlencode({'canal': channel or '', 'etat': state, 'apres': last})}"
    return show(
        request,
        seat,
        "console/following/sends.html",
        start=start,
        channel=channel,
        state=state,
        total=total,
        announcements=[(each, title_of(each.titles, language)) for each in announcements],
        messages=[_line(each, language) for each in messages[:PAGE]],
        older=older,
    )


def _asked(query: Mapping[str, str]) -> tuple[ChannelName | None, str]:
    name = query.get("canal", "")
    channel = ChannelName(name) if name in tuple(ChannelName) else None
    state = query.get("etat", "")
    return channel, state if state in _STATES else "remis"


def _line(row: Row, language: str) -> dict[str, Any]:
    state = shown_state(row.channel, row.state, row.reason)
    return {
        "at": row.at,
        "code": row.code,
        "title": title_of(row.titles, language),
        "state": state_label(state, language),
        "why": reason_sentence(row.reason, language) if row.reason else "",
    }
