# SPDX-License-Identifier: EUPL-1.2
"""`/admin/cles`: the keys of other systems and of desks: issued, shown once, limited, revoked."""

from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import Urgency
from hub.flow.accept import credentials
from hub.flow.accept.credentials import NameTakenError, Scope
from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers.catalogue import Catalogue, load_catalogue

PATH: Final = "/admin/cles"
_NAME: Final = 60
_EXAMPLE: Final = (
    "curl {address} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
    """-d '{{"title": "…", "body": "…", "themes": ["…"]}}'"""
)


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of a new key as it was filled in; `wrong` is {field: what is wrong with it}."""

    name: str = ""
    kind: str = "system"  # or desk
    themes: tuple[str, ...] = ()
    highest: str = Urgency.IMPORTANT.value
    may_publish: bool = False
    wrong: dict[str, str] = field(default_factory=dict)


def routes() -> list[web.RouteDef]:
    """The list with its form, and the end of a key."""
    return [
        web.get(PATH, show_keys),
        web.post(PATH, issue),
        web.post(f"{PATH}/{{number:[0-9]{{1,15}}}}/revoquer", revoke),
    ]


@seated(Role.ADMIN)
async def show_keys(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every key of this town, living and revoked, never its secret."""
    return await _page(request, seat, Typed())


@seated(Role.ADMIN)
async def issue(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Make a key and show it, this once."""
    hub, town = desk(request), seat.authority.id
    catalogue = await hub.ledger.read(lambda conn: load_catalogue(conn, town))
    typed = _typed(seat, catalogue)
    if typed.wrong:
        return await _page(request, seat, typed)
    now, actor, scope = hub.clock.now(), f"officer:{seat.officer.id}", _scope(typed)
    try:
        key = await hub.ledger.transact(
            lambda conn: credentials.issue_key(conn, town, typed.name, scope, actor=actor, now=now),
            hurry=True,
        )
    except NameTakenError:
        typed.wrong["name"] = "taken"
        return await _page(request, seat, typed)
    return show(
        request,
        seat,
        "console/admin/key_made.html",
        holder=typed.name,
        key=key,
        typed_at=f"{hub.site.public_url}/guichet" if scope.may_enrol else "",
        example=_EXAMPLE.format(address=f"{hub.site.public_url}/api/v1/announcements", key=key),
    )


@seated(Role.ADMIN)
async def revoke(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End a key at once; what it posted stays."""
    hub, number = desk(request), int(request.match_info["number"])
    now, actor, town = hub.clock.now(), f"officer:{seat.officer.id}", seat.authority.id

    def end(conn: Connection) -> bool:
        mine = {row["id"]: row["name"] for row in credentials.keys(conn, town)}
        return number in mine and credentials.revoke_key(
            conn, town, mine[number], actor=actor, now=now
        )

    if not await hub.ledger.transact(end, hurry=True):
        raise not_found()
    return see_other(request, PATH, "key_revoked")


def _typed(seat: Seat, catalogue: Catalogue) -> Typed:
    name = " ".join(seat.text("name").split())[:_NAME]
    highest = seat.text("highest")
    wrong = {} if name else {"name": "missing"}
    if highest not in set(Urgency):
        highest = Urgency.IMPORTANT.value
    return Typed(
        name=name,
        kind="desk" if seat.text("kind") == "desk" else "system",
        themes=tuple(key for key in seat.texts("themes") if key in catalogue.themes_by_key),
        highest=highest,
        may_publish=seat.text("may_publish") == "on",
        wrong=wrong,
    )


def _scope(typed: Typed) -> Scope:
    if typed.kind == "desk":
        return Scope(may_enrol=True)
    return Scope(typed.themes or None, Urgency(typed.highest), typed.may_publish)


async def _page(request: web.Request, seat: Seat, typed: Typed) -> web.Response:
    town, spoken = seat.authority.id, language_of(request)

    def read(conn: Connection) -> tuple[Catalogue, Any]:
        return load_catalogue(conn, town), credentials.keys(conn, town)

    catalogue, rows = await desk(request).ledger.read(read)
    names = {theme.key: theme.name(spoken) for theme in catalogue.themes.values()}
    living = [theme for theme in catalogue.themes.values() if not theme.archived]
    return show(
        request,
        seat,
        "console/admin/keys.html",
        status=422 if typed.wrong else 200,
        typed=typed,
        rows=[(row, [names.get(key, key) for key in row["themes"] or ()]) for row in rows],
        themes=[(theme.key, theme.name(spoken)) for theme in living],
        urgencies=list(Urgency),
    )
