# SPDX-License-Identifier: EUPL-1.2
"""The way in to one's own pages: a link to a contact we know, which opens them once.

Whoever asks is told the same, whether or not the contact is known. Mail scanners fetch links:
looking at one changes nothing, pressing the button opens the visit.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.citizens.asking import Answered, Asked, Refusal, Verdict
from hub.ledger import audit
from hub.web.bodies import read_form
from hub.web.desk import Desk, desk
from hub.web.evenly import to_the_step
from hub.web.language import language_of
from hub.web.limiter import block, caller
from hub.web.portal.masking import masked
from hub.web.showing import see_other, show
from hub.web.strangers import count_stranger
from hub.web.visits import open_visit
from subscribers import directory
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.catalogue import load_catalogue
from subscribers.challenges import Challenge, Purpose
from subscribers.directory import ContactPoint
from subscribers.subscriptions import subscriptions_of
from subscribers.wording import Sentence
from templates.content import NoteKind

_LINK: Final = "/l/{token:[A-Za-z0-9_=-]{1,64}}"
_SENT: Final = "/mes-alertes?envoye=1"
_NO_CONTACT: Final = Sentence(
    "Écrivez un numéro de mobile, par exemple 06 12 34 56 78, ou une adresse e-mail.",
    "Enter a mobile number, for example 06 12 34 56 78, or an e-mail address.",
)
_WRITTEN: Final = (ChannelName.SMS, ChannelName.EMAIL)


def routes() -> list[web.RouteDef]:
    """Asking for a link, and the link."""
    return [
        web.post("/mes-alertes/lien", send),
        web.get(_LINK, look),
        web.post(_LINK, enter),
    ]


@dataclass(frozen=True, slots=True)
class Door:
    """Somebody a link may open for: their number, and what they asked for, in words."""

    person: int
    themes: tuple[str, ...]
    places: tuple[str, ...]


# ------------------------------------------------------------------ asking for a link


def way_in(
    request: web.Request, *, contact: str = "", error: str = "", status: int = 200
) -> web.Response:
    """The page that asks for a contact, or says that a link is on its way."""
    return show(
        request,
        "portal/mine_sign_in.html",
        status=status,
        private=True,
        sent="envoye" in request.query and not error,
        contact=contact,
        errors={"contact": error} if error else {},
    )


async def send(request: web.Request) -> web.Response:
    """Send a link to a contact, if it is somebody's; the answer does not say whether it is."""
    hub, form = desk(request), await read_form(request)
    await count_form(request)
    typed = form.get("contact", "").strip()[:320]
    channel = ChannelName.EMAIL if "@" in typed else ChannelName.SMS
    address = read_address(hub, channel, typed)
    if isinstance(address, AddressProblem):
        neither = address is AddressProblem.NOT_A_NUMBER
        said = (_NO_CONTACT if neither else address.sentence).spoken(language_of(request))
        return way_in(request, contact=typed, error=said, status=422)
    return _told(request, await _ask(request, channel, address), typed)


def read_address(hub: Desk, channel: ChannelName, text: str) -> str | AddressProblem:
    """What somebody typed, as we keep it."""
    if channel is ChannelName.SMS:
        return normalise_phone(text, hub.settings.people.phone_regions)
    return normalise_email(text)


async def count_form(request: web.Request) -> None:
    """Few forms a minute from one block of addresses. Raises `ProblemError` 429."""
    hub = desk(request)
    await hub.limiter.admit("mine", origin_of(request), hub.settings.limits.public_per_minute)


def origin_of(request: web.Request) -> str:
    """The block of addresses a request comes from."""
    return block(caller(request, desk(request).settings.server.trusted_proxies))


async def _ask(request: web.Request, channel: ChannelName, address: str) -> Asked:
    """Takes as long for an address nobody has: writing a message on its way is what takes time."""
    hub, origin = desk(request), origin_of(request)
    began = hub.clock.monotonic()

    def write(conn: Connection) -> Asked:
        held = _holders(conn, hub.authority, channel, address)
        first = held[0] if held else None
        return hub.asking.ask(
            *(conn, hub.authority, Purpose.SIGN_IN, NoteKind.SIGN_IN, channel),
            hub.asking.asker(channel, address, origin),
            person=None if first is None else first.subscriber,
            contact_point=None if first is None else first.id,
        )

    asked = await hub.asking.transact(write)
    await to_the_step(hub.clock, began)
    return asked


def _told(request: web.Request, asked: Asked, typed: str) -> web.Response:
    if asked.refusal is None:
        return see_other(_SENT)
    return show(
        request,
        "portal/mine_sign_in.html",
        status=429,
        private=True,
        sent=False,
        contact=typed,
        errors={},
        refused=asked.refusal,
        over_budget=asked.refusal is Refusal.BUDGET,
        until=asked.until,
    )


# ------------------------------------------------------------------ the link


async def look(request: web.Request) -> web.Response:
    """One button for each person this link may open; it opens nothing, however often fetched."""
    answered, doors, contact = await _read(request)
    if answered.verdict is Verdict.RIGHT and doors:
        return show(
            *(request, "portal/mine_link.html"), private=True, doors=doors, path=request.path
        )
    return await _over(request, answered, contact)


async def enter(request: web.Request) -> web.Response:
    """Open the visit, once; or send a new link where this one is over."""
    hub, form, token = desk(request), await read_form(request), request.match_info["token"]
    await count_form(request)
    looked, doors, contact = await _read(request)
    if looked.verdict is not Verdict.RIGHT:
        if "again" in form and looked.challenge is not None and contact is not None:
            return _told(request, await _ask(request, contact.channel, contact.address), "")
        return await _over(request, looked, contact)
    chosen = form.get("person", "")
    person = next((each.person for each in doors if str(each.person) == chosen), None)
    if person is None:
        return see_other(request.path)
    now = hub.clock.now()

    def write(conn: Connection) -> Answered:
        answered = hub.asking.answer_link(conn, token)
        if answered.verdict is Verdict.RIGHT:
            who = f"subscriber:{person}"
            audit.record(conn, now, "citizen", "sign_in", who, authority=hub.authority)
        return answered

    answered = await hub.ledger.transact(write, hurry=True)
    if answered.verdict is not Verdict.RIGHT:
        return await _over(request, answered, contact)
    response = see_other("/mes-alertes")
    await open_visit(request, response, person)
    return response


async def _over(
    request: web.Request, answered: Answered, contact: ContactPoint | None
) -> web.Response:
    """The link is over, or never was one of ours."""
    if answered.verdict is Verdict.UNKNOWN:
        await count_stranger(request)
    shown = None if contact is None else masked(contact.channel, contact.address)
    return show(
        *(request, "portal/mine_link.html"),
        status=410,
        private=True,
        doors=[],
        path=request.path,
        masked_contact=shown,
    )


async def _read(request: web.Request) -> tuple[Answered, list[Door], ContactPoint | None]:
    """What the link is worth, whom it may open for, the contact it was sent to."""
    hub, token, language = desk(request), request.match_info["token"], language_of(request)

    def read(conn: Connection) -> tuple[Answered, list[Door], ContactPoint | None]:
        answered = hub.asking.look(conn, token)
        asked = answered.challenge
        if (
            asked is None
            or asked.purpose is not Purpose.SIGN_IN
            or asked.authority != hub.authority
        ):
            return Answered(Verdict.UNKNOWN), [], None
        contact = _contact(conn, asked)
        if contact is None:
            return answered, [], None
        people = _holders(conn, hub.authority, contact.channel, contact.address)
        return answered, [_door(conn, hub, each, language) for each in people], contact

    return await hub.ledger.read(read)


def _contact(conn: Connection, asked: Challenge) -> ContactPoint | None:
    mine = [] if asked.subscriber is None else directory.contact_points(conn, asked.subscriber)
    return next((point for point in mine if point.id == asked.contact_point), None)


def _holders(
    conn: Connection, authority: int, channel: ChannelName, address: str
) -> list[ContactPoint]:
    """Who proved that this address is theirs, oldest first; a household may share one."""
    held = directory.find(conn, authority, channel, address) if channel in _WRITTEN else []
    return [point for point in held if point.verified_at is not None]


def _door(conn: Connection, hub: Desk, contact: ContactPoint, language: str) -> Door:
    """Nobody is named: people of one household know each other by what they asked for."""
    person, town = directory.load(conn, contact.subscriber), load_catalogue(conn, hub.authority)
    asked = dict.fromkeys(theme for theme, _, _ in subscriptions_of(conn, contact.subscriber))
    zones = () if person is None else person.zones
    return Door(
        contact.subscriber,
        tuple(town.themes[each].name(language) for each in asked if each in town.themes),
        tuple(town.zones[each].name(language) for each in zones if each in town.zones),
    )
