# SPDX-License-Identifier: EUPL-1.2
"""One announcement as an officer may see it: what its page shows, and the page's live parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.intake import visible
from hub.flow.office.ways_now import WAITING, Way, ways_now
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import scope_of
from hub.flow.writing import four_eyes
from hub.flow.writing.again import Again, to_come
from hub.flow.writing.compositions import of_announcement
from hub.ledger import announcements
from hub.reports.deeds import Deed, deeds
from hub.reports.watched import Watched, watched
from hub.web.console.following.stream import Look, Shown, part
from hub.web.console.guard import Seat
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers.catalogue import Catalogue
from templates.pages.wording import offered, translations
from templates.render import choose

PARTS: Final = {
    "etat": "head",
    "avancement": "counts",
    "raisons": "reasons",
    "journal": "journal",
}
"""The live ones: the id of each, and the end of its template's name."""
DEEDS: Final = (
    *("begin", "edit", "drop", "follow", "take_up", "submit", "withdraw", "propose", "trial"),
    *("approve", "return", "reject", "publish", "publish_alone", "undo"),
    *("pause", "resume", "cancel", "fallback", "redrive", "abandon", "reveal", "export"),
    *("repeat", "repeat_refused", "repeat_too_late", "repeat_stop"),
)
"""What is done about an announcement: each has its words, under `did.<verb>`."""
ONE: Final = r"/console/annonces/{code:[A-Za-z0-9]{1,12}}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see at one moment; `chain` is everything published about the same event,
    `shut` the channels that let nothing out. `wrote`: it is this officer's own, and not gone yet;
    `again` when it comes again.
    """

    watched: Watched
    deeds: Sequence[Deed]
    chain: Sequence[Announcement]
    shut: Sequence[Way]
    catalogue: Catalogue
    officer: Officer
    wrote: bool = False
    again: Again | None = None

    @property
    def announcement(self) -> Announcement:
        """The one that is looked at."""
        return self.watched.announcement

    @property
    def title(self) -> tuple[str, str]:
        """Its title in the town's language, or its first, and which that is."""
        spoken = self.catalogue.language
        content = choose(self.announcement.contents, spoken, spoken)
        return content.title, content.language

    @property
    def may(self) -> frozenset[str]:
        """What this officer may do about it, in the words of the templates."""
        named = {
            "write": Role.WRITE,
            "approve": Role.APPROVE,
            "operate": Role.OPERATE,
            "contacts": Role.CONTACTS,
            "undo": Role.APPROVE,
        }
        found = {word for word, role in named.items() if self.officer.may(role)}
        return frozenset(found | {"undo"} if self.wrote else found)


_TO_GO: Final = (State.WAITING, State.SCHEDULED)


def seen(
    conn: Connection, code: str, officer: Officer, now: datetime, ways: Sequence[Way] = ()
) -> Sight | None:
    """An announcement of this officer's town, under one of their themes; None for any other."""
    about = visible(conn, code, officer.principal(Role.READ))
    if about is None or not officer.may(Role.READ):
        return None
    scope = scope_of(conn, officer, Role.READ)
    return Sight(
        watched(conn, about.id, now),
        deeds(conn, about.code),
        [each for each in announcements.chain(conn, about) if scope.sees(each.themes)],
        [each for each in ways if each.how in WAITING],
        scope.catalogue,
        officer,
        about.state in _TO_GO and four_eyes.wrote(of_announcement(conn, about.id), officer),
        to_come(conn, about, scope.catalogue, now),
    )


async def sight(request: web.Request, officer: Officer) -> Sight | None:
    """The same, of the code in the address."""
    hub, code = desk(request), request.match_info["code"]
    now, roads = hub.clock.now(), list(hub.engine.roads.values())

    def read(conn: Connection) -> Sight | None:
        return seen(conn, code, officer, now, ways_now(conn, roads, hub.clock))

    return await hub.ledger.read(read)


async def must_see(request: web.Request, seat: Seat) -> Sight:
    """The same. Raises `ProblemError` 404."""
    found = await sight(request, seat.officer)
    if found is None:
        raise not_found()
    return found


def look(request: web.Request, seat: Seat) -> Look:
    """What a stream asks, each second."""

    async def looking(officer: Officer) -> Shown | None:
        found = await sight(request, officer)
        if found is None:
            return None
        told = context(request, found)
        parts = {
            name: part(request, seat, f"console/following/announcement_{file}.html", **told)
            for name, file in PARTS.items()
        }
        return Shown(parts, done=found.watched.is_over)

    return looking


def context(request: web.Request, found: Sight) -> dict[str, Any]:
    """What the live parts need."""
    about, now = found.announcement, found.watched.now
    return {
        "it": found.watched,
        "here": f"/console/annonces/{about.code}",
        "may": found.may,
        "author": about.author,
        "approved_by": found.watched.summary.approved_by or "",
        "alone": _is_alone(found.deeds),
        "undo_left": undo_left(about, now),
        "again": found.again,
        "shut": _waiting_there(found),
        "patience": _patience(request, found),
        "deeds": [(each.at, each.actor, words) for each, words in _told(request, found)],
    }


def _is_alone(deeds: Sequence[Deed]) -> bool:
    """Whether its writer let it go without anybody else's approval, when it was last decided."""
    decided = [each.verb for each in deeds if each.verb in ("approve", "publish_alone")]
    return decided[-1:] == ["publish_alone"]


def _waiting_there(found: Sight) -> list[tuple[Way, int]]:
    """The channels that let nothing out, with how many of its messages wait for them."""
    waiting = {each.channel: each.waiting for each in found.watched.channels}
    return [(way, n) for way in found.shut if (n := waiting.get(way.channel, 0))]


def _patience(request: web.Request, found: Sight) -> timedelta | None:
    """How long an urgent SMS may go without a receipt until the person is told on another channel
    too; None where none is waited for."""
    about = found.announcement
    if about.urgency is not Urgency.URGENT or about.state is not State.RUNNING:
        return None
    told = [each for each in found.watched.channels if each.channel is ChannelName.SMS]
    silent = sum(each.handed_over - each.received for each in told)
    return timedelta(seconds=desk(request).settings.engine.fallback_seconds) if silent else None


def undo_left(about: Announcement, now: datetime) -> int | None:
    """Seconds until it leaves, in steps of five: text that changes more often cannot be read."""
    if about.state is not State.WAITING or about.release_at is None:
        return None
    left = max(int((about.release_at - now).total_seconds()), 0)
    return -(-left // 5) * 5


def _told(request: web.Request, found: Sight) -> list[tuple[Deed, str]]:
    say = translations(offered(language_of(request))).gettext
    return [(each, deed_words(each.verb, say)) for each in found.deeds]


def deed_words(verb: str, say: Any) -> str:
    """What was done, in words; a verb of tomorrow as it is written."""
    key = f"did.{verb}"
    words: str = say(key)
    return verb if words == key else words


def chained(found: Sight) -> list[Mapping[str, Any]]:
    """What else was said about the same event, that this officer may open."""
    spoken = found.catalogue.language
    return [
        {
            "url": f"/console/annonces/{each.code}",
            "title": choose(each.contents, spoken, spoken).title,
            "kind": each.kind,
            "state": each.state,
        }
        for each in found.chain
        if each.id != found.announcement.id
    ]
