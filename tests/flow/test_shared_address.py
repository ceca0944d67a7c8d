# SPDX-License-Identifier: EUPL-1.2
"""A number that two people gave: it gets one message, from whoever of them wants it now."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from channels.base import ChannelName
from subscribers import tables

SMS = ChannelName.SMS
NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
SEVEN = 8 * 3600


@pytest.fixture
async def family(make_hub):
    """Three people, one number."""
    hub = await make_hub(SMS)
    await hub.people([1, 2, 3], SMS)
    same = update(tables.contact_point).values(address="+33639980001")
    await hub.write(lambda conn: conn.execute(same))
    return hub


def of(person, table=tables.subscriber):
    return (table.c.id if table is tables.subscriber else table.c.subscriber) == person


async def reasons(hub):
    return {row.subscriber: (row.state, row.reason) for row in await hub.rows()}


SAME = ("skipped", "same_address")


async def test_one_message_and_the_others_are_told_so(family):
    await family.ends(await family.publish())
    assert await reasons(family) == {1: ("accepted", ""), 2: SAME, 3: SAME}
    assert len(family[SMS].sent) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (update(tables.subscriber).where(of(1)).values(paused_until=NEXT_YEAR), "paused_by_person"),
        (delete(tables.subscription).where(of(1, tables.subscription)), "unsubscribed"),
    ],
)
async def test_the_next_one_is_told_where_the_first_is_left_alone_at_the_last_moment(
    family, gate, change, why
):
    family[SMS].before_gate = gate.wait
    published = await family.publish()
    await family.becomes(reserved=1, skipped=2)
    await family.write(lambda conn: conn.execute(change))
    family.engine.wishes.changed(1, family.clock.monotonic())
    gate.set()
    await family.ends(published)
    assert await reasons(family) == {1: ("skipped", why), 2: ("accepted", ""), 3: SAME}
    assert len(family[SMS].sent) == 1


async def test_where_nobody_wants_it_nobody_is_told(family):
    pause = update(tables.subscriber).values(paused_until=NEXT_YEAR)
    await family.write(lambda conn: conn.execute(pause))
    await family.ends(await family.publish())
    assert set((await reasons(family)).values()) == {("skipped", "paused_by_person")}
    assert not family[SMS].sent


async def test_a_digest_goes_to_the_next_one_too(family):
    daily = update(tables.subscription).values(cadence="daily")
    await family.write(lambda conn: conn.execute(daily))
    published = await family.publish()
    await family.becomes(digest=1, skipped=2)
    pause = update(tables.subscriber).where(of(1)).values(paused_until=NEXT_YEAR)
    await family.write(lambda conn: conn.execute(pause))
    family.clock.leap(SEVEN)

    async def found():
        states = await reasons(family)
        return states[1][0] == "skipped" and states[2][0] == "digest"

    await family.until(found)
    family.clock.leap(24 * 3600)
    await family.ends(published)
    assert len(family[SMS].sent) == 1
    assert (await family.counts()).total() == len(await family.rows())
