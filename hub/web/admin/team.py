# SPDX-License-Identifier: EUPL-1.2
"""`/admin/equipe`: who works at this town's console, with which roles; by an administrator."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.staff import officers, team
from hub.flow.staff.officers import EmailTakenError, Officer
from hub.flow.staff.roles import Role
from hub.flow.staff.team import Steward
from hub.web.admin.team_form import Typed, read_typed, typed_of
from hub.web.console.entering.profile import in_words
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import ProblemError, not_found
from subscribers.catalogue import Catalogue, load_catalogue

HOME: Final = "/admin/equipe"
_ONE: Final = f"{HOME}/{{number:[0-9]{{1,15}}}}"

T = TypeVar("T")


def routes() -> list[web.RouteDef]:
    """The list, the invitation, one officer and what may be done with their account."""
    return [
        web.get(HOME, show_team),
        web.get(f"{HOME}/inviter", show_invitation),
        web.post(f"{HOME}/inviter", invite),
        web.get(_ONE, show_member),
        web.post(_ONE, change_roles),
        web.post(f"{_ONE}/lien", make_link),
        web.post(f"{_ONE}/preuve", remove_second),
        web.post(f"{_ONE}/fermer", disable),
    ]


@seated(Role.ADMIN)
async def show_team(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Everybody who can sign in to this town's console."""
    hub, spoken = desk(request), language_of(request)
    now = hub.clock.now()

    def read(conn: Connection) -> list[Mapping[str, Any]]:
        catalogue = load_catalogue(conn, seat.officer.authority)
        return [
            {"member": each, "roles": in_words(each.officer, catalogue, spoken)}
            for each in team.members(conn, seat.officer.authority, now)
        ]

    rows = await hub.ledger.read(read)
    return show(request, seat, "console/admin/team.html", rows=rows)


# --------------------------------------------------------------------------- inviting


@seated(Role.ADMIN)
async def show_invitation(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The empty form."""
    return _form(request, seat, await _catalogue(request, seat), Typed())


@seated(Role.ADMIN)
async def invite(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Add somebody, and show the link they choose their password by, this once."""
    hub, catalogue = desk(request), await _catalogue(request, seat)
    typed = read_typed(seat, catalogue, invited=True)
    if typed.wrong:
        return _form(request, seat, catalogue, typed)
    now, by = hub.clock.now(), Steward.of(seat.officer)
    try:
        number, token = await _act(
            request,
            lambda conn: team.invite(conn, by, typed.email, typed.name, typed.grants, now=now),
        )
    except EmailTakenError:
        return _form(request, seat, catalogue, typed.with_fault("email", "taken"))
    return await _link(request, seat, number, token)


@seated(Role.ADMIN)
async def make_link(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A link by which somebody chooses another password, shown this once."""
    who, by, now = await _member(request, seat), Steward.of(seat.officer), desk(request).clock.now()
    token = await _act(request, lambda conn: team.reset_link(conn, by, who, now))
    return await _link(request, seat, who.id, token)


async def _link(request: web.Request, seat: Seat, number: int, token: str) -> web.Response:
    hub = desk(request)
    town, now = seat.officer.authority, hub.clock.now()
    everybody = await hub.ledger.read(lambda conn: team.members(conn, town, now))
    member = next(each for each in everybody if each.officer.id == number)
    address = f"{hub.site.public_url}/console/invitation/{token}"
    return show(request, seat, "console/admin/team_link.html", member=member, address=address)


# --------------------------------------------------------------------------- one officer


@seated(Role.ADMIN)
async def show_member(request: web.Request, seat: Seat) -> web.StreamResponse:
    """One officer's roles, and what may be done with their account."""
    who, catalogue = await _member(request, seat), await _catalogue(request, seat)
    return _form(request, seat, catalogue, typed_of(who), who)


@seated(Role.ADMIN)
async def change_roles(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Give them these roles and no other."""
    who, catalogue = await _member(request, seat), await _catalogue(request, seat)
    typed = read_typed(seat, catalogue, invited=False)
    if typed.wrong:
        return _form(request, seat, catalogue, typed, who)
    by, now = Steward.of(seat.officer), desk(request).clock.now()
    await _act(request, lambda conn: team.change_grants(conn, by, who, typed.grants, now))
    return see_other(request, HOME, "roles_changed")


@seated(Role.ADMIN)
async def remove_second(request: web.Request, seat: Seat) -> web.StreamResponse:
    """For whoever lost telephone and paper."""
    who, by, now = await _member(request, seat), Steward.of(seat.officer), desk(request).clock.now()
    await _act(request, lambda conn: team.remove_second(conn, by, who, now))
    return see_other(request, f"{HOME}/{who.id}", "member_proof_removed")


@seated(Role.ADMIN)
async def disable(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Shut them out at once."""
    who, by, now = await _member(request, seat), Steward.of(seat.officer), desk(request).clock.now()
    await _act(request, lambda conn: team.disable(conn, by, who, now))
    return see_other(request, HOME, "account_closed")


# --------------------------------------------------------------------------- what they share


async def _member(request: web.Request, seat: Seat) -> Officer:
    """An officer of this very town. Raises `ProblemError` 404 for anybody else."""
    number, town = int(request.match_info["number"]), seat.officer.authority
    found = await desk(request).ledger.read(lambda conn: officers.load(conn, number, town))
    if found is None:
        raise not_found()
    return found


async def _catalogue(request: web.Request, seat: Seat) -> Catalogue:
    town = seat.officer.authority
    return await desk(request).ledger.read(lambda conn: load_catalogue(conn, town))


async def _act(request: web.Request, act: Callable[[Connection], T]) -> T:
    """Do it, or say why the team's rules forbid it."""
    try:
        return await desk(request).ledger.transact(act, hurry=True)
    except team.OneselfError:
        raise ProblemError(
            409,
            "oneself",
            fr="Personne ne change ses propres droits : demandez à un autre administrateur.",
            en="Nobody changes their own rights: ask another administrator.",
        ) from None
    except team.LastAdministratorError:
        raise ProblemError(
            409,
            "last_administrator",
            fr="C'est le dernier administrateur : nommez-en un autre d'abord.",
            en="This is the last administrator: name another one first.",
        ) from None
    except team.NotEntitledError:
        raise ProblemError(
            403,
            "not_your_role",
            fr="Vous n'êtes plus administrateur. Demandez à un autre.",
            en="You are no administrator any more. Ask another one.",
        ) from None


def _form(
    request: web.Request,
    seat: Seat,
    catalogue: Catalogue,
    typed: Typed,
    who: Officer | None = None,
) -> web.Response:
    spoken = language_of(request)
    themes = [
        (each.key, each.name(spoken), each.parent is not None)
        for each in catalogue.themes.values()
        if not each.archived
    ]
    return show(
        request,
        seat,
        "console/admin/team_member.html",
        status=422 if typed.wrong else 200,
        who=who,
        typed=typed,
        themes=themes,
    )
