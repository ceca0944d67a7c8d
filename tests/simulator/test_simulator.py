# SPDX-License-Identifier: EUPL-1.2
"""Seeds of the simulator hold every promise; the same seed tells the same story again.

`python -m bench.simulate --seeds 2000` is the long version, which `make prove` runs.
"""

from collections import Counter
from functools import cache

import pytest
from structlog.testing import capture_logs

from bench.simulate import one
from bench.simulator.checker import Checker
from bench.simulator.story import tell

SEEDS = range(1, 25)
TOGETHER = 6  # a file's tests run side by side: a few seeds each


@pytest.fixture(autouse=True)
def silence():
    """What a story logs is nobody's business here."""
    with capture_logs():
        yield


@pytest.mark.parametrize("first", SEEDS[::TOGETHER])
def test_a_seed_breaks_no_promise(first):
    told = [one(seed) for seed in range(first, first + TOGETHER)]
    assert {each.seed: each.broken for each in told if each.broken} == {}


def test_a_seed_tells_the_same_story_again():
    once, again = one(7), one(7)
    assert (once.acts, once.figures) == (again.acts, again.figures)
    assert once.figures["messages"]


# --------------------------------------------------------------------------- the checker can fail


@cache
def with_an_sms():
    """The first seed whose story sent one and went well."""
    for seed in range(1, 60):
        rows = Checker(tell(seed)).rows
        if any(row.channel == "sms" and row.state in {"accepted", "delivered"} for row in rows):
            return seed
    raise AssertionError("no seed sent an SMS")


@pytest.fixture
def record():
    """A story that went well, on SMS: to be falsified."""
    return tell(with_an_sms())


def broken(record, statement):
    record.disk.transact(lambda conn: conn.exec_driver_sql(statement))
    return Counter(said.split(" ", 2)[-1] for said in Checker(record).violations())


SMS_ROW = (
    "(SELECT d.id FROM delivery d JOIN run r ON r.id = d.run WHERE r.channel = 'sms' "
    "AND d.state IN ('accepted', 'delivered') LIMIT 1)"
)


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM delivery WHERE id = {SMS_ROW}",
        f"UPDATE delivery SET state = 'doubt' WHERE id = {SMS_ROW}",
        f"UPDATE delivery SET state = 'skipped', reason = 'erased', maybe = 0 WHERE id = {SMS_ROW}",
        "UPDATE delivery_count SET n = n + 1",
        "UPDATE announcement SET state = 'running'",
    ],
)
def test_a_ledger_changed_by_hand_is_seen(record, statement):
    if statement.startswith("DELETE"):
        with pytest.raises(KeyError):  # a message of a row that nobody knows
            broken(record, statement)
    else:
        assert broken(record, statement)


def test_a_second_copy_of_an_sms_is_seen(record):
    (provider,) = [each for each in record.providers.values() if each.channel == "sms"]
    twin = next(write for write in provider.writes if write.effect is not None)
    twin.failed = False
    provider.writes.append(twin)
    assert any("arrived 2 times" in said for said in Checker(record).violations())


def test_a_message_after_a_stop_is_seen(record):
    (provider,) = [each for each in record.providers.values() if each.channel == "sms"]
    write = provider.writes[0]
    who = Checker(record).row[write.delivery].subscriber
    record.town.people[who].silent = write.at - 3
    assert any("after a STOP" in said for said in Checker(record).violations())
