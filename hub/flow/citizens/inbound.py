# SPDX-License-Identifier: EUPL-1.2
"""A citizen writes to the town: stops, resumes, joins, asks; answered once, in their language.

A number may be several people's, of several towns: what is asked is done for all of them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from channels.base import ChannelName, Clock, Inbound, Reason
from hub.flow.citizens.keywords import JoinRules, join
from hub.flow.citizens.stopping import Stopped, apply, write_down
from hub.flow.citizens.undoing import Back, write_back
from hub.flow.citizens.words import Understood, Wish, matching, understood
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.causes import last_told
from hub.ledger.store import Ledger
from subscribers import consent, directory, subscriptions
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.directory import ContactPoint, Subscriber
from subscribers.preferences import Cadence
from templates.answers import Answer, answer

BY_SMS: Final = "sms"
DAY: Final = timedelta(days=1)
ANSWERS: Final = 20  # to one number in a day: two machines that answer each other cost no more
REMEMBERED: Final = 10_000  # messages and numbers, the latest


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for the holders of a number, and in which language to say so."""

    what: Answer
    language: str
    theme: str = ""
    stopped: tuple[Stopped, ...] = ()
    back: tuple[Back, ...] = ()
    people: tuple[int, ...] = ()


@dataclass(slots=True)
class Answering:
    """Obeys at once, and has the gate know. `town` and `url` are what the answers name, `joining`
    says who may become a subscriber."""

    ledger: Ledger
    wishes: Wishes
    clock: Clock
    town: str
    url: str
    language: str
    joining: JoinRules
    _answered: "OrderedDict[str, str | None]" = field(default_factory=OrderedDict)
    _helped: "OrderedDict[str, datetime]" = field(default_factory=OrderedDict)
    _talks: "OrderedDict[str, tuple[datetime, int]]" = field(default_factory=OrderedDict)

    async def hear(self, said: Inbound) -> str | None:
        """The answer, None where there had better be none. A message that comes again is answered
        as it was. Raises `LedgerFullError`: nothing was done, or all of it may be asked again."""
        if said.id and said.id in self._answered:
            return self._answered[said.id]
        reply = await self._obey(said)
        if said.id:
            _keep(self._answered, said.id, reply)
        return reply

    async def _obey(self, said: Inbound) -> str | None:
        if not said.sender.startswith("+") or said.sender == said.to:
            return None  # a machine's short code or name, or our own echo
        meant, now = understood(said.body), self.clock.now()
        done = await self.ledger.transact(
            lambda conn: _act(conn, said.sender, meant, self.joining, now), hurry=True
        )
        # after the commit: whatever was read of these people before it is then stale
        for person in done.people:
            self.wishes.changed(person, self.clock.monotonic())
        await asyncio.to_thread(write_down, self.ledger, done.stopped, now)
        await asyncio.to_thread(write_back, self.ledger, done.back, now)
        if said.answered or (meant.wish is Wish.UNCLEAR and not self._may_help(said.sender, now)):
            return None
        if not self._may_answer(said.sender, now):
            return None
        language = done.language or ("en" if meant.english else self.language)
        return answer(done.what, language, town=self.town, url=self.url, theme=done.theme)

    def _may_help(self, number: str, now: datetime) -> bool:
        """Whether nobody at this number was helped unasked today: it may be a machine too."""
        last = self._helped.get(number)
        if last is not None and now - last < DAY:
            return False
        _keep(self._helped, number, now)
        return True

    def _may_answer(self, number: str, now: datetime) -> bool:
        """Whether this number was not answered too often today; it is obeyed all the same."""
        since, answers = self._talks.get(number, (now, 0))
        if now - since >= DAY:
            since, answers = now, 0
        _keep(self._talks, number, (since, answers + 1))
        return answers < ANSWERS


def _keep(memory: "OrderedDict[str, Any]", key: str, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


# --------------------------------------------------------------------------- in the ledger


def _act(
    conn: Connection, number: str, meant: Understood, joining: JoinRules, now: datetime
) -> Done:
    points = directory.holders(conn, ChannelName.SMS, number)
    first = directory.load(conn, points[0].subscriber) if points else None
    language = first.language if first else ""
    match meant.wish:
        case Wish.STOP:
            return _stop(conn, points, meant.about, now, language)
        case Wish.START:
            return _start(conn, points, now, language)
        case Wish.SUBSCRIBE:
            joined = join(conn, number, meant, joining, now)
            return Done(joined.what, joined.language, joined.theme, people=joined.people)
        case _:
            return Done(Answer.HELP, language)


def _stop(
    conn: Connection, points: Sequence[ContactPoint], about: str, now: datetime, language: str
) -> Done:
    """One theme where it is one of ours, with all below it; else everything on this channel.

    A theme that only one of several towns knows is meant for that one: the others' SMS go on.
    """
    stopped, named = [], ""
    meant = [(*_town(conn, point.subscriber), point.subscriber) for point in points]
    known = any(_theme(catalogue, about) for _, catalogue, _ in meant)
    for who, catalogue, person in meant:
        theme = _theme(catalogue, about)
        if known and theme is None:
            continue
        keys = None if theme is None else _below(catalogue, theme)
        what = Stopped(person, ChannelName.SMS, keys)
        before = _held(conn, person, catalogue)
        apply(conn, what, who.authority, now)
        after = _held(conn, person, catalogue)
        taken = sorted(before.items() - after.items())
        detail: dict[str, Any] = {"by": BY_SMS, "taken": taken}
        if (cause := last_told(conn, person, ChannelName.SMS, now)) is not None:
            detail["announcement"] = cause
        town, whom = who.authority, f"subscriber:{person}"
        audit.record(conn, now, "citizen", "stop", whom, authority=town, detail=detail)
        stopped.append(what)
        if theme:
            named = catalogue.themes_by_key[theme].name(language)
    people = tuple(each.person for each in stopped)
    said = Answer.STOPPED_THEME if named else Answer.STOPPED
    return Done(said, language, named, tuple(stopped), people=people)


def _town(conn: Connection, person: int) -> tuple[Subscriber, Catalogue]:
    who = directory.load(conn, person)
    assert who is not None  # a contact point is somebody's
    return who, load_catalogue(conn, who.authority)


def _theme(catalogue: Catalogue, about: str) -> str | None:
    names = [
        {theme.key: theme.names.get(language, "") for theme in catalogue.themes.values()}
        for language in ("fr", "en")
    ]
    return matching(about, names[0]) or matching(about, names[1])


def _below(catalogue: Catalogue, key: str) -> tuple[str, ...]:
    """A theme and every narrower one, by key."""
    top = catalogue.themes_by_key[key].id
    found = [t for t in catalogue.themes.values() if top in catalogue.theme_lineage([t.id])]
    return tuple(theme.key for theme in found)


def _held(conn: Connection, person: int, catalogue: Catalogue) -> dict[str, str]:
    """What reaches a person by SMS: theme -> cadence."""
    return {
        catalogue.themes[theme].key: cadence.value
        for theme, channel, cadence in subscriptions.subscriptions_of(conn, person)
        if channel is ChannelName.SMS
    }


def _start(conn: Connection, points: Sequence[ContactPoint], now: datetime, language: str) -> Done:
    """Bring back what their own SMS had stopped, no more: they consented to that and wrote it."""
    people, back = [], []
    for point in points:
        taken = _taken(conn, point.subscriber)
        refused = point.suspended_reason == Reason.OPTED_OUT
        if refused:  # the provider lifts its own refusal at this very word
            directory.lift_suspension(conn, point.id)
        if taken:
            _subscribe_again(conn, point.subscriber, taken, now)
            rows = ((theme, BY_SMS, cadence) for theme, cadence in sorted(taken.items()))
            back.append(Back(point.subscriber, tuple(rows)))
        if taken or refused:
            who = f"subscriber:{point.subscriber}"
            detail = {"by": BY_SMS, "back": sorted(taken)}
            audit.record(conn, now, "citizen", "start", who, detail=detail)
            people.append(point.subscriber)
    said = Answer.STARTED if people else Answer.NOTHING_TO_START
    return Done(said, language, back=tuple(back), people=tuple(people))


def _taken(conn: Connection, person: int) -> dict[str, str]:
    """Theme -> cadence of what was stopped by SMS since they last started, or stopped otherwise:
    a later word of theirs counts more."""
    taken: dict[str, str] = {}
    for line in reversed(audit.of_object(conn, f"subscriber:{person}")):
        if line["verb"] not in {"stop", "start"}:
            continue
        if line["verb"] == "start" or line["detail"].get("by") != BY_SMS:
            break
        taken |= dict(line["detail"]["taken"])
    return taken


def _subscribe_again(conn: Connection, person: int, taken: dict[str, str], now: datetime) -> None:
    who = directory.load(conn, person)
    assert who is not None
    catalogue = load_catalogue(conn, who.authority)
    known = catalogue.themes_by_key
    for theme, cadence in taken.items():
        if theme in known and not known[theme].archived:
            subscriptions.subscribe(
                conn,
                person,
                [known[theme].id],
                ChannelName.SMS,
                cadence=Cadence(cadence),
                catalogue=catalogue,
            )
    last = consent.latest(conn, person)
    if last is not None and last.withdrawn_at is not None:
        consent.record(
            conn, person, source="SMS START", text_version=last.text_version, given_at=now, now=now
        )
