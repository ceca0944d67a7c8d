# SPDX-License-Identifier: EUPL-1.2
"""What the hub tells one person: by the queue, ahead of the news, once, and only while it helps."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from channels.base import Accepted, ChannelName, Lane, Reason, Retry
from hub.flow.citizens.notes import post
from hub.ledger import announcements
from hub.ledger.runs import open_runs
from hub.reports.verify import verify
from subscribers import challenges, directory
from subscribers.challenges import Asker, Purpose
from subscribers.tables import contact_point, subscriber
from templates.content import NoteKind

SMS = ChannelName.SMS
ASKER = Asker("contact", "origin", "+3363998")


async def ask(hub, person=1, purpose=Purpose.CONFIRM, kind=NoteKind.CODE):
    """A code is asked for, and its message put on its way."""

    def write(conn):
        (point,) = directory.contact_points(conn, person)
        asked = challenges.write(
            conn,
            1,
            purpose,
            point.channel,
            ASKER,
            hub.clock.now(),
            subscriber=person,
            contact_point=point.id,
            sent=True,
        )
        post(conn, kind, asked, hub.clock.now())
        return asked

    asked = await hub.write(write)
    if hub.engine:
        hub.engine.changed()
    return asked


async def newcomer(hub):
    """Somebody unconfirmed, who sleeps at all hours and asked for nothing yet."""
    await hub.people([1], SMS, quiet_start=0, quiet_end=1439)

    def write(conn):
        hers = contact_point.c.subscriber == 1
        conn.execute(update(contact_point).where(hers).values(verified_at=None))
        away = {"paused_until": hub.clock.now() + timedelta(days=9)}
        conn.execute(update(subscriber).where(subscriber.c.id == 1).values(away))

    await hub.write(write)


async def test_a_code_reaches_an_unconfirmed_number_at_any_hour(make_hub):
    hub = await make_hub(SMS)
    await newcomer(hub)
    await ask(hub)
    await hub.becomes(accepted=1)
    (sent,) = hub[SMS].sent
    assert (sent.to, sent.lane) == ("+33639980001", Lane.TRANSACTIONAL)


async def test_its_run_is_done_and_no_door_lists_it(make_hub):
    hub = await make_hub(SMS)
    await newcomer(hub)
    await ask(hub)
    await hub.becomes(accepted=1)

    async def done():
        return not await hub.ledger.read(open_runs)

    await hub.until(done)
    assert await hub.ledger.read(lambda conn: announcements.latest(conn, 1, 10)) == []


async def test_a_code_that_waited_too_long_does_not_leave(make_hub):
    hub = await make_hub(SMS, started=False)
    await newcomer(hub)
    await ask(hub)
    hub.clock.leap(11 * 60)
    await hub.start()
    await hub.becomes(expired=1)
    assert hub[SMS].sent == []


async def test_a_code_overtakes_the_news(make_hub):
    hub = await make_hub(SMS, started=False, window=1, connections=1)
    await newcomer(hub)
    await hub.people(range(2, 30), SMS)
    await hub.publish()
    await ask(hub)
    await hub.start()
    await hub.becomes(accepted=29)
    # the news needs a page planned first; whatever had left by then, the code was next
    assert "+33639980001" in hub[SMS].numbers[:3]


async def test_one_challenge_is_told_once(make_hub):
    hub = await make_hub(SMS)
    await newcomer(hub)
    asked = await ask(hub)
    with pytest.raises(IntegrityError):
        await hub.write(lambda conn: post(conn, NoteKind.CODE, asked, hub.clock.now()))


async def test_a_code_that_may_have_left_is_looked_up_not_sent_again(make_hub):
    hub = await make_hub(SMS)
    await newcomer(hub)
    hub[SMS].answer = lambda sent: (
        Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True) if sent.round == 1 else Accepted("x")
    )
    await ask(hub)
    await hub.becomes(doubt=1)
    await hub.idle()  # the look-up's own watch begins when it first sees the row
    hub.clock.leap(31)
    await hub.becomes(accepted=1)
    assert len(hub[SMS].sent) == 1


async def test_somebody_erased_is_told_nothing(make_hub):
    hub = await make_hub(SMS, started=False)
    await newcomer(hub)
    await ask(hub)
    await hub.write(lambda conn: conn.execute(contact_point.delete()))
    await hub.start()
    await hub.becomes(skipped=1)
    assert hub[SMS].sent == []


async def test_a_ledger_with_notes_in_it_verifies(make_hub):
    hub = await make_hub(SMS)
    await newcomer(hub)
    await ask(hub)
    await hub.becomes(accepted=1)
    verdict = await hub.ledger.read(lambda conn: verify(conn, lambda *_: None))
    assert not verdict.findings
