# SPDX-License-Identifier: EUPL-1.2
"""`/admin/entrants/{name}/champs`: how a source's events are read, tried before it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from hub.announcement import Announcement
from hub.flow.accept import credentials, payloads
from hub.flow.accept.mapped import FIELDS, LONGEST, SAME, faults, submission_of
from hub.flow.accept.payloads import Payload
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.accept.submission import parse, read_json
from hub.flow.foresight.looking_ahead import Ahead, looking_ahead
from hub.flow.foresight.small_numbers import Teller
from hub.flow.staff.roles import Role
from hub.tariff import prices_of
from hub.web.admin.sources import ONE, PATH, found_source, laid_out, mode_of
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers.catalogue import Catalogue, Theme, Zone, load_catalogue
from templates.render import choose

_HERE: Final = f"{ONE}/champs"
_SAMPLE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Trial:
    """An event read by rules: what it would become, or why it would be refused."""

    fault: bool = False  # it is no JSON
    problems: Sequence[Problem] = ()
    became: Announcement | None = None
    ahead: Ahead | None = None


NO_TRIAL: Final = Trial()


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was filled in; `wrong` is {field: what is wrong with it}."""

    rules: Mapping[str, str]
    sample: str
    wrong: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A living source, and what it posted last; its `town`'s keys are what rules come to."""

    row: RowMapping
    posted: Sequence[Payload]
    town: Catalogue

    def keys(self, language: str) -> list[tuple[str, str]]:
        """The living themes, then the districts, each with its name."""
        places = [each for each in self.town.zones.values() if each.level == "district"]
        named: list[Theme | Zone] = [*self.town.themes.values(), *places]
        return [(each.key, each.name(language)) for each in named if not each.archived]


def routes() -> list[web.RouteDef]:
    """The rules, their trial, and what keeps them."""
    return [web.get(_HERE, show_rules), web.post(_HERE, take)]


@seated(Role.ADMIN)
async def show_rules(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The rules in force; `essai` is which of the last requests they are tried on, from 1."""
    source = await _source(request, seat)
    asked = request.query.get("essai", "")
    which = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
    chosen = source.posted[which - 1] if 0 < which <= len(source.posted) else None
    sample = "" if chosen is None else laid_out(chosen)
    return await _page(request, seat, source, Typed(source.row["mapping"], sample))


@seated(Role.ADMIN)
async def take(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Try rules on an event, keep them, or go back to our own form."""
    source = await _source(request, seat)
    act, sample = seat.text("act"), seat.text("sample")[:_SAMPLE].strip()
    rules = {name: seat.text(name).strip()[: LONGEST + 1] for name in (*FIELDS, SAME)}
    rules = {name: rule for name, rule in rules.items() if rule}
    if act == "none":
        return await _kept(request, seat, {})
    typed = Typed(rules, sample, faults(rules))
    if typed.wrong:
        return await _page(request, seat, source, typed)
    if act == "keep":
        return await _kept(request, seat, rules)
    return await _page(request, seat, source, typed, await _tried(request, source, typed))


async def _kept(request: web.Request, seat: Seat, rules: Mapping[str, str]) -> web.StreamResponse:
    hub, name, town = desk(request), request.match_info["name"], seat.authority.id
    now, actor = hub.clock.now(), f"officer:{seat.officer.id}"
    await hub.ledger.transact(
        lambda conn: credentials.map_source(conn, town, name, rules, actor=actor, now=now),
        hurry=True,
    )
    return see_other(request, f"{PATH}/{name}", "rules_kept" if rules else "rules_gone")


async def _tried(request: web.Request, source: Source, typed: Typed) -> Trial:
    """By the very functions that take an event in; nothing is written."""
    hub, principal = desk(request), credentials.acting_as(source.row)
    if not typed.sample:
        return Trial(fault=True)
    try:
        event = read_json(typed.sample.encode("utf-8", "surrogatepass"))
    except RefusedError:
        return Trial(fault=True)
    try:
        became = await hub.intake.check(parse(submission_of(event, typed.rules)), principal)
    except RefusedError as refused:
        return Trial(problems=refused.problems)
    prices, press, now = prices_of(hub.settings), hub.intake.press, hub.clock.now()

    def read(conn: Connection) -> Trial:
        ahead = looking_ahead(conn, became, source.town, press, prices=prices, now=now)
        return Trial(became=became, ahead=ahead)

    return await hub.ledger.read(read)


async def _source(request: web.Request, seat: Seat) -> Source:
    """A living source of this town; 404 where there is none such."""

    def read(conn: Connection) -> Source | None:
        row = found_source(conn, seat.authority.id, request.match_info["name"])
        if row is None or row["revoked"]:
            return None
        town = load_catalogue(conn, seat.authority.id)
        return Source(row, payloads.latest(conn, row["id"]), town)

    found = await desk(request).ledger.read(read)
    if found is None:
        raise not_found()
    return found


async def _page(
    request: web.Request, seat: Seat, source: Source, typed: Typed, trial: Trial = NO_TRIAL
) -> web.Response:
    spoken = language_of(request)
    told: dict[str, Any] = {}
    if trial.became is not None:
        town, became = source.town, trial.became
        content = choose(became.contents, town.language, town.language)
        told = {
            "title": content.title,
            "title_language": content.language,
            "theme_names": [town.themes_by_key[key].name(spoken) for key in became.themes],
            "zone_names": [town.zones_by_key[key].name(spoken) for key in became.zones],
        }
    return show(
        request,
        seat,
        "console/admin/source_rules.html",
        status=422 if typed.wrong or trial.fault else 200,
        row=source.row,
        posted=source.posted,
        mode=mode_of(source.row),
        fields=FIELDS,
        keys=source.keys(spoken),
        rules=typed.rules,
        sample=typed.sample,
        wrong=typed.wrong,
        fault=trial.fault,
        problems=[
            (each.pointer, each.fr if spoken == "fr" else each.en) for each in trial.problems
        ],
        became=trial.became,
        ahead=trial.ahead,
        teller=Teller(seat.officer.may(Role.CONTACTS)),
        **told,
    )
