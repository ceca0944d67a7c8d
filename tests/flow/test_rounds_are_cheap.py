# SPDX-License-Identifier: EUPL-1.2
"""What is asked every second looks into indexes: years of old deliveries cost nothing."""

from datetime import timedelta

from sqlalchemy import event, update

from channels.base import ChannelName, Reason, Retry
from hub.flow.redrive import Choice, redrive
from hub.ledger.tables import delivery, run
from tests.flow.conftest import CLERK, START

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL

TABLES = ("delivery", "carried", "attempt", "receipt", "run", "announcement")


def asked(hub):
    """Every statement from now on, with its parameters."""
    statements = {}

    def note(_conn, _cursor, statement, parameters, *_):
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            statements[statement] = parameters

    for engine in (hub.ledger._write_engine, hub.ledger._read_engine):
        event.listen(engine, "before_cursor_execute", note)
    return statements


async def walks(hub, statements):
    """Those that walk the whole of a table that grows for ever."""

    def plans(conn):
        for statement, parameters in list(statements.items()):
            explained = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for step in explained.all():
                table, _, index = step.detail.removeprefix("SCAN ").partition(" USING ")
                if step.detail.startswith("SCAN") and table in TABLES and "ix_" not in index:
                    yield statement, step.detail

    return await hub.write(lambda conn: list(plans(conn)))


async def test_no_round_walks_through_old_deliveries(make_hub):
    hub = await make_hub(SMS, EMAIL)
    await hub.people(range(1, 4), SMS, EMAIL)
    hub[SMS].answer = lambda sent: Retry(Reason.NETWORK, maybe_sent=True)
    hub[EMAIL].answer = lambda sent: Retry(Reason.NETWORK, maybe_sent=True)
    over = await hub.publish(expires=(START + timedelta(hours=1)).isoformat())
    await hub.publish(urgency="urgent")
    await hub.until(lambda: min(len(hub[SMS].sent), len(hub[EMAIL].sent)) >= 6)
    channels_gone = update(run).values(channel="x").where(run.c.channel == EMAIL)
    await hub.write(lambda conn: conn.execute(channels_gone))
    hub.clock.leap(2 * 3600)

    statements = asked(hub)
    for _ in range(3):
        await hub.engine.round()
        await hub.engine.watch()
        await hub.engine.self_audit()
        await hub.engine.reload()

    assert over.id
    assert len(statements) > 30
    assert await walks(hub, statements) == []


async def test_sending_again_what_is_parked_walks_through_nothing_else(make_hub):
    hub = await make_hub(SMS)
    await hub.people(range(1, 4), SMS)
    hub[SMS].answer = lambda sent: Retry(Reason.NETWORK, maybe_sent=True)
    told = await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 3)
    await hub.stop()
    parked = update(delivery).values(state="parked", reason="outcome_unknown")
    await hub.write(lambda conn: conn.execute(parked))

    statements = asked(hub)
    choice = Choice(code=told.code)
    moved = await hub.write(lambda conn: redrive(conn, CLERK, hub.clock.now(), choice))

    assert (moved.rows, moved.maybe_sent) == (3, 3)
    assert await walks(hub, statements) == []
