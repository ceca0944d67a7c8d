# SPDX-License-Identifier: EUPL-1.2
"""A thousand imported people against those we hold: who is new, who changes, who stays as is.

A line changes somebody we know only with a consent newer than the one we hold: what citizens
chose themselves since is never overwritten by an old file, and a file run twice changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from channels.base import ChannelName
from subscribers.import_known import Known, barred_contacts, load_known, stopped_contacts
from subscribers.import_person import ImportedPerson
from subscribers.tables import consent, contact_point, subscriber, subscriber_zone, subscription
from subscribers.wording import Sentence


class VerdictKind(StrEnum):
    """What became of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the file and what became of it; `sentence` says why, where there is a why.

    `whole_file` is true where nothing of the file was read.
    """

    line: int
    kind: VerdictKind
    sentence: Sentence | None = None
    whole_file: bool = False


STOPPED: Final = Sentence(
    "Cette personne s'est désabonnée depuis ce consentement. Donnez un consentement plus récent.",
    "This person stopped after this consent. Give a more recent consent.",
)
DO_NOT_CONTACT: Final = Sentence(
    "Ce contact est sur la liste à ne plus contacter. Retirez la ligne.",
    "This contact is on the do-not-contact list. Remove the line.",
)
KEPT: Final = Sentence(
    "Cette personne a d'autres choix aujourd'hui ; ils sont gardés. Pour les remplacer, donnez "
    "une date de consentement plus récente.",
    "This person has other choices today; they are kept. To replace them, give a more recent "
    "consent date.",
)


@dataclass(slots=True)
class _Changes:
    """All that a batch writes."""

    new: list[ImportedPerson] = field(default_factory=list)
    changed: list[tuple[Known, ImportedPerson]] = field(default_factory=list)
    proved: list[int] = field(default_factory=list)  # contact points


@dataclass(frozen=True, slots=True)
class BatchRules:
    """What holds for every batch of an import (see `importer.ImportOptions`)."""

    authority: int
    suppression_key: bytes = field(repr=False)
    verified: bool
    dry_run: bool
    recorded_by: str


def import_batch(
    conn: Connection,
    people: Sequence[tuple[int, ImportedPerson]],
    rules: BatchRules,
    now: datetime,
) -> list[Verdict]:
    """Compare and write (line number, person) pairs with distinct import keys, in one
    transaction. Returns a verdict each, in order."""
    known = load_known(conn, rules.authority, [person.import_key for _, person in people])
    barred = barred_contacts(conn, rules.suppression_key, people, now)
    stopped = stopped_contacts(conn, rules.authority, people)
    changes, verdicts = _Changes(), []
    for line, person in people:
        held = known.get(person.import_key)
        if barred.intersection(person.contacts.items()):
            verdicts.append(Verdict(line, VerdictKind.REFUSED, DO_NOT_CONTACT))
        elif held is None:
            verdicts.append(_newcomer(line, person, stopped, changes))
        else:
            verdicts.append(_acquaintance(line, person, held, rules.verified, changes))
    if not rules.dry_run:
        _write(conn, changes, rules, now)
    return verdicts


def _newcomer(
    line: int,
    person: ImportedPerson,
    stopped: Mapping[tuple[str, str], datetime],
    changes: _Changes,
) -> Verdict:
    ends = (stopped.get((channel.value, told)) for channel, told in person.contacts.items())
    if any(end is not None and end >= person.consent_given for end in ends):
        return Verdict(line, VerdictKind.REFUSED, STOPPED)
    changes.new.append(person)
    return Verdict(line, VerdictKind.CREATED)


def _acquaintance(
    line: int, person: ImportedPerson, held: Known, verified: bool, changes: _Changes
) -> Verdict:
    if held.withdrawn is not None and held.withdrawn >= person.consent_given:
        return Verdict(line, VerdictKind.REFUSED, STOPPED)
    if held.given is None or person.consent_given > held.given:
        changes.changed.append((held, person))
        return Verdict(line, VerdictKind.UPDATED)
    wanted = {(channel.value, told) for channel, told in person.contacts.items()}
    unproved = [i for point, (i, done) in held.points.items() if point in wanted and not done]
    if verified and unproved:
        changes.proved += unproved
        return Verdict(line, VerdictKind.UPDATED)
    alike = (
        held.settings == _settings(person)
        and held.subscriptions == set(_subscriptions(person))
        and held.zones == set(person.zones)
        and wanted <= held.points.keys()
    )
    return Verdict(line, VerdictKind.UNCHANGED, None if alike else KEPT)


def _settings(person: ImportedPerson) -> tuple[Any, ...]:
    start, end = person.quiet or (None, None)
    return (person.language, person.timezone, start, end, person.urgent_breaks_quiet)


def _subscriptions(person: ImportedPerson) -> Iterable[tuple[int, str, str]]:
    return (
        (theme, channel.value, person.cadence.value)
        for theme in person.themes
        for channel in person.channels
    )


# --------------------------------------------------------------------------- writing


def _write(conn: Connection, changes: _Changes, rules: BatchRules, now: datetime) -> None:
    if changes.proved:
        proved = update(contact_point).where(contact_point.c.id.in_(changes.proved))
        conn.execute(proved.values(verified_at=now))
    people = [*_create(conn, changes.new, rules.authority, now), *_clear(conn, changes.changed)]
    held = {known.id: known.points for known, _ in changes.changed}
    _insert(
        conn,
        contact_point,
        (
            {
                "subscriber": number,
                "channel": channel.value,
                "address": address,
                "verified_at": now if rules.verified else None,
                "created": now,
            }
            for number, person in people
            for channel, address in person.contacts.items()
            if (channel.value, address) not in held.get(number, {})
        ),
    )
    _insert(
        conn,
        subscription,
        (
            {"subscriber": number, "theme": theme, "channel": channel, "cadence": cadence}
            for number, person in people
            for theme, channel, cadence in _subscriptions(person)
        ),
    )
    _insert(
        conn,
        subscriber_zone,
        ({"subscriber": n, "zone": zone} for n, person in people for zone in person.zones),
    )
    _insert(conn, consent, (_consent(n, person, rules, now) for n, person in people))


def _consent(
    number: int, person: ImportedPerson, rules: BatchRules, now: datetime
) -> dict[str, Any]:
    return {
        "subscriber": number,
        "source": person.consent_source,
        "text_version": person.consent_text_version,
        "given_at": person.consent_given,
        "recorded_by": rules.recorded_by,
        "recorded_at": now,
    }


def _insert(conn: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:
        conn.execute(insert(table), listed)


def _settings_row(person: ImportedPerson) -> dict[str, Any]:
    names = ("language", "timezone", "quiet_start", "quiet_end", "urgent_breaks_quiet")
    order = [channel.value for channel in person.channels]
    return {**dict(zip(names, _settings(person), strict=True)), "channel_order": order}


def _create(
    conn: Connection, people: Sequence[ImportedPerson], authority: int, now: datetime
) -> list[tuple[int, ImportedPerson]]:
    rows = [
        {
            **_settings_row(person),
            "authority": authority,
            "import_key": person.import_key,
            "created": now,
        }
        for person in people
    ]
    _insert(conn, subscriber, rows)
    query = select(subscriber.c.import_key, subscriber.c.id).where(
        subscriber.c.authority == authority,
        subscriber.c.import_key.in_([person.import_key for person in people]),
    )
    numbers = {row[0]: row[1] for row in conn.execute(query)}
    return [(numbers[person.import_key], person) for person in people]


def _clear(
    conn: Connection, changed: Sequence[tuple[Known, ImportedPerson]]
) -> list[tuple[int, ImportedPerson]]:
    """Take away what a newer line replaces: settings, subscriptions, zones, and the addresses of
    the channels it fills (a number may have been given to somebody else)."""
    if not changed:
        return []
    ids = [known.id for known, _ in changed]
    for table in (subscription, subscriber_zone):
        conn.execute(delete(table).where(table.c.subscriber.in_(ids)))
    stale = [
        number
        for known, person in changed
        for (channel, address), (number, _) in known.points.items()
        if person.contacts.get(ChannelName(channel), address) != address
    ]
    conn.execute(delete(contact_point).where(contact_point.c.id.in_(stale)))
    settings = [{**_settings_row(person), "number": known.id} for known, person in changed]
    conn.execute(update(subscriber).where(subscriber.c.id == bindparam("number")), settings)
    return [(known.id, person) for known, person in changed]
