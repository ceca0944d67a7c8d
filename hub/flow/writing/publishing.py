# SPDX-License-Identifier: EUPL-1.2
"""From what an officer wrote to what leaves: asked for, approved by somebody else, taken back.

Each is one transaction with its line in the journal; a move somebody else made first is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.announcement import Announcement, Event, State, UnlawfulMoveError, advance
from hub.flow.accept.intake import (
    OVER,
    Intake,
    UnknownAnnouncementError,
    in_charge_of,
    publish,
    visible,
)
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.accept.repeats import keep, timed
from hub.flow.accept.scrutiny import Desk, scrutinise
from hub.flow.accept.submission import Submission
from hub.flow.staff import letters
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, four_eyes, handing_in
from hub.flow.writing.compositions import Composition, EditedMeanwhileError
from hub.flow.writing.four_eyes import OwnAnnouncementError, Terms
from hub.flow.writing.reading import to_submission
from hub.flow.writing.reasons import checked_reason
from hub.ledger import announcements, promises, recurrences
from hub.ledger.announcements import digest_of
from subscribers.catalogue import load_catalogue

_TAKE_UP: Final = Problem(
    "/decision",
    "nobody_to_return_to",
    "Personne ici n'a écrit cette annonce. Reprenez-la pour la corriger vous-même, ou rejetez-la.",
    "Nobody here wrote this announcement. Take it up to correct it yourself, or reject it.",
)


class OverBudgetError(Exception):
    """The month's money for SMS is not enough for it, any more."""


class ChangedMeanwhileError(Exception):
    """What is to be decided is no longer what was read: `current` is."""

    def __init__(self, current: Announcement) -> None:
        super().__init__(current.code)
        self.current = current


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What a composition becomes, checked before the transaction that writes it."""

    composition: Composition
    asked: Submission
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class Publishing:
    """What officers may do to announcements, beside what `Intake` lets every door do.

    Everything raises `UnknownAnnouncementError` for what is not theirs to see, `ForbiddenError`
    for what is not theirs to decide, `UnlawfulMoveError` where it is too late.

    `affords` says whether the month's money is enough for an announcement of that cost; asked in
    the transaction that takes it, so that two officers do not take the same.
    """

    intake: Intake
    terms: Terms
    affords: Callable[[Connection, Announcement, int], bool] = lambda *_: True

    async def submit(
        self,
        code: str,
        officer: Officer,
        *,
        version: int | None = None,
        alone: bool = False,
        cost: int | None = None,
    ) -> Announcement:
        """Ask for approval of what was written; `alone`: publish it, where no second person is
        needed. Asking again for what was asked for changes nothing.

        `cost` is what its SMS are foreseen to cost, in millionths. Raises `RefusedError` with every
        fault, `EditedMeanwhileError` where it is no longer the `version` that was shown,
        `OwnAnnouncementError` where somebody else must approve, `OverBudgetError`.
        """
        drawn = await self.intake.ledger.read(lambda conn: self._draw(conn, code, officer, version))
        if isinstance(drawn, Announcement):
            if not _left_to(drawn, alone):
                return drawn
            return await self.approve(code, officer, cost=cost)

        def write(conn: Connection) -> Announcement:
            asked = self._hand_in(conn, drawn, officer)
            return self._decide(conn, asked, officer, cost) if _left_to(asked, alone) else asked

        return await self._act(write)

    async def approve(
        self,
        code: str,
        officer: Officer,
        *,
        digest: str | None = None,
        cost: int | None = None,
    ) -> Announcement:
        """Publish what somebody else asked for, after the undo delay, or when its time comes.

        `digest` is of what the officer read (`four_eyes.reading`), `cost` of its SMS in millionths.
        Raises `OwnAnnouncementError`, `ChangedMeanwhileError`, `OverBudgetError`, `RefusedError`
        where it is over already.
        """

        def write(conn: Connection) -> Announcement:
            found = self._to_decide(conn, code, officer, Event.PUBLISH)
            composition = compositions.of_announcement(conn, found.id)
            if digest is not None and digest != four_eyes.reading(found, composition):
                raise ChangedMeanwhileError(found)
            return self._decide(conn, found, officer, cost)

        return await self._act(write)

    async def return_(self, code: str, officer: Officer, reason: str) -> Announcement:
        """Send it back to whoever wrote it. Raises `RefusedError` without a reason, or where
        nobody here wrote it."""
        why = checked_reason(reason)

        def write(conn: Connection) -> Announcement:
            found = self._to_decide(conn, code, officer, Event.RETURN)
            composition = compositions.of_announcement(conn, found.id)
            if composition is None:
                raise RefusedError([_TAKE_UP])
            now = self._say(conn, officer, "return", found, reason=why)
            handing_in.give_back(conn, composition, now, by=officer, reason=why)
            return announcements.move(conn, found, Event.RETURN, now)

        return await self._act(write)

    async def reject(self, code: str, officer: Officer, reason: str) -> Announcement:
        """Refuse it for good. Raises `RefusedError` without a reason."""
        why = checked_reason(reason)

        def write(conn: Connection) -> Announcement:
            found = self._to_decide(conn, code, officer, Event.CANCEL)
            now = self._say(conn, officer, "reject", found, reason=why)
            composition = compositions.of_announcement(conn, found.id)
            if composition is not None:
                handing_in.close(conn, composition, now, by=officer, reason=why)
            return announcements.move(conn, found, Event.CANCEL, now)

        return await self._act(write)

    async def take_up(self, code: str, officer: Officer) -> Announcement:
        """Correct oneself what a key or a source asked for: from then on it is a draft of this
        officer's, which somebody else approves."""

        def write(conn: Connection) -> Announcement:
            found = handing_in.to_take_up(conn, code, officer)
            if found.state not in (State.DRAFT, State.TO_APPROVE):
                raise UnlawfulMoveError(found.state, Event.RETURN)
            if compositions.of_announcement(conn, found.id) is not None:
                raise UnlawfulMoveError(found.state, Event.RETURN)
            now = self.intake.clock.now()
            composition = compositions.take_up(conn, officer, found, now)
            handing_in.give_back(conn, composition, now, by=None, reason="")
            if found.state is State.DRAFT:
                return found
            return announcements.move(conn, found, Event.RETURN, now)

        return await self._act(write)

    async def withdraw(self, code: str, officer: Officer) -> Announcement:
        """Whoever wrote it takes the request back, to change it."""

        def write(conn: Connection) -> Announcement:
            found, composition = self._of_theirs(conn, code, officer)
            if found.state is not State.TO_APPROVE or composition is None:
                raise UnlawfulMoveError(found.state, Event.RETURN)
            now = self._say(conn, officer, "withdraw", found)
            handing_in.give_back(conn, composition, now, by=None, reason="")
            return announcements.move(conn, found, Event.RETURN, now)

        return await self._act(write)

    async def undo(self, code: str, officer: Officer) -> Announcement:
        """Take back what has not left: a draft again, or to approve again where no officer wrote
        it. Whoever wrote it may, and whoever approves under its themes."""

        def write(conn: Connection) -> Announcement:
            found, composition = self._of_theirs(conn, code, officer)
            now = self.intake.clock.now()
            moved = announcements.move(conn, found, Event.UNDO, now)
            self._say(conn, officer, "undo", found)
            if composition is None:
                return announcements.move(conn, moved, Event.SUBMIT, now)
            handing_in.give_back(conn, composition, now, by=None, reason="")
            return moved

        return await self._act(write)

    # ------------------------------------------------------------------ inside a transaction

    def drawn(self, conn: Connection, found: Composition, officer: Officer) -> Announcement:
        """What `submit` would ask approval for, written nowhere. Raises `RefusedError`."""
        return self._read(conn, found, officer)[1]

    def _draw(
        self, conn: Connection, code: str, officer: Officer, version: int | None
    ) -> "_Drawn | Announcement":
        found = compositions.load(conn, code, officer)
        if found is None:
            raise UnknownAnnouncementError(code)
        if version is not None and version != found.version:
            raise EditedMeanwhileError(found)
        if not found.editable and found.announcement is not None:
            return announcements.by_id(conn, found.announcement)
        asked, announcement = self._read(conn, found, officer)
        return _Drawn(found, asked, announcement)

    def _read(
        self, conn: Connection, found: Composition, officer: Officer
    ) -> tuple[Submission, Announcement]:
        catalogue, now = load_catalogue(conn, officer.authority), self.intake.clock.now()
        asked = to_submission(found.document, catalogue, now)
        asked = timed(asked, catalogue.timezone, now)
        principal = four_eyes.writing(officer)
        first = None if asked.about is None else visible(conn, asked.about, principal)
        desk = Desk(catalogue, self.intake.press, self.intake.channels, now)
        return asked, scrutinise(asked, principal, desk, first)

    def _hand_in(self, conn: Connection, drawn: _Drawn, officer: Officer) -> Announcement:
        """The announcement of a composition, put before somebody who may publish it."""
        composition, now = drawn.composition, self.intake.clock.now()
        if not handing_in.hand_in(conn, composition, officer, now):
            current = compositions.load(conn, composition.code, officer)
            if current is None:
                raise UnknownAnnouncementError(composition.code)
            if not current.editable and current.announcement is not None:
                return announcements.by_id(conn, current.announcement)  # asked for twice at once
            raise EditedMeanwhileError(current)
        written = self._write(conn, drawn)
        self._say(conn, officer, "submit", written, urgency=written.urgency)
        return announcements.move(conn, written, Event.SUBMIT, now)

    @staticmethod
    def _write(conn: Connection, drawn: _Drawn) -> Announcement:
        composition, code = drawn.composition, drawn.composition.code
        source = f"officer:{composition.author}"
        author = compositions.names_of(conn, [composition.author])[composition.author]
        asked = replace(drawn.announcement, author=author)
        if composition.announcement is not None:
            advance(announcements.by_id(conn, composition.announcement).state, Event.SUBMIT)
            written = announcements.rewrite(conn, composition.announcement, asked)
            recurrences.forget(conn, code)
        else:
            written = announcements.insert(
                conn, asked, source=source, source_key=code, sha256=digest_of(asked), code=code
            )
            handing_in.tie(conn, composition, written.id)
        begun = replace(written, created=drawn.announcement.created)  # its days count from here
        keep(conn, begun, drawn.asked, source, code)
        return written

    def _decide(
        self, conn: Connection, found: Announcement, officer: Officer, cost: int | None
    ) -> Announcement:
        """Publish it, if this officer may and the month's money is enough."""
        catalogue = load_catalogue(conn, found.authority)
        composition = compositions.of_announcement(conn, found.id)
        in_charge_of(conn, found.code, officer.principal(Role.APPROVE))
        own = four_eyes.wrote(composition, officer)
        if own and not (self.terms.training or self.terms.lets_alone(catalogue, found.themes)):
            others = four_eyes.others(conn, found, composition, catalogue)
            raise OwnAnnouncementError([each.name for each in others])
        if found.expires is not None and found.expires <= self.intake.clock.now():
            raise RefusedError([OVER])
        if cost is not None:
            if not self.affords(conn, found, cost):
                raise OverBudgetError
            promises.promise(conn, found.id, cost)
        verb = "publish_alone" if own else "approve"
        now = self._say(conn, officer, verb, found, text=four_eyes.reading(found, composition)[:16])
        return self._release(conn, found, officer, now)

    def _release(
        self, conn: Connection, found: Announcement, officer: Officer, now: datetime
    ) -> Announcement:
        by, delay = officer.name, self.terms.delay(found.urgency)
        if found.publish_at is not None and found.publish_at > now:
            return announcements.move(conn, found, Event.SCHEDULE, now, approved_by=by)
        if not delay:
            return publish(conn, found, self.intake.press, now, approved_by=by)
        return announcements.move(
            conn, found, Event.WAIT, now, approved_by=by, release_at=now + delay
        )

    @staticmethod
    def _to_decide(conn: Connection, code: str, officer: Officer, event: Event) -> Announcement:
        """What waits for a decision that is this officer's to take."""
        found = in_charge_of(conn, code, officer.principal(Role.APPROVE))
        if found.state is not State.TO_APPROVE:
            raise UnlawfulMoveError(found.state, event)
        return found

    @staticmethod
    def _of_theirs(
        conn: Connection, code: str, officer: Officer
    ) -> tuple[Announcement, Composition | None]:
        """An announcement that they wrote, or may decide about as a whole."""
        found = announcements.by_code(conn, code, officer.authority)
        composition = None if found is None else compositions.of_announcement(conn, found.id)
        if found is None or not four_eyes.wrote(composition, officer):
            found = in_charge_of(conn, code, officer.principal(Role.APPROVE))
        return found, composition

    def _say(
        self, conn: Connection, officer: Officer, verb: str, about: Announcement, **detail: Any
    ) -> datetime:
        """One line of the journal, and what others are to be told of it; when it was."""
        now = self.intake.clock.now()
        if ChannelName.EMAIL in self.intake.channels:
            why, delay = detail.get("reason", ""), self.terms.delay(about.urgency)
            letters.tell(conn, verb, about, officer, now, reason=why, delay=delay)
        compositions.say(conn, officer, verb, about.code, now, **detail)
        return now

    async def _act(self, write: Callable[[Connection], Announcement]) -> Announcement:
        moved = await self.intake.ledger.transact(write, hurry=True)
        self.intake.changed()
        return moved


def _left_to(found: Announcement, alone: bool) -> bool:
    """Whether it is still to be published by the officer who asks for it."""
    return alone and found.state is State.TO_APPROVE
