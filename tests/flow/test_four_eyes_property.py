# SPDX-License-Identifier: EUPL-1.2
"""Whatever three officers do in whatever order, what leaves was read by somebody who did not write
it, word for word."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office_town import BOTH, PRESS, WATER
from sqlalchemy import select

from channels.base import ChannelName
from hub.announcement import State, UnlawfulMoveError
from hub.flow import upkeep
from hub.flow.accept.intake import Intake, UnknownAnnouncementError
from hub.flow.staff import officers
from hub.flow.writing import compositions
from hub.flow.writing.compositions import EditedMeanwhileError, NotEditableError
from hub.flow.writing.four_eyes import OwnAnnouncementError, Terms
from hub.flow.writing.publishing import ChangedMeanwhileError, Publishing
from hub.ledger import announcements, tables
from hub.ledger.announcements import digest_of

REFUSALS = (
    ChangedMeanwhileError,
    EditedMeanwhileError,
    NotEditableError,
    OwnAnnouncementError,
    UnknownAnnouncementError,
    UnlawfulMoveError,
)
ACTS = ("read", "edit", "submit", "withdraw", "return", "approve", "blind", "undo", "wait", "turn")
MOSTLY = ("submit", "submit", "edit", "read", "approve", "blind", "return")  # so that much happens
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from((*ACTS, *MOSTLY))), min_size=12, max_size=40
)


class OneConnection:
    """A ledger of one connection: what is refused leaves nothing behind."""

    def __init__(self, conn):
        self._conn = conn

    async def read(self, work):
        return work(self._conn)

    async def transact(self, work, *, hurry=False):
        del hurry
        with self._conn.begin_nested():
            return work(self._conn)


class Desk:
    """Three officers, one announcement, and what each of them last read of it."""

    def __init__(self, book):
        self.book, self.conn = book, book.conn
        ledger = OneConnection(book.conn)
        self.intake = Intake(ledger, PRESS, [ChannelName.SMS], self, lambda: None)
        self.office = Publishing(self.intake, Terms(timedelta(seconds=30)))
        self.three = [self._appoint(name) for name in ("Morel", "Diallo", "Roche")]
        self.code = compositions.begin(self.conn, self.three[0], WATER, self.now()).code
        self.wrote, self.was_read, self.texts = {0}, {}, 0
        self.approved = None  # who, and the words they read

    def now(self):
        return self.book.now

    def _appoint(self, name):
        email = f"{name}@example.org".lower()
        now = self.now()
        number = officers.appoint(self.conn, 1, email, name, BOTH, actor="tests", now=now)
        return officers.load(self.conn, number)

    def announcement(self):
        return announcements.by_code(self.conn, self.code)

    async def step(self, who, act):
        await getattr(self, f"_{act}")(who, self.three[who])

    async def _read(self, who, officer):
        if (found := self.announcement()) is not None:
            self.was_read[who] = (digest_of(found), found.contents["fr"].body)

    async def _submit(self, who, officer):
        await self.office.submit(self.code, officer)

    async def _withdraw(self, who, officer):
        await self.office.withdraw(self.code, officer)

    async def _return(self, who, officer):
        await self.office.return_(self.code, officer, "À revoir.")

    async def _undo(self, who, officer):
        await self.office.undo(self.code, officer)
        self.approved = None

    async def _wait(self, who, officer):
        self.book.now += timedelta(seconds=20)

    async def _turn(self, who, officer):
        upkeep.publish_due(self.conn, PRESS, self.now())

    async def _blind(self, who, officer):  # by a page that says nothing of what was read
        found = self.announcement()
        await self.office.approve(self.code, officer)
        self.approved = (who, found.contents["fr"].body)

    async def _edit(self, who, officer):
        found = compositions.load(self.conn, self.code, officer)
        document = dict(found.document) | {"body": f"Texte {self.texts + 1}."}
        now = self.now()
        compositions.save(self.conn, found, document, officer, version=found.version, now=now)
        self.texts += 1
        self.wrote.add(who)

    async def _approve(self, who, officer):
        if who not in self.was_read:
            return
        digest, words = self.was_read[who]
        await self.office.approve(self.code, officer, digest=digest)
        self.approved = (who, words)

    def must_hold(self):
        found = self.announcement()
        if found is None or found.state in (State.DRAFT, State.TO_APPROVE, State.CANCELLED):
            return
        assert self.approved is not None, "it leaves though nobody approved it"
        who, words = self.approved
        assert who not in self.wrote, "whoever wrote it approved it"
        assert found.contents["fr"].body == words, "it is not what was read"
        query = select(tables.announcement.c.approved_by)
        assert self.conn.execute(query).scalar_one() == self.three[who].name


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_nothing_leaves_that_its_author_approved_or_that_changed_since_it_was_read(book, steps):
    start = book.now
    with book.conn.begin_nested() as sequence:
        asyncio.run(_play(Desk(book), steps))
        sequence.rollback()
    book.now = start


async def _play(desk, steps):
    for who, act in steps:
        with suppress(*REFUSALS):
            await desk.step(who, act)
        desk.must_hold()
