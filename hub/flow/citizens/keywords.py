# SPDX-License-Identifier: EUPL-1.2
"""Somebody subscribes by SMS: the message itself proves the number, its words are the consent.

For who has no smartphone: the poster says which word to send.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName, Reason, Recipient
from hub.flow.citizens.words import Understood, folded, nearest
from hub.ledger import audit
from subscribers import consent, directory, subscriptions, suppression
from subscribers.addresses import AddressProblem, normalise_phone
from subscribers.catalogue import Catalogue, Theme, load_catalogue
from subscribers.consent_text import CONSENT_VERSION
from subscribers.directory import ContactPoint
from subscribers.preferences import Cadence
from templates.answers import Answer

SOURCE: Final = "sms"
"""How this consent was given, as the proof says it."""
_ROOM: Final = 60  # characters of an answer that may name themes


@dataclass(frozen=True, slots=True)
class JoinRules:
    """Of which town one becomes a subscriber, from which countries, and the key that addresses are
    hashed with."""

    authority: int
    regions: Sequence[str]
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """What to answer, in which language ("": nobody chose one), naming what; `people` changed."""

    what: Answer
    language: str
    theme: str = ""
    people: tuple[int, ...] = ()


def join(
    conn: Connection, number: str, meant: Understood, rules: JoinRules, now: datetime
) -> Joined:
    """Subscribe the holder of `number` (E.164) to the theme they wrote, else to the advised ones.

    Somebody new is written down with the consent; of several people at the number it is the one
    who proved it first. Asking lifts a do-not-contact of theirs. Repeating changes nothing.
    """
    catalogue = load_catalogue(conn, rules.authority)
    if isinstance(normalise_phone(number, rules.regions), AddressProblem):
        return Joined(Answer.NOT_A_MOBILE, "")
    held = _holder(conn, rules.authority, number)
    person = None if held is None else directory.load(conn, held.subscriber)
    language = person.language if person else ("en" if meant.english else catalogue.language)
    wanted = _wanted(catalogue, meant)
    if not wanted:
        return Joined(Answer.WHICH_THEME, language, _within(map(_word, _open(catalogue))))
    hashed = suppression.address_hash(rules.key, ChannelName.SMS, number)
    suppression.lift(conn, ChannelName.SMS, hashed)
    blocked = held is not None and held.suspended_reason == Reason.OPTED_OUT
    who = held.subscriber if held else _newcomer(conn, catalogue, language, now)
    _prove(conn, held, who, number, blocked=blocked, now=now)
    _subscribe(conn, who, wanted, catalogue, now)
    said = Answer.SUBSCRIBED_BLOCKED if blocked else Answer.SUBSCRIBED
    return Joined(said, language, _within(theme.name(language) for theme in wanted), (who,))


def _holder(conn: Connection, authority: int, number: str) -> ContactPoint | None:
    """Whoever proved the number first. What somebody typed in for it and nobody confirmed is left
    alone: the sender did not choose that."""
    found = directory.find(conn, authority, ChannelName.SMS, number)
    proved = [point for point in found if point.verified_at is not None]
    return min(proved, key=lambda point: (point.verified_at, point.id), default=None)


def _newcomer(conn: Connection, catalogue: Catalogue, language: str, now: datetime) -> int:
    return directory.create(
        conn,
        catalogue.authority,
        language=language,
        timezone=catalogue.timezone,
        now=now,
        channel_order=[ChannelName.SMS],
    )


def _prove(
    conn: Connection,
    held: ContactPoint | None,
    person: int,
    number: str,
    *,
    blocked: bool,
    now: datetime,
) -> None:
    """The number is theirs: they wrote from it. Only START ends the provider's own refusal."""
    if blocked:
        return
    point = held.id if held else 0
    if not point:
        recipient = Recipient(number)
        point = directory.add_contact_point(conn, person, ChannelName.SMS, recipient, now)
    if held is None or held.suspended_at is not None:
        directory.verify(conn, point, now)


def _subscribe(
    conn: Connection, person: int, wanted: Sequence[Theme], catalogue: Catalogue, now: datetime
) -> None:
    mine = subscriptions.subscriptions_of(conn, person)
    has = {theme for theme, channel, _ in mine if channel is ChannelName.SMS}
    new = [theme for theme in wanted if not has & set(catalogue.theme_lineage([theme.id]))]
    subscriptions.subscribe(
        conn,
        person,
        [theme.id for theme in new],
        ChannelName.SMS,
        cadence=Cadence.NOW,
        catalogue=catalogue,
    )
    standing = consent.latest(conn, person)
    if not new and standing is not None and standing.withdrawn_at is None:
        return
    consent.record(conn, person, source=SOURCE, text_version=CONSENT_VERSION, given_at=now, now=now)
    detail = {"by": SOURCE, "themes": [theme.key for theme in new]}
    who = f"subscriber:{person}"
    town = catalogue.authority
    audit.record(conn, now, "citizen", "subscribe", who, authority=town, detail=detail)


# --------------------------------------------------------------------------- which theme


def _open(catalogue: Catalogue) -> list[Theme]:
    """What may be asked for, wider themes first."""
    themes = [theme for theme in catalogue.themes.values() if not theme.archived]
    return sorted(themes, key=lambda theme: theme.parent is not None)


def _wanted(catalogue: Catalogue, meant: Understood) -> list[Theme]:
    offered = _open(catalogue)
    if not meant.about:
        return [theme for theme in offered if theme.advised]
    for said in (meant.about, meant.whole):  # "ALERTES URGENTES" is a theme's whole name
        for language in ("fr", "en"):
            key = nearest(said, {theme.key: theme.names.get(language, "") for theme in offered})
            if key is not None:
                return [catalogue.themes_by_key[key]]
    return []


def _word(theme: Theme) -> str:
    return folded(theme.key)


def _within(names: Iterable[str]) -> str:
    """As many as an answer has room for, whole ones, at least one."""
    said = ""
    for name in names:
        longer = f"{said}, {name}" if said else name
        if said and len(longer) > _ROOM:
            break
        said = longer
    return said
