# SPDX-License-Identifier: EUPL-1.2
"""A month of posts costs no more than the town said, whatever happens meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.base import Accepted, ChannelDown, ChannelName, Delivered, Reason, Rejected, Retry
from hub.flow.redrive import redrive
from hub.flow.send.budget import Limits
from hub.ledger import spending
from hub.ledger.spending import Spent

X = ChannelName.X
NOVEMBER = "2026-11"


def limits(posts=0, money=0.0):
    return Limits(posts, money, 0.015, 0.2, "Europe/Paris")


async def spent(hub, month=NOVEMBER):
    return await hub.ledger.read(lambda conn: spending.spent(conn, X, month))


async def publish(hub, title, **more):
    await hub.publish(title=title, channels=["x"], **more)
    hub.engine.changed()


def posting(hub):
    hub[X].answer = lambda sent: Delivered(f"x-{sent.delivery}-{sent.round}")


async def test_when_the_posts_of_the_month_are_spent_the_next_waits_for_a_human(make_hub, logs):
    hub = await make_hub(X, limits=limits(posts=2), window=1, connections=1)
    await hub.people([1], X)
    posting(hub)
    for title in ("Un", "Deux", "Trois", "Quatre"):
        await publish(hub, title)
    await hub.becomes(delivered=2, parked=2)
    assert ("parked", "budget") in await hub.reasons()
    assert len(hub[X].sent) == 2
    assert [line["event"] for line in logs].count("budget.spent") == 1
    assert hub.engine.roads[X].budget.spent


async def test_a_restart_forgets_nothing_of_it_and_a_new_month_begins_anew(make_hub, clerk):
    hub = await make_hub(X, limits=limits(posts=1), window=1, connections=1)
    await hub.people([1], X)
    posting(hub)
    await publish(hub, "Un")
    await hub.becomes(delivered=1)
    await hub.stop()
    await hub.start()
    await publish(hub, "Deux")
    await hub.becomes(delivered=1, parked=1)
    hub.clock.leap(8 * 86_400)  # it is December in the town
    await hub.idle()
    await hub.write(lambda conn: redrive(conn, clerk, hub.clock.now()))
    hub.engine.changed()
    await hub.becomes(delivered=2)
    assert await spent(hub) == Spent(1, 200_000)
    assert (await spent(hub, "2026-12")).posts == 1


async def test_a_link_costs_its_own_price(make_hub):
    hub = await make_hub(X, limits=limits(money=0.22), window=1, connections=1)
    await hub.people([1], X)
    posting(hub)
    await publish(hub, "Un", link="https://valmont.example.org/un")
    await hub.becomes(delivered=1)
    assert await spent(hub) == Spent(1, 200_000)
    await publish(hub, "Deux", link="https://valmont.example.org/deux")
    await hub.becomes(delivered=1, parked=1)


@pytest.mark.parametrize(
    "answer", [Rejected(Reason.REFUSED_CONTENT), ChannelDown(Reason.NETWORK, alarm=True)]
)
async def test_what_did_not_leave_costs_nothing(make_hub, answer):
    hub = await make_hub(X, limits=limits(posts=1), window=1, connections=1)
    await hub.people([1], X)
    hub[X].answer = lambda sent: answer
    await publish(hub, "Un")
    await hub.until(lambda: hub[X].sent)
    await hub.until(lambda: not hub.engine.roads[X].held)
    assert await spent(hub) == Spent(0, 0)


async def test_what_may_have_left_has_cost_something(make_hub):
    hub = await make_hub(X, limits=limits(posts=1), window=1, connections=1)
    await hub.people([1], X)
    hub[X].answer = lambda sent: Retry(Reason.PROVIDER_TIMEOUT, maybe_sent=True)
    await publish(hub, "Un")
    await hub.until(lambda: hub[X].sent)
    await hub.until(lambda: not hub.engine.roads[X].held)
    assert (await spent(hub)).posts == 1


async def test_a_throttled_post_spends_neither_budget_nor_attempt(make_hub):
    hub = await make_hub(X, limits=limits(posts=1), window=1, connections=1)
    await hub.people([1], X)
    wait = Retry(Reason.RATE_LIMITED, after=timedelta(minutes=15), code="429")
    hub[X].answer = lambda sent: wait if sent.round < 4 else Accepted("x-1")
    await publish(hub, "Un")
    for _ in range(60):
        await hub.idle(2)
        hub.clock.leap(60)
    await hub.becomes(accepted=1)
    (row,) = await hub.rows()
    assert (row.round, row.tries) == (4, 0)
    assert (await spent(hub)).posts == 1


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 11, 30, 22, 59, tzinfo=UTC), "2026-11"),
        (datetime(2026, 11, 30, 23, 0, tzinfo=UTC), "2026-12"),
    ],
)
def test_the_month_is_the_towns(moment, month):
    assert limits().month(moment) == month
