# SPDX-License-Identifier: EUPL-1.2
"""`/admin/journal`: who did what, with which door; a file of it needs a reason, which is noted."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.office.exporting import note_export
from hub.flow.staff.roles import Role
from hub.reports import journal
from hub.reports.journal import PAGE, PERSON, Asked, Line
from hub.web.console.following.watching import deed_words
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import show
from hub.web.csv import download
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.references import Kind, References
from templates.pages.wording import translations

PATH: Final = "/admin/journal"
_MOST: Final = 100_000  # lines of one file
_FIELD: Final = 120
FILTERS: Final = ("qui", "verbe", "objet", "du", "au")
HEADINGS: Final = ("number", "when", "who", "did", "what", "door", "detail", "digest")

DEEDS_ELSEWHERE: Final = (
    "add",
    "appoint",
    "assume",
    "confirm",
    "device.add",
    "device.remove",
    "device.renew",
    "enrol",
    "verify",
    "erase",
    "import",
    "invite",
    "reset_link",
    "issue",
    "release",
    "repeat_stop",
    "restore",
    "revoke",
    "roles",
    "sign_in",
    "sign_in_refused",
    "start",
    "stop",
    "subscribe",
    "undo_stop",
    "disable",
    "change_password",
    "remove_code",
    "set_up_code",
    "renew_codes",
    "add_passkey",
    "remove_passkey",
    "accept_invitation",
    "reset_password",
    "ask_password",
    "probe",
    "language",
    "look_up",
    "keep_secret",
    "renew_secret",
    "rights",
    "map",
    "catalogue_add",
    "catalogue_change",
    "catalogue_move",
    "catalogue_archive",
    "catalogue_restore",
    "catalogue_draw",
    "catalogue_streets",
    "identity_change",
    "text_change",
    "text_house",
)
"""The verbs that concern no announcement (those are in `watching.DEEDS`), each with its words."""


def routes() -> list[web.RouteDef]:
    """The page, and its file."""
    return [web.get(PATH, show_lines), web.post(f"{PATH}.csv", export)]


@seated(Role.ADMIN, Role.OPERATE)
async def show_lines(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Fifty lines, newest first; `avant` is the line they are older than."""
    return await _page(request, seat)


async def _page(
    request: web.Request, seat: Seat, *, unreasoned: bool = False
) -> web.StreamResponse:
    query, town, names = request.query, seat.authority, desk(request).references
    asked = _asked(dict(query), town.timezone, names)
    before = names.number(Kind.LINE, query.get("avant", "")) or None

    def read(conn: Connection) -> tuple[tuple[Line, ...], list[str]]:
        lines = journal.journal(conn, town.id, asked, before=before, limit=PAGE + 1)
        return lines, list(journal.verbs(conn, town.id))

    lines, verbs = await desk(request).ledger.read(read)
    say = translations(language_of(request)).gettext
    kept = {name: query.get(name, "") for name in FILTERS}
    older = ""
    if len(lines) > PAGE:
        last = names.of(Kind.LINE, lines[PAGE - 1].number)
        older = f"{PATH}?{urlencode({**kept, 'avant': last})}"
    return show(
        request,
        seat,
        "console/admin/journal.html",
        status=422 if unreasoned else 200,
        lines=[(_told(line, names), deed_words(line.verb, say)) for line in lines[:PAGE]],
        verbs=[(verb, deed_words(verb, say)) for verb in verbs],
        asked=kept,
        older=older,
        newer=f"{PATH}?{urlencode(kept)}" if before is not None else "",
        unreasoned=unreasoned,
    )


@seated(Role.ADMIN, Role.OPERATE)
async def export(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The lines asked for as a file; who took it and why is a line itself."""
    hub, say = desk(request), translations(language_of(request)).gettext
    reason = seat.text("reason").strip()[:_FIELD]
    if not reason:
        return await _page(request, seat, unreasoned=True)
    fields = {name: seat.text(name) for name in FILTERS}
    names, now = hub.references, hub.clock.now()
    asked = _asked(fields, seat.authority.timezone, names)
    await hub.ledger.transact(
        lambda conn: note_export(conn, seat.officer, "journal", reason, now), hurry=True
    )

    def read(conn: Connection) -> list[tuple[str | int | datetime, ...]]:
        found = journal.every_line(conn, seat.authority.id, asked)
        return [_row(line, say, names) for line, _ in zip(found, range(_MOST), strict=False)]

    rows = await hub.ledger.read(read)
    return download(
        f"journal-{now:%Y-%m-%d}", [tuple(say(f"journal.{h}") for h in HEADINGS), *rows]
    )


def _row(line: Line, say: object, names: References) -> tuple[str | int | datetime, ...]:
    told, did = _told(line, names), deed_words(line.verb, say)
    detail = "; ".join(f"{name}: {value}" for name, value in sorted(line.detail.items()))
    number = names.of(Kind.LINE, line.number)
    return number, line.at, told.actor, did, told.thing, told.door, detail, line.digest


def _told(line: Line, names: References) -> Line:
    """The line with people as the pages call them, not by their numbers."""

    def named(thing: str) -> str:
        number = thing.removeprefix(PERSON)
        if number == thing or not number.isdecimal():
            return thing
        return f"{PERSON}{names.of(Kind.PERSON, int(number))}"

    return replace(line, actor=named(line.actor), thing=named(line.thing), door=named(line.door))


def _numbered(given: str, names: References) -> str:
    """A thing as the ledger calls it, from what a page calls it."""
    reference = given.removeprefix(PERSON)
    if reference in ("", given):
        return given
    return f"{PERSON}{names.number(Kind.PERSON, reference.upper())}"


def _asked(fields: dict[str, str], timezone: str, names: References) -> Asked:
    """What a form or an address asks; a day that is none asks nothing."""
    zone = ZoneInfo(timezone)
    since, until = _day(fields.get("du", ""), zone), _day(fields.get("au", ""), zone, later=1)
    return Asked(
        actor=_numbered(fields.get("qui", "").strip()[:_FIELD], names),
        verb=fields.get("verbe", "")[:_FIELD],
        thing=_numbered(fields.get("objet", "").strip()[:_FIELD], names),
        since=since,
        until=until,
    )


def _day(given: str, zone: ZoneInfo, *, later: int = 0) -> datetime | None:
    try:
        day = date.fromisoformat(given) + timedelta(days=later)
        return datetime.combine(day, time(), zone)
    except (ValueError, OverflowError):
        return None
