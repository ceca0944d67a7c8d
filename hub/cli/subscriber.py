# SPDX-License-Identifier: EUPL-1.2
"""`hub subscriber`: what we hold about one person, shown to them or erased for them (GDPR)."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.cli.desk import Desk, at_desk
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config, Refusal
from hub.equipment import Keys
from hub.flow.citizens.erasing import Erasing
from hub.flow.send.gate import Wishes
from hub.ledger.audit import record
from subscribers import consent, directory
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.catalogue import Catalogue
from subscribers.consent import Consent
from subscribers.directory import ContactPoint, Subscriber
from subscribers.preferences import Cadence, QuietHours
from subscribers.privacy import export_person
from subscribers.subscriptions import subscriptions_of

_subscribers = typer.Typer(help="One person: shown, or erased.")


class _Person(NamedTuple):
    """All that is shown of one person."""

    settings: Subscriber
    points: list[ContactPoint]
    subscriptions: tuple[tuple[int, ChannelName, Cadence], ...]
    consent: Consent | None


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_subscribers, name="subscriber", no_args_is_help=True)


@_subscribers.command()
def show(
    who: Annotated[
        str, typer.Argument(metavar="ID|ADDRESS", help="A number, a phone number or an e-mail.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Every stored field (GDPR art. 15 and 20).")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Show what we hold about a person, addresses included; the journal keeps who looked."""
    typer.echo(at_desk(config, lambda desk: _shown(desk, who, as_json)))


async def _shown(desk: Desk, who: str, as_json: bool) -> str:
    catalogue = await desk.catalogue()

    def look(conn: Connection) -> str:
        people = _named(conn, desk, who)
        if not people:
            raise Refusal("There is nobody of that number or address.")
        for person in people:
            _journal(conn, desk, "show", person)
        if as_json:
            exported = [export_person(conn, person) for person in people]
            return json.dumps(exported, ensure_ascii=False, indent=2)
        shown = (_lines(_person(conn, person), catalogue) for person in people)
        return "\n\n".join("\n".join(lines) for lines in shown)

    return await desk.ledger.transact(look)


@_subscribers.command()
def erase(
    person: Annotated[int, typer.Argument(metavar="ID", min=1, help="The person's number.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    do_not_contact: Annotated[
        bool,
        typer.Option(
            "--do-not-contact",
            help="Also keep keyed hashes of their addresses, so that nobody adds them again.",
        ),
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Leave nothing about a person (GDPR art. 17). There is no way back."""

    async def count(desk: Desk) -> int:
        def look(conn: Connection) -> int:
            return len(directory.contact_points(conn, _ours(conn, desk, person)))

        return await desk.ledger.read(look)

    points = at_desk(config, count)
    addresses = f"{points} address{'' if points == 1 else 'es'}"
    if not yes and not typer.confirm(f"Erase subscriber {person}, with {addresses}, for ever?"):
        raise Refusal("Nobody was erased.")
    at_desk(config, lambda desk: _erase(desk, person, do_not_contact))
    typer.echo(f"Subscriber {person} is erased.")


async def _erase(desk: Desk, person: int, do_not_contact: bool) -> None:
    key = Keys.of(desk.settings).suppression

    await desk.ledger.read(lambda conn: _ours(conn, desk, person))
    # a daemon beside us reads each person again within two seconds: no gate of ours to tell
    erasing = Erasing(desk.ledger, Wishes(), desk.clock, key)
    wished = key if do_not_contact else None
    await erasing.erase(person, actor=desk.principal.name, do_not_contact=wished)


# --------------------------------------------------------------------------- who is meant


def _named(conn: Connection, desk: Desk, who: str) -> list[int]:
    """The people of a number or an address: a household may share one."""
    if who.isdecimal() and not who.startswith("0"):
        return [_ours(conn, desk, int(who))]
    channel = ChannelName.EMAIL if "@" in who else ChannelName.SMS
    regions = desk.settings.people.phone_regions
    address = normalise_email(who) if "@" in who else normalise_phone(who, regions)
    if isinstance(address, AddressProblem):
        raise Refusal(address.sentence.en)
    found = directory.find(conn, desk.principal.authority, channel, address)
    return list(dict.fromkeys(point.subscriber for point in found))


def _ours(conn: Connection, desk: Desk, person: int) -> int:
    """Raises `Refusal` for nobody, and for somebody of another authority: both look alike."""
    found = directory.load(conn, person) if person < 2**63 else None
    if found is None or found.authority != desk.principal.authority:
        raise Refusal(f"There is no subscriber {person}.")
    return person


def _journal(conn: Connection, desk: Desk, verb: str, person: int) -> None:
    who, now = desk.principal, desk.clock.now()
    record(conn, now, who.name, verb, f"subscriber:{person}", authority=who.authority)


# --------------------------------------------------------------------------- shown


def _person(conn: Connection, person: int) -> _Person:
    settings = directory.load(conn, person)
    assert settings is not None  # `_named` found them in this transaction
    return _Person(
        settings,
        directory.contact_points(conn, person),
        subscriptions_of(conn, person),
        consent.latest(conn, person),
    )


def _lines(person: _Person, catalogue: Catalogue) -> Iterator[str]:
    """Dates on the town's calendar, as they were typed."""
    settings, town = person.settings, ZoneInfo(catalogue.timezone)
    zones = [catalogue.zones[zone].name("en") for zone in settings.zones]
    yield from table(
        [
            ("subscriber", str(settings.id)),
            ("since", _day(settings.created, town)),
            ("language", settings.language),
            ("time zone", settings.timezone),
            ("quiet hours", _quiet(settings.quiet, settings.urgent_breaks_quiet)),
            *(
                [("paused until", settings.paused_until.isoformat())]
                if settings.paused_until
                else []
            ),
            ("zones", ", ".join(zones) or "the whole town"),
            ("consent", _consent(person.consent, town)),
        ]
    )
    yield "addresses"
    rows = [(f"  {p.channel}", p.label or p.address, _standing(p, town)) for p in person.points]
    yield from table(rows) if rows else ["  none"]
    yield "subscriptions"
    subscribed = [
        (f"  {catalogue.themes[theme].name('en')}", str(channel), str(cadence))
        for theme, channel, cadence in person.subscriptions
    ]
    yield from table(subscribed) if subscribed else ["  none"]


def _quiet(quiet: QuietHours | None, urgent_breaks: bool) -> str:
    if quiet is None:
        return "none"
    hours = "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet.start, quiet.end))
    return f"{hours}, {'but for' if urgent_breaks else 'also for'} urgent alerts"


def _consent(given: Consent | None, town: ZoneInfo) -> str:
    if given is None:
        return "none"
    text = f"{_day(given.given_at, town)}, {given.source}, text {given.text_version}"
    ended = given.withdrawn_at
    return f"{text}, withdrawn {_day(ended, town)}" if ended else text


def _standing(point: ContactPoint, town: ZoneInfo) -> str:
    if point.suspended_at is not None:
        return f"suspended {_day(point.suspended_at, town)} ({point.suspended_reason})"
    if point.verified_at is not None:
        return f"verified {_day(point.verified_at, town)}"
    return "not verified: receives nothing"


def _day(moment: datetime, town: ZoneInfo) -> str:
    return f"{moment.astimezone(town):%Y-%m-%d}"
