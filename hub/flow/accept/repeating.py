# SPDX-License-Identifier: EUPL-1.2
"""Announcements that come again: each time is an announcement of its own, made when it is due.

The first is made at once and scheduled; whoever approves it approves the following. Of times the
daemon slept through only the last one still valid is made up for: no flood.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.announcement import Announcement, Event, State
from hub.flow.accept.intake import UnknownAnnouncementError, entitled, publish
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import RefusedError
from hub.flow.accept.recurrence import Repeat, local_day
from hub.flow.accept.repeats import expiry
from hub.flow.accept.scrutiny import Desk, scrutinise
from hub.flow.accept.submission import parse
from hub.flow.site import Press
from hub.flow.upkeep import one_by_one
from hub.flow.writing import attachments
from hub.ledger import announcements, audit, recurrences
from hub.ledger.recurrences import Recurrence
from subscribers.catalogue import Catalogue, load_catalogue

log = structlog.get_logger(__name__)

_UNDECIDED = frozenset({State.DRAFT, State.TO_APPROVE, State.WAITING})
"""Of what may still be taken back nothing comes again: the first one leaves in a moment itself."""


@dataclass(frozen=True, slots=True)
class Repeating:
    """What makes the announcements that are due."""

    press: Press
    channels: Sequence[ChannelName]

    def publish_due(self, conn: Connection, now: datetime) -> int:
        """Make and publish what comes again now. Returns how many recurrences were looked at."""

        def come(each: Recurrence) -> int:
            self._come_again(conn, each, now)
            return 1

        return one_by_one(conn, recurrences.due(conn, now), come)

    def _come_again(self, conn: Connection, each: Recurrence, now: datetime) -> None:
        first = announcements.by_code(conn, each.code, each.authority)
        if first is None or (first.state is State.CANCELLED and first.published is None):
            recurrences.end(conn, each.id, now)  # refused before it ever left: so is the rest
            return
        rule, catalogue = Repeat.model_validate(each.rule), load_catalogue(conn, each.authority)
        today = local_day(each.created, catalogue.timezone)
        latest = rule.latest(now, today, catalogue.timezone)
        following = rule.after(now, today, catalogue.timezone)
        recurrences.advance(conn, each.id, None if following is None else following[1])
        if latest is None or first.state in _UNDECIDED:
            return  # nobody has approved it yet, for good
        day, moment = latest
        expires = expiry(rule, moment)
        if expires is not None and expires <= now:
            self._say(conn, each, now, "repeat_too_late", first.code, day.isoformat())
            return
        self._make(conn, each, catalogue, day.isoformat(), expires, now)

    def _make(  # noqa: PLR0917 (one caller, just above)
        self,
        conn: Connection,
        each: Recurrence,
        catalogue: Catalogue,
        day: str,
        expires: datetime | None,
        now: datetime,
    ) -> None:
        """This day's announcement, once for ever: its key is the day."""
        source = f"recurrence:{each.code}"
        if announcements.by_source_key(conn, each.authority, source, day) is not None:
            return
        principal = Principal(source, each.author, each.authority, may_publish=True)
        desk = Desk(catalogue, self.press, self.channels, now)
        try:
            asked = parse({**each.document, "expires": expires})
            drawn = scrutinise(asked, principal, desk, None)
        except RefusedError as refused:  # a theme was archived meanwhile, say
            log.warning("repeat.refused", code=each.code, problems=len(refused.problems))
            self._say(conn, each, now, "repeat_refused", each.code, day)
            return
        written = announcements.insert(conn, drawn, source=source, source_key=day, sha256="")
        attachments.copy(conn, each.code, written.code)
        self._say(conn, each, now, "publish", written.code, day)
        publish(conn, written, self.press, now)

    @staticmethod
    def _say(  # noqa: PLR0917 (what a line of the journal says)
        conn: Connection, each: Recurrence, now: datetime, verb: str, code: str, day: str
    ) -> None:
        about = {"source": f"recurrence:{each.code}", "day": day}
        audit.record(
            conn,
            now,
            each.author,
            verb,
            f"announcement:{code}",
            authority=each.authority,
            detail=about,
        )


def listed(conn: Connection, principal: Principal) -> Sequence[Recurrence]:
    """The recurrences this principal may see: those whose first announcement it may."""
    return [
        each
        for each in recurrences.of_authority(conn, principal.authority)
        if entitled(conn, each.code, principal) is not None
    ]


def stop(conn: Connection, code: str, principal: Principal, now: datetime) -> Recurrence:
    """It comes no more; a first time that has not left is cancelled. Repeating is harmless.

    Raises `UnknownAnnouncementError`, `ForbiddenError` where this principal may not publish it.
    """
    found = recurrences.by_code(conn, code, principal.authority)
    first = entitled(conn, code, principal, publishing=True)
    if found is None or first is None:
        raise UnknownAnnouncementError(code)
    if found.ended is None:
        recurrences.end(conn, found.id, now)
        audit.record(
            conn,
            now,
            principal.name,
            "repeat_stop",
            f"announcement:{code}",
            authority=found.authority,
            detail={"source": principal.source},
        )
        _cancel_unpublished(conn, first, now)
    return replace(found, next=None, ended=found.ended or now)


def _cancel_unpublished(conn: Connection, first: Announcement, now: datetime) -> None:
    if first.published is None and first.state is not State.CANCELLED:
        announcements.move(conn, first, Event.CANCEL, now)
