# SPDX-License-Identifier: EUPL-1.2
"""Whatever officers of two towns do, nobody shut out and nobody of another town is written to."""

import re
from contextlib import suppress
from random import Random

import pytest
from office_town import BOTH, appoint, compose, publishing
from sqlalchemy import select, update

from channels.base import Accepted, ChannelName, Reason, Retry
from hub.announcement import UnlawfulMoveError
from hub.flow.accept.intake import UnknownAnnouncementError
from hub.flow.accept.problems import RefusedError
from hub.flow.staff import letters, officers
from hub.flow.staff.mailing import Mailing
from hub.flow.writing.four_eyes import OwnAnnouncementError
from hub.ledger import office_tables
from hub.ledger.announcements import StaleAnnouncementError
from subscribers.proofs import Proofs

EMAIL = ChannelName.EMAIL
REFUSALS = (
    OwnAnnouncementError,
    UnlawfulMoveError,
    UnknownAnnouncementError,
    RefusedError,
    StaleAnnouncementError,
)
_CODE = re.compile(r"/console/annonces/(\w+)")
ACTS = ("submit", "approve", "return", "reject", "withdraw", "trial", "forget", "disable", "turn")
WEIGHTS = (5, 3, 3, 1, 1, 2, 2, 1, 5)


class Play:
    """A day at two town halls; `wrong` is every letter that should not have left."""

    def __init__(self, hub, random):
        self.hub, self.random = hub, random
        self.people, self.codes, self.texts = [], {}, {}
        self.wrong, self.left = [], 0

    async def begin(self):
        for n in range(7):
            authority = 1 + n % 2
            who = await appoint(self.hub, f"Agent{n}", BOTH, authority=authority)
            self.people.append(who)
            chosen = update(office_tables.officer).where(office_tables.officer.c.id == who.id)
            await self.hub.write(
                lambda conn, chosen=chosen: conn.execute(chosen.values(password_hash="x"))
            )
        channel, prepare = self.hub[EMAIL], self.hub[EMAIL].prepare

        def kept(text):
            self.texts[text.key] = text.text.text
            return prepare(text)

        channel.prepare, channel.answer = kept, self.arrived

    async def arrived(self, sent):
        """Is whoever reads this one of us still, and is it about their own town's?"""
        table = office_tables.officer
        query = select(table.c.authority, table.c.disabled).where(table.c.email == sent.to)
        row = await self.hub.ledger.read(lambda conn: conn.execute(query).one())
        about = {self.codes.get(code, 0) for code in _CODE.findall(self.texts[sent.key])}
        if row.disabled is not None or not about <= {row.authority}:
            self.wrong.append(sent.to)
        self.left += 1
        return Retry(Reason.NETWORK) if self.random.random() < 0.3 else Accepted("1")

    async def act(self):
        who = self.random.choice(self.people)
        (act,) = self.random.choices(ACTS, WEIGHTS)
        with suppress(*REFUSALS):
            await getattr(self, act)(who)

    def code(self):
        return self.random.choice([*self.codes, "zzzzzz"])

    async def submit(self, who):
        written = await compose(self.hub, who, channels=["email"])
        self.codes[written.code] = who.authority
        await publishing(self.hub).submit(written.code, who)

    async def approve(self, who):
        await publishing(self.hub).approve(self.code(), who)

    async def return_to(self, who):
        await publishing(self.hub).return_(self.code(), who, "Non.")

    async def reject(self, who):
        await publishing(self.hub).reject(self.code(), who, "Non.")

    async def withdraw(self, who):
        await publishing(self.hub).withdraw(self.code(), who)

    async def trial(self, who):
        code, now = self.code(), self.hub.clock.now()
        await self.hub.write(lambda conn: letters.ask_trial(conn, who, code, ["fr"], now))

    async def forget(self, who):
        proofs, now = Proofs(b"p" * 32), self.hub.clock.now()
        await self.hub.write(lambda conn: letters.ask_password(conn, who.email, proofs, 1, now))

    async def disable(self, who):
        now = self.hub.clock.now()
        await self.hub.write(lambda conn: officers.disable(conn, who, actor="tests", now=now))

    async def turn(self, _who):
        self.hub.clock.leap(self.random.choice((1, 31, 400)))
        await Mailing(self.hub.engine).round()


setattr(Play, "return", Play.return_to)  # the journal's verb


@pytest.mark.parametrize("seed", range(4))
async def test_no_letter_reaches_another_town_or_somebody_shut_out(make_hub, seed):
    play = Play(await make_hub(EMAIL), Random(seed))
    await play.begin()
    for _ in range(50):
        await play.act()
    for _ in range(10):
        await play.turn(None)
    assert play.wrong == []
    assert play.left > 5
