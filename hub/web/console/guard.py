# SPDX-License-Identifier: EUPL-1.2
"""Who sits at the console: signed in, in a role that opens this door, by a form that is theirs.

The one place where a console door asks it. `tests/web/test_route_walk.py` walks the routes.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from typing import Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDict, MultiMapping
from sqlalchemy import Connection

from hub.flow.staff import officers, second, sessions
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.staff.second import Proof
from hub.flow.staff.sessions import Session, Stage
from hub.web import cookies, language
from hub.web.bodies import read_body, too_slow
from hub.web.console.entering.kept import keep
from hub.web.desk import desk
from hub.web.problems import ProblemError
from hub.web.showing import see_other
from hub.web.strangers import count_stranger
from subscribers.catalogue import Authority, load_authority

COOKIE: Final = "office"
KNOWN: Final = "known"
"""Of a browser in which an officer signed in before; it opens nothing."""
FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
SIGN_IN: Final = "/console/connexion"
SECOND: Final = "/console/connexion/code"
"""Where the second proof is asked for."""
SET_UP: Final = "/console/profil/preuve"
"""Where it is set up, before anything else, by whoever must have one."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM: Final = "application/x-www-form-urlencoded"
_FORM_BYTES: Final = 524_288  # a long text in several languages
_FIELDS: Final = 5_000
_REMEMBERED: Final = timedelta(days=365)
_PATIENCE: Final = 60.0  # seconds an upload may take

Value = str | web.FileField
Form = MultiMapping[Value]


@dataclass(frozen=True, slots=True)
class Seat:
    """Who is at the console, and what they sent. `authority` is the officer's own.

    `form` is what an unsafe request carried, already found to be of this session. `players` are
    those whose part may be played, in the sandbox alone.
    """

    officer: Officer
    authority: Authority
    csrf: str
    session: Session = field(repr=False)
    form: Form = field(repr=False, default_factory=MultiDict)
    players: tuple[Officer, ...] = field(repr=False, default=())

    def text(self, name: str, default: str = "") -> str:
        """One field of the form, with its line ends as ours; a file is none."""
        given = self.form.get(name, default)
        return given.replace("\r\n", "\n") if isinstance(given, str) else default

    def texts(self, name: str) -> list[str]:
        """Every value of a field that may come several times (boxes that were ticked)."""
        return [each for each in self.form.getall(name, []) if isinstance(each, str)]


class OtherSessionError(ProblemError):
    """A form without the token of this session; `form` where it was read."""

    def __init__(self, form: Form | None) -> None:
        super().__init__(
            403,
            "other_session",
            fr="Ce formulaire date d'une autre session. Rechargez la page, puis recommencez.",
            en="This form is from another session. Reload the page, then try again.",
        )
        self.form = form


SEAT: Final = web.RequestKey("seat", Seat)
Handler = Callable[[web.Request, Seat], Awaitable[web.StreamResponse]]
Door = Callable[[web.Request], Awaitable[web.StreamResponse]]


def seated(
    *roles: Role, stage: Stage = Stage.OPEN, unproven: bool = False, keeps: bool = False
) -> Callable[[Handler], Door]:
    """A door for whoever signed in and has one of `roles` (none: for every officer).

    Nobody signed in is sent to the sign-in page and back here afterwards; a role that is missing
    is a refusal, 403. An unsafe request needs the token of its session, and few of them a minute.
    Who must have a second proof and has none is led to set it up, but from `unproven` doors.
    A door that `keeps` loses no text to a session that ended: its form holds no secret.
    """

    def guarding(handler: Handler) -> Door:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            seat = await _seat(request)
            if seat is None or seat.session.stage is not stage:
                if keeps and _is_long_form(request):
                    await count_stranger(request)
                    return keep(request, await read_fields(request), "")
                return _elsewhere(request, seat)
            request[SEAT] = seat  # whatever goes wrong from here on is told within the console
            if not unproven and stage is Stage.OPEN and lacks_proof(request, seat.officer):
                return _to_set_up(request)
            if roles and not any(seat.officer.may(role) for role in roles):
                raise _not_yours()
            await _admit(request, seat)
            if request.method not in SAFE:
                try:
                    seat = await _with_form(request, seat)
                except OtherSessionError as met:
                    if not keeps or met.form is None:
                        raise
                    return keep(request, met.form, seat.csrf)
            return await handler(request, seat)

        guarded.guarded_by = roles  # type: ignore[attr-defined]  # what the route walk reads
        return guarded

    return guarding


def _elsewhere(request: web.Request, seat: Seat | None) -> web.StreamResponse:
    if request.method not in SAFE:
        raise ProblemError(
            403,
            "signed_out",
            fr="Votre session est terminée. Reconnectez-vous, puis recommencez.",
            en="Your session has ended. Sign in again, then start over.",
        )
    if seat is not None:  # of another stage: the second proof is missing, or was given already
        return see_other(SECOND if seat.session.stage is Stage.SECOND else "/console")
    back = urlencode({"suite": request.path_qs}) if request.path != "/console" else ""
    return language.remember(request, see_other(f"{SIGN_IN}?{back}" if back else SIGN_IN))


async def recognise(request: web.Request) -> None:
    """Have an address of the console that leads nowhere told within it, to whoever sits there."""
    seat = None if SEAT in request else await _seat(request)
    if seat is not None and seat.session.stage is Stage.OPEN:
        request[SEAT] = seat


async def at_console(request: web.Request, role: Role) -> Seat | None:
    """Who is signed in to the console in this role, for a page outside it; None for anybody else.
    Its forms are checked by that page."""
    seat = await _seat(request)
    if seat is None or seat.session.stage is not Stage.OPEN or not seat.officer.may(role):
        return None
    return None if lacks_proof(request, seat.officer) else seat


def lacks_proof(request: web.Request, who: Officer) -> bool:
    """Whether this officer must have a second proof and has none; in the sandbox nobody must."""
    hub = desk(request)
    if hub.sandbox or who.second_proof:
        return False
    return second.demanded(who, hub.settings.console.second_proof)


def _to_set_up(request: web.Request) -> web.StreamResponse:
    if request.method in SAFE:
        return see_other(SET_UP)
    raise ProblemError(
        403,
        "no_second_proof",
        fr="Votre rôle demande une seconde preuve. Ajoutez-la à votre compte, puis recommencez.",
        en="Your role asks for a second proof. Add it to your account, then start over.",
    )


async def _seat(request: web.Request) -> Seat | None:
    """Whoever's session this browser holds. Using it renews it, once a minute at most."""
    hub, now = desk(request), desk(request).clock.now()
    token = cookies.read(request, COOKIE)
    if token is None:
        return None

    def read(conn: Connection) -> tuple[Session, Authority, tuple[Officer, ...]] | None:
        found = sessions.find(conn, token, now)
        if found is None:
            return None
        town = found.officer.authority
        players = tuple(officers.of_authority(conn, town)) if hub.sandbox else ()
        return found, load_authority(conn, town), players

    found = await hub.ledger.read(read)
    if found is None:
        return None
    session, authority, players = found
    if now - session.seen >= sessions.WORTH_WRITING:
        await hub.ledger.transact(lambda conn: sessions.touch(conn, token, now), hurry=True)
    return Seat(session.officer, authority, session.csrf, session, players=players)


async def _admit(request: web.Request, seat: Seat) -> None:
    hub = desk(request)
    allowed = hub.settings.limits.console_per_minute
    await hub.limiter.admit("console", f"officer:{seat.officer.id}", allowed)


async def _with_form(request: web.Request, seat: Seat) -> Seat:
    """The same seat with the form read, once it was found to be of this session."""
    given = request.headers.get(HEADER)
    if given is not None and not _is_of_the_session(given, seat):  # before a long body is read
        raise OtherSessionError(None)
    form = await read_fields(request)
    if given is None:
        found = form.get(FIELD)
        if not _is_of_the_session(found if isinstance(found, str) else "", seat):
            raise OtherSessionError(form)
    return replace(seat, form=form)


def _is_of_the_session(given: str, seat: Seat) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), seat.csrf.encode("ascii"))


def _is_long_form(request: web.Request) -> bool:
    """Whether somebody pressed a button of it: a script keeps what it sends itself."""
    by_hand = request.method not in SAFE and HEADER not in request.headers
    return by_hand and request.content_type == _FORM


async def read_fields(request: web.Request) -> Form:
    """The fields of a form, files too; nothing where the body is no form (JSON reads its own)."""
    if request.content_type == "multipart/form-data":
        try:
            async with asyncio.timeout(_PATIENCE):
                given = await request.post()
        except TimeoutError:
            raise too_slow() from None
        except (ValueError, HttpProcessingError, web.RequestPayloadError, ConnectionError):
            raise _unreadable() from None  # what it held is not for the log
        return MultiDict((k, v) for k, v in given.items() if isinstance(v, str | web.FileField))
    if request.content_type != _FORM:
        return MultiDict()
    raw = await read_body(request, _FORM_BYTES, (_FORM,))
    try:
        pairs = parse_qsl(
            raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS
        )
    except ValueError:
        raise _unreadable() from None
    return MultiDict(pairs)


def _unreadable() -> ProblemError:
    return ProblemError(
        400,
        "unreadable_form",
        fr="Ce formulaire est illisible. Rechargez la page, puis recommencez.",
        en="This form cannot be read. Reload the page, then try again.",
    )


def _not_yours() -> ProblemError:
    return ProblemError(
        403,
        "not_your_role",
        fr="Votre rôle ne permet pas d'ouvrir cette page. Demandez à un administrateur.",
        en="Your role does not open this page. Ask an administrator.",
    )


# --------------------------------------------------------------------------- in and out


async def let_in(
    request: web.Request,
    response: web.StreamResponse,
    who: Officer,
    proof: Proof,
    by: Officer | None = None,
) -> None:
    """A new session in this browser, in the place of the one it had (rotated), and a line of the
    audit that says what was proved, and who plays their part."""
    hub, former = desk(request), cookies.read(request, COOKIE)
    now = hub.clock.now()

    def enter(conn: Connection) -> str:
        second.note_entry(conn, who, proof, now, by)
        return sessions.start(conn, who.id, now, stage=Stage.OPEN, former=former)

    token = await hub.ledger.transact(enter, hurry=True)
    cookies.keep(request, response, COOKIE, token, _seconds(sessions.LONGEST))
    if by is None:
        cookies.keep(request, response, KNOWN, _mark(request, who), _seconds(_REMEMBERED))
    language.keep(request, response, who.language or "")


def is_known(request: web.Request, who: Officer) -> bool:
    """Whether they signed in in this browser before: strangers who try their account from
    elsewhere then keep them from nothing."""
    given = cookies.read(request, KNOWN) or ""
    return hmac.compare_digest(given.encode("utf-8", "replace"), _mark(request, who).encode())


def _mark(request: web.Request, who: Officer) -> str:
    return hmac.digest(desk(request).seal.secret, b"known\x00%d" % who.id, "sha256").hex()


async def ask_second(request: web.Request, response: web.StreamResponse, who: Officer) -> None:
    """A session in this browser that is good for giving the second proof and nothing else."""
    hub, former = desk(request), cookies.read(request, COOKIE)
    now = hub.clock.now()
    token = await hub.ledger.transact(
        lambda conn: sessions.start(conn, who.id, now, stage=Stage.SECOND, former=former),
        hurry=True,
    )
    cookies.keep(request, response, COOKIE, token, _seconds(sessions.UNPROVEN))


def _seconds(life: timedelta) -> int:
    return int(life / timedelta(seconds=1))


async def let_out(request: web.Request, response: web.StreamResponse) -> None:
    """End the session of this browser, if it has one."""
    token = cookies.read(request, COOKIE)
    if token is not None:
        await desk(request).ledger.transact(lambda conn: sessions.end(conn, token), hurry=True)
    cookies.drop(request, response, COOKIE)
