# SPDX-License-Identifier: EUPL-1.2
"""A made-up town of a few dozen people, and what each of them wishes."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final

from sqlalchemy import Connection, insert

from channels.base import ChannelName
from subscribers import tables

ADDRESS: Final = {
    ChannelName.SMS: "+3363998{:04d}",
    ChannelName.EMAIL: "p{}@example.org",
    ChannelName.WEBPUSH: "https://push.example.org/{}",
    ChannelName.X: "valmont{}",
}
THEME: Final = 10


@dataclass
class Person:
    """One citizen as the story knows them. `silent` is when their stop or erasure was committed."""

    number: int
    addresses: dict[ChannelName, str]
    cadence: str = "now"
    quiet: tuple[int, int] | None = None  # minutes of the local day
    spared: bool = True  # urgent messages may break their quiet hours
    silent: float | None = None
    asked: float | None = None  # when the stop was under way


@dataclass
class Town:
    """Everybody, by number."""

    people: dict[int, Person] = field(default_factory=dict)

    def write(self, conn: Connection, now: datetime) -> None:
        """Into the tables, as they were when the story began."""
        row = {"id": 1, "key": "valmont", "name": "Valmont", "timezone": "Europe/Paris"}
        conn.execute(insert(tables.authority).values(**row, language="fr"))
        names = {"fr": "Eau"}
        conn.execute(insert(tables.theme).values(id=THEME, authority=1, key="eau", names=names))
        for person in self.people.values():
            conn.execute(insert(tables.subscriber).values(_subscriber(person, now)))
            for channel, address in person.addresses.items():
                point = {"subscriber": person.number, "channel": channel, "address": address}
                point |= {"verified_at": now, "created": now}
                conn.execute(insert(tables.contact_point).values(**point))
                asked = {"subscriber": person.number, "theme": THEME, "channel": channel}
                cadence = person.cadence
                conn.execute(insert(tables.subscription).values(**asked, cadence=cadence))


def _subscriber(person: Person, now: datetime) -> dict[str, object]:
    row: dict[str, object] = {"id": person.number, "authority": 1, "language": "fr"}
    row |= {"timezone": "Europe/Paris", "channel_order": [], "created": now}
    if person.quiet is not None:
        row |= {"quiet_start": person.quiet[0], "quiet_end": person.quiet[1]}
        row |= {"urgent_breaks_quiet": person.spared}
    return row


def settle(chance: Random, channels: list[ChannelName]) -> Town:
    """A dozen people or three; a few share a telephone, sleep early or read a digest."""
    town = Town()
    digests = 0.2 if chance.random() < 0.15 else 0.0
    for number in range(1, chance.choice([4, 8, 12, 30]) + 1):
        mine = [each for each in channels if chance.random() < 0.8] or channels[:1]
        if ChannelName.X in mine and number > 2:  # few speak to the town there
            mine.remove(ChannelName.X)
        person = Person(number, {each: ADDRESS[each].format(number) for each in mine})
        if number > 1 and chance.random() < 0.1:
            shared = chance.choice(list(town.people.values())).addresses
            person.addresses |= {
                each: shared[each]
                for each in mine
                if each in shared and each in (ChannelName.SMS, ChannelName.EMAIL)
            }
        if chance.random() < 0.15:
            person.quiet = chance.choice([(20 * 60, 8 * 60), (12 * 60, 14 * 60)])
            person.spared = chance.random() < 0.7
        if chance.random() < digests:
            person.cadence = "daily"
        town.people[number] = person
    return town
