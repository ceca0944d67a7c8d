# SPDX-License-Identifier: EUPL-1.2
"""`/admin/entrants`: the systems that post signed events, what they may do, what they posted."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from channels.base import Urgency
from hub.flow.accept import credentials, payloads
from hub.flow.accept.credentials import NameTakenError, Scope
from hub.flow.accept.payloads import Payload
from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers.catalogue import Catalogue, load_catalogue

PATH: Final = "/admin/entrants"
ONE: Final = f"{PATH}/{{name}}"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TRY: Final = """secret='{secret}'
id=essai-$(date +%s); t=$(date +%s)
body='{{"data": {{"title": "Essai", "body": "Ceci est un essai.", "themes": ["{theme}"]}}}}'
key=$(printf %s "${{secret#whsec_}}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
sig=$(printf %s "$id.$t.$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl {address} -H 'Content-Type: application/json' -H "webhook-id: $id" \\
  -H "webhook-timestamp: $t" -H "webhook-signature: v1,$sig" -d "$body"
"""


MODES: Final = ("draft", "approve", "publish")
"""What becomes of what it posts: somebody writes on it first, somebody approves it, it leaves."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A source's form as it was filled in; `wrong` is {field: what is wrong with it}."""

    key: str = ""
    themes: tuple[str, ...] = ()
    highest: str = Urgency.IMPORTANT.value
    mode: str = "approve"
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """What it may do."""
        return Scope(
            self.themes or None,
            Urgency(self.highest),
            may_publish=self.mode == "publish",
            drafts=self.mode == "draft",
        )


def routes() -> list[web.RouteDef]:
    """The list with its form, a source, its new secret, its end."""
    return [
        web.get(PATH, show_sources),
        web.post(PATH, add),
        web.get(ONE, show_source),
        web.post(ONE, change),
        web.post(f"{ONE}/secret", renew),
        web.post(f"{ONE}/revoquer", revoke),
    ]


@seated(Role.ADMIN)
async def show_sources(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every source of this town, never its secret."""
    return await _page(request, seat, Typed())


@seated(Role.ADMIN)
async def add(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Make a source and show its secret, this once."""
    hub, town = desk(request), seat.authority.id
    catalogue = await hub.ledger.read(lambda conn: load_catalogue(conn, town))
    typed = _typed(seat, catalogue)
    if typed.wrong:
        return await _page(request, seat, typed)
    now, actor = hub.clock.now(), f"officer:{seat.officer.id}"

    def write(conn: Connection) -> str:
        return credentials.add_source(
            conn, town, typed.key, typed.scope, hub.seal, actor=actor, now=now
        )

    try:
        secret = await hub.ledger.transact(write, hurry=True)
    except NameTakenError:
        typed.wrong["key"] = "taken"
        return await _page(request, seat, typed)
    return await _secret(request, seat, typed.key, secret)


@seated(Role.ADMIN)
async def change(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What it may do from its next event on."""
    hub, name, town = desk(request), request.match_info["name"], seat.authority.id
    now, actor = hub.clock.now(), f"officer:{seat.officer.id}"

    def write(conn: Connection) -> bool:
        scope = _typed(seat, load_catalogue(conn, town)).scope
        return credentials.change_source(conn, town, name, scope, actor=actor, now=now)

    if not await hub.ledger.transact(write, hurry=True):
        raise not_found()
    return see_other(request, f"{PATH}/{name}", "source_changed")


@seated(Role.ADMIN)
async def show_source(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What it may do, and the last it posted."""
    hub, name, town = desk(request), request.match_info["name"], seat.authority.id

    def read(conn: Connection) -> tuple[RowMapping, Any, Catalogue] | None:
        row = found_source(conn, town, name)
        if row is None:
            return None
        return row, payloads.latest(conn, row["id"]), load_catalogue(conn, town)

    found = await hub.ledger.read(read)
    if found is None:
        raise not_found()
    row, posted, catalogue = found
    return show(
        request,
        seat,
        "console/admin/source.html",
        row=row,
        typed=_typed_of(row),
        **_choices(request, catalogue),
        posted=[(each, laid_out(each)) for each in posted],
        address=_address(request, name),
        example=_example(request, name, "whsec_…", catalogue),
    )


@seated(Role.ADMIN)
async def renew(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Another secret, shown this once; the one before opens nothing any more."""
    hub, name, town = desk(request), request.match_info["name"], seat.authority.id
    now, actor = hub.clock.now(), f"officer:{seat.officer.id}"
    secret = await hub.ledger.transact(
        lambda conn: credentials.renew_secret(conn, town, name, hub.seal, actor=actor, now=now),
        hurry=True,
    )
    if secret is None:
        raise not_found()
    return await _secret(request, seat, name, secret)


@seated(Role.ADMIN)
async def revoke(request: web.Request, seat: Seat) -> web.StreamResponse:
    """End a source at once; what it posted stays."""
    hub, name, town = desk(request), request.match_info["name"], seat.authority.id
    now, actor = hub.clock.now(), f"officer:{seat.officer.id}"
    ended = await hub.ledger.transact(
        lambda conn: credentials.revoke_source(conn, town, name, actor=actor, now=now), hurry=True
    )
    if not ended:
        raise not_found()
    return see_other(request, PATH, "source_revoked")


def found_source(conn: Connection, town: int, name: str) -> RowMapping | None:
    """A source of this town, ended ones too."""
    mine = credentials.sources(conn, town)
    return next((row for row in mine if row["key"] == name), None)


def mode_of(row: RowMapping) -> str:
    """One of `MODES`."""
    return "publish" if row["may_publish"] else "draft" if row["drafts"] else "approve"


def _typed_of(row: RowMapping) -> Typed:
    """A source as its form shows it."""
    return Typed(row["key"], tuple(row["themes"] or ()), row["highest_urgency"], mode_of(row))


def _choices(request: web.Request, catalogue: Catalogue) -> dict[str, Any]:
    """What the form offers."""
    spoken = language_of(request)
    living = [theme for theme in catalogue.themes.values() if not theme.archived]
    return {
        "themes": [(theme.key, theme.name(spoken)) for theme in living],
        "urgencies": list(Urgency),
        "modes": MODES,
    }


def laid_out(posted: Payload) -> str:
    """Its body laid out, where it is JSON."""
    try:
        return json.dumps(json.loads(posted.body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return posted.body


def _address(request: web.Request, name: str) -> str:
    return f"{desk(request).site.public_url}/hooks/{name}"


def _example(request: web.Request, name: str, secret: str, catalogue: Catalogue) -> str:
    living = (theme.key for theme in catalogue.themes.values() if not theme.archived)
    address = _address(request, name)
    return TRY.format(secret=secret, address=address, theme=next(living, ""))


async def _secret(request: web.Request, seat: Seat, name: str, secret: str) -> web.Response:
    town = seat.authority.id
    catalogue = await desk(request).ledger.read(lambda conn: load_catalogue(conn, town))
    return show(
        request,
        seat,
        "console/admin/source_made.html",
        holder=name,
        secret=secret,
        address=_address(request, name),
        example=_example(request, name, secret, catalogue),
    )


def _typed(seat: Seat, catalogue: Catalogue) -> Typed:
    key, highest, mode = seat.text("key").strip(), seat.text("highest"), seat.text("mode")
    wrong = {} if _NAME.fullmatch(key) else {"key": "unfit"}
    return Typed(
        key=key[:64],
        themes=tuple(each for each in seat.texts("themes") if each in catalogue.themes_by_key),
        highest=highest if highest in set(Urgency) else Urgency.IMPORTANT.value,
        mode=mode if mode in MODES else "approve",
        wrong=wrong,
    )


async def _page(request: web.Request, seat: Seat, typed: Typed) -> web.Response:
    town, spoken = seat.authority.id, language_of(request)

    def read(conn: Connection) -> tuple[Catalogue, Any]:
        return load_catalogue(conn, town), credentials.sources(conn, town)

    catalogue, rows = await desk(request).ledger.read(read)
    names = {theme.key: theme.name(spoken) for theme in catalogue.themes.values()}
    listed = [
        (row, mode_of(row), [names.get(key, key) for key in row["themes"] or ()]) for row in rows
    ]
    return show(
        request,
        seat,
        "console/admin/sources.html",
        status=422 if typed.wrong else 200,
        typed=typed,
        rows=listed,
        **_choices(request, catalogue),
    )
