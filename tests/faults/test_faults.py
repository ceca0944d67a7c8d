# SPDX-License-Identifier: EUPL-1.2
"""Each fault of a provider on each of the four roads, through the real flow to the row it leaves.

The table in docs/reliability.md names these tests, cell by cell.
"""

import socket

import pytest
from sqlalchemy.exc import OperationalError

from channels.base import ChannelName
from hub.ledger.tables import attempt
from hub.sandbox.faults import GOOD_DAY, Fault
from subscribers.tables import contact_point

REACHED = {"accepted", "delivered"}
ONE_COPY = {ChannelName.SMS, ChannelName.X}  # the provider is asked before anything is sent again
WITH_SERVER = [ChannelName.SMS, ChannelName.EMAIL, ChannelName.X]
NO_EFFECT = [Fault.THROTTLE, Fault.ERROR, Fault.HTML_ERROR, Fault.SILENCE]
EFFECT = [Fault.GARBAGE, Fault.VANISH, Fault.CUT, Fault.DRIP]


async def met(road, **fault):
    """The message meets the fault once, and then a good day."""
    road.sandbox.faults.set(road.name, **fault)
    await road.start()
    await road.publish()
    row = await road.until(lambda row: row.round >= 1 and row.state != "reserved")
    road.sandbox.faults.put(road.name, GOOD_DAY)
    return row


def closed_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("fault", NO_EFFECT)
async def test_what_was_not_taken_arrives_once_when_the_day_is_good_again(road, fault):
    await met(road, rates={fault: 1}, retry_after=3, hang=5)
    row = await road.ends()
    assert row.state in REACHED
    assert len(road.effects()) == 1


@pytest.mark.parametrize("fault", EFFECT)
async def test_what_was_taken_without_a_clear_answer_is_no_second_message(road, fault):
    await met(road, rates={fault: 1}, hang=0 if fault is Fault.VANISH else 5)
    row = await road.ends()
    assert row.state in REACHED
    copies = road.effects()
    if road.name in ONE_COPY:
        assert len(copies) == 1
    else:
        assert 1 <= len(copies) <= 2
        marks = {(e.extra.get("headers") or {}).get("Message-ID") or e.ref for e in copies}
        topics = {e.extra.get("topic") for e in copies}
        assert len(marks) == 1 or len(topics) == 1, "the copy bears the first one's name"


async def test_a_429_spends_no_try(road):
    row = await met(road, rates={Fault.THROTTLE: 1}, retry_after=3)
    assert (row.state, row.tries, row.crashes) == ("ready", 0, 0)
    assert not row.maybe


async def test_a_refused_letter_fails_with_its_reason_and_costs_no_address(road):
    row = await met(road, rates={Fault.REJECT: 1})
    assert not road.effects()
    if road.name in {ChannelName.X, ChannelName.WEBPUSH}:
        assert row.state == "ready"  # a 403 says too little: tried again, or the road is closed
    else:
        assert row.state == "failed"
        assert row.reason
    known = await road.ledger.read(lambda conn: conn.execute(contact_point.select()).one())
    assert known.suspended_at is None


@pytest.mark.parametrize("where", ["nobody listens", "no such host", "no TLS there"])
@pytest.mark.parametrize(
    "road", WITH_SERVER, indirect=True
)  # a push service comes with each person
async def test_a_provider_that_cannot_be_reached_leaves_no_doubt(road, where):
    await road.start(**unreachable(road, where))
    await road.publish()
    row = await road.until(lambda row: row.round >= 1 and row.state == "ready")
    assert not row.maybe
    assert row.reason in {"network", "provider_error", "provider_timeout"}
    await road.stop()
    await road.start()
    road.clock.leap(400)
    assert (await road.ends()).state in REACHED
    assert len(road.effects()) == 1


def unreachable(road, where):
    """Settings that lead nowhere."""
    port = closed_port()
    if road.name is ChannelName.EMAIL:
        return {
            "nobody listens": {"port": port},
            "no such host": {"host": "courrier.invalid"},
            "no TLS there": {"security": "tls"},
        }[where]
    base = road.sandbox.base_url
    return {
        "nobody listens": {"base_url": f"http://127.0.0.1:{port}"},
        "no such host": {"base_url": "https://fournisseur.invalid"},
        "no TLS there": {"base_url": base.replace("http:", "https:")},
    }[where]


WRONG = {
    ChannelName.SMS: {"auth_token": "wrong"},
    ChannelName.EMAIL: {"username": "nobody", "password": "wrong"},
    ChannelName.X: {"access_token": "wrong"},
}


@pytest.mark.parametrize("road", WITH_SERVER, indirect=True)
async def test_a_wrong_key_closes_the_road_alarms_and_blames_nobody(road, logs):
    await road.start(**WRONG[road.name])
    await road.publish()
    row = await road.until(lambda row: row.round >= 1 and row.state == "ready")
    assert (row.tries, row.crashes, row.maybe) == (0, 0, False)
    assert any(line["log_level"] == "error" for line in logs), "somebody is called"
    await road.stop()
    await road.start()
    road.clock.leap(400)
    assert (await road.ends()).state in REACHED
    assert len(road.effects()) == 1


@pytest.mark.parametrize("road", [ChannelName.EMAIL, ChannelName.WEBPUSH], indirect=True)
async def test_a_dead_address_fails_and_is_not_written_to_again(road):
    dead = "v0001-1" if road.name is ChannelName.WEBPUSH else road.address
    await met(road, dead=[dead])
    row = await road.until(lambda row: row.state == "failed")
    assert row.reason
    assert not road.effects()


async def test_every_failure_leaves_a_line_of_history(road):
    await met(road, rates={Fault.SILENCE: 1}, hang=5)
    lines = await road.ledger.read(lambda conn: conn.execute(attempt.select()).all())
    assert lines
    assert all(road.address not in (line.detail or "") for line in lines)


async def test_a_disk_that_becomes_read_only_forgets_nothing_and_sends_nothing_twice(road):
    road.sandbox.faults.set(road.name, latency=0.3)
    await road.start()
    await road.publish()
    await road.until(lambda row: row.state == "reserved")
    disk = await road.ledger.transact(lambda conn: conn.connection.driver_connection)
    disk.execute("PRAGMA query_only = ON")
    with pytest.raises(OperationalError, match="readonly"):
        await road.publish()
    await road.arrived()  # or the leap would be a time-out of what is still under way
    disk.execute("PRAGMA query_only = OFF")
    road.clock.leap(5)
    assert (await road.ends()).state in REACHED
    assert len(road.effects()) == 1
