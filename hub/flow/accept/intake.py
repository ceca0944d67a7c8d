# SPDX-License-Identifier: EUPL-1.2
"""The one way in. Checks, writes announcement, audit line and runs in one commit, then answers.

A door says 202 only after `accept` returned: accepted means kept (promise 1).
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from channels.base import ChannelName, Clock, PostText, Rendered
from hub.announcement import Announcement, Event, State, UnlawfulMoveError, lane_of
from hub.flow.accept.calling import call_approvers
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ConflictError, ForbiddenError, Problem, RefusedError
from hub.flow.accept.repeats import keep, timed
from hub.flow.accept.scrutiny import Desk, scrutinise, within
from hub.flow.accept.submission import Submission
from hub.flow.site import Press
from hub.ledger import announcements, audit, runs, stand_ins
from hub.ledger.store import Ledger
from subscribers.catalogue import Catalogue, load_catalogue

_MAY_NOT_PUBLISH: Final = Problem(
    "",
    "may_not_publish",
    "Cette clé ne peut pas publier : demandez à une personne habilitée.",
    "This key may not publish: ask somebody who may.",
)
OVER: Final = Problem(
    "/expires",
    "expired",
    "Cette annonce n'est plus valable : sa fin de validité est passée.",
    "This announcement is no longer valid: its end of validity is past.",
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a door answers with. `repeated`: it had been accepted before, nothing was written."""

    announcement: Announcement
    repeated: bool


class UnknownAnnouncementError(Exception):
    """There is no such announcement, or not for this principal: both look alike."""


@dataclass(slots=True)
class Intake:
    """What doors may do to announcements. `changed` wakes the flow after each commit."""

    ledger: Ledger
    press: Press
    channels: Sequence[ChannelName]
    clock: Clock
    changed: Callable[[], None]

    async def check(self, asked: Submission, principal: Principal) -> Announcement:
        """What `accept` would write, without writing it. Raises `RefusedError`."""
        return await self.ledger.read(lambda conn: self._scrutinise(conn, asked, principal))

    async def accept(
        self, asked: Submission, principal: Principal, *, key: str | None = None
    ) -> Accepted:
        """Accept an announcement, once for each `key` of this principal's source.

        Raises `RefusedError`, `ForbiddenError`, `ConflictError` (the key was used for something
        else), `hub.ledger.database.LedgerFullError`.
        """
        digest = hashlib.sha256(asked.canonical().encode()).hexdigest()
        if key is not None:
            before = await self.ledger.read(lambda conn: _before(conn, principal, key, digest))
            if before is not None:
                return before
        announcement = await self.check(asked, principal)
        source_key = key or uuid.uuid4().hex

        def write(conn: Connection) -> Accepted:
            try:
                written = announcements.insert(
                    conn,
                    announcement,
                    source=principal.source,
                    source_key=source_key,
                    sha256=digest,
                )
            except IntegrityError:
                before = _before(conn, principal, source_key, digest)
                if before is None:
                    raise
                return before
            keep(conn, written, asked, principal.source, source_key)
            return Accepted(self._enter(conn, written, principal), repeated=False)

        accepted = await self.ledger.transact(write, hurry=True)
        self.changed()
        return accepted

    def _enter(
        self, conn: Connection, announcement: Announcement, principal: Principal
    ) -> Announcement:
        """Publish it, put it before somebody who may, or leave it to be written on."""
        now = announcement.created
        asks = "propose" if principal.drafts else "submit"
        verb = "publish" if principal.may_publish else asks
        audit.record(
            conn,
            now,
            principal.name,
            verb,
            f"announcement:{announcement.code}",
            authority=announcement.authority,
            detail={"source": principal.source, "urgency": announcement.urgency},
        )
        if principal.may_publish:
            return self._release(conn, announcement, now)
        if principal.drafts:
            return announcement
        if ChannelName.EMAIL in self.channels:
            call_approvers(conn, announcement, principal.name, now)
        return announcements.move(conn, announcement, Event.SUBMIT, now)

    def _release(
        self, conn: Connection, announcement: Announcement, now: datetime, by: str | None = None
    ) -> Announcement:
        """Publish now, or when its time comes."""
        if announcement.publish_at is not None and announcement.publish_at > now:
            return announcements.move(conn, announcement, Event.SCHEDULE, now, approved_by=by)
        return publish(conn, announcement, self.press, now, approved_by=by)

    def _scrutinise(
        self, conn: Connection, asked: Submission, principal: Principal
    ) -> Announcement:
        catalogue = load_catalogue(conn, principal.authority)
        now = self.clock.now()
        asked = timed(asked, catalogue.timezone, now)
        desk = Desk(catalogue, self.press, self.channels, now)
        first = None if asked.about is None else visible(conn, asked.about, principal)
        return scrutinise(asked, principal, desk, first)

    async def find(self, code: str, principal: Principal) -> Announcement:
        """One announcement of this principal's. Raises `UnknownAnnouncementError`."""
        return await self.ledger.read(lambda conn: self._mine(conn, code, principal))

    async def approve(self, code: str, principal: Principal) -> Announcement:
        """Publish what waits for approval.

        Raises `UnknownAnnouncementError`, `UnlawfulMoveError`, `ForbiddenError` where this
        principal may not publish it, `RefusedError` where its validity ended meanwhile.
        """

        def write(conn: Connection) -> Announcement:
            found = self._mine(conn, code, principal)
            _must_be_entitled(conn, found, principal)
            if found.state is not State.TO_APPROVE:
                raise UnlawfulMoveError(found.state, Event.PUBLISH)
            now = self.clock.now()
            if found.expires is not None and found.expires <= now:
                raise RefusedError([OVER])
            self._say(conn, principal, "approve", found)
            return self._release(conn, found, now, by=principal.name)

        return await self._act(write)

    async def cancel(self, code: str, principal: Principal) -> Announcement:
        """Stop what has not left.

        Raises `UnknownAnnouncementError`, `UnlawfulMoveError`, `ForbiddenError` where this
        principal may not publish it: what others released is not its to stop.
        """
        return await self._turn(code, principal, "cancel", Event.CANCEL)

    async def pause(self, code: str, principal: Principal) -> Announcement:
        """Hold what has not left. Raises `UnknownAnnouncementError`, `UnlawfulMoveError`."""
        return await self._turn(code, principal, "pause", Event.PAUSE)

    async def resume(self, code: str, principal: Principal) -> Announcement:
        """Go on. Raises `UnknownAnnouncementError`, `UnlawfulMoveError`."""
        return await self._turn(code, principal, "resume", Event.RESUME)

    async def _turn(self, code: str, principal: Principal, verb: str, event: Event) -> Announcement:
        def write(conn: Connection) -> Announcement:
            found = self._mine(conn, code, principal)
            _must_be_entitled(conn, found, principal)
            moved = announcements.move(conn, found, event, self.clock.now())
            if event in (Event.PAUSE, Event.RESUME):
                runs.set_paused(conn, found.id, event is Event.PAUSE)
            self._say(conn, principal, verb, found)
            return moved

        return await self._act(write)

    async def _act(self, write: Callable[[Connection], Announcement]) -> Announcement:
        moved = await self.ledger.transact(write, hurry=True)
        self.changed()
        return moved

    def _mine(self, conn: Connection, code: str, principal: Principal) -> Announcement:
        found = visible(conn, code, principal)
        if found is None:
            raise UnknownAnnouncementError(code)
        return found

    def _say(self, conn: Connection, principal: Principal, verb: str, about: Announcement) -> None:
        audit.record(
            conn,
            self.clock.now(),
            principal.name,
            verb,
            f"announcement:{about.code}",
            authority=about.authority,
            detail={"source": principal.source},
        )


def visible(conn: Connection, code: str, principal: Principal) -> Announcement | None:
    """An announcement with at least one theme within the principal's."""
    found = announcements.by_code(conn, code, principal.authority)
    if found is None:
        return None
    catalogue = load_catalogue(conn, principal.authority)
    return found if any(within(principal, catalogue, key) for key in found.themes) else None


def entitled(
    conn: Connection, code: str, principal: Principal, *, publishing: bool = False
) -> Announcement | None:
    """An announcement this principal may see, or None.

    Raises `ForbiddenError` where it is to be `publishing` and may not publish all of it.
    """
    found = visible(conn, code, principal)
    if found is not None and publishing:
        _must_be_entitled(conn, found, principal)
    return found


def in_charge_of(conn: Connection, code: str, principal: Principal) -> Announcement:
    """An announcement that this principal may publish as a whole.

    Raises `UnknownAnnouncementError`, `ForbiddenError`.
    """
    found = visible(conn, code, principal)
    if found is None:
        raise UnknownAnnouncementError(code)
    _must_be_entitled(conn, found, principal)
    return found


def _must_be_entitled(conn: Connection, found: Announcement, principal: Principal) -> None:
    """Who acts on an announcement may publish all of it. Raises `ForbiddenError`."""
    catalogue = load_catalogue(conn, principal.authority)
    themes = all(within(principal, catalogue, key) for key in found.themes)
    if not (themes and principal.may_publish and principal.may_say(found.urgency)):
        raise ForbiddenError([_MAY_NOT_PUBLISH])


def publish(
    conn: Connection,
    announcement: Announcement,
    press: Press,
    now: datetime,
    *,
    approved_by: str | None = None,
) -> Announcement:
    """Open its runs. In the same transaction as the move to `running`."""
    moved = announcements.move(conn, announcement, Event.PUBLISH, now, approved_by=approved_by)
    catalogue = load_catalogue(conn, moved.authority)
    names = stand_ins.every_channel(conn, moved)
    channels = [(channel, _parts(moved, catalogue, press, channel)) for channel in names]
    runs.insert(conn, moved.id, moved.authority, lane_of(moved.urgency), channels)
    return moved


def _parts(
    announcement: Announcement, catalogue: Catalogue, press: Press, channel: ChannelName
) -> int:
    """How many messages one person gets: more than one only for an X thread."""
    if channel is not ChannelName.X or not announcement.thread:
        return 1
    printed = press.print(announcement, catalogue, channel, catalogue.language)
    if isinstance(printed, Rendered) and isinstance(printed.text, PostText):
        return len(printed.text.posts)
    return 1


def _before(conn: Connection, principal: Principal, key: str, digest: str) -> Accepted | None:
    found = announcements.by_source_key(conn, principal.authority, principal.source, key)
    if found is None:
        return None
    announcement, sha256 = found
    if sha256 != digest:
        raise ConflictError(
            [
                Problem(
                    "",
                    "idempotency_key_reused",
                    "Cette clé d'idempotence a déjà servi pour une autre annonce.",
                    "This idempotency key was used for another announcement.",
                )
            ]
        )
    return Accepted(announcement, repeated=True)
