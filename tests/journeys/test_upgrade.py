# SPDX-License-Identifier: EUPL-1.2
"""Killed in the middle of a send under the older tables, started with the newer: nobody is lost.

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from alembic import command

from bench.ordeal import NEWS
from bench.town import address
from bench.trial import Trial, wait_for
from channels.base import ChannelName
from hub.ledger import schema
from hub.ledger.database import open_writer

PEOPLE = 600
SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5}
FIRST = "0001"


def take_back(ledger: Path) -> None:
    """What the first version would have left on the disk."""
    engine = open_writer(ledger)
    with engine.begin() as conn:
        command.downgrade(schema._config(conn), FIRST)
    engine.dispose()


def reserved(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as conn:
        asked = "SELECT count(*) FROM delivery WHERE state = 'reserved'"
        return int(conn.execute(asked).fetchone()[0])


def test_an_upgrade_in_the_middle_of_a_send_loses_and_doubles_nobody(tmp_path: Path) -> None:
    with Trial(tmp_path / "trial", paces={"sms": 150.0, "email": 100.0}) as trial:
        trial.settle(PEOPLE, SHARES)
        trial.start()
        key = trial.key()
        code = trial.post(key, NEWS)["id"]
        wait_for("a third of it", 60, lambda: sum(trial.received(code).values()) > PEOPLE // 3)
        trial.kill()
        ledger = trial.folder / "data" / "ledger.sqlite3"
        assert reserved(ledger), "a kill that interrupts nothing proves nothing"
        take_back(ledger)
        trial.start()
        trial.wait_until_finished(key, code, 180)
        received = trial.received(code)
        trial.stop()
        verdict = json.loads(trial.hub("verify", "--json"))
    wanted = {
        (channel.value, address(channel, n))
        for channel, share in SHARES.items()
        for n in range(1, round(PEOPLE * share) + 1)
    }
    assert set(received) - {("x", "public")} == wanted
    texts = Counter(n for (channel, _), n in received.items() if channel == "sms")
    assert texts == {1: PEOPLE}
    assert (trial.folder / "data" / f"before-{schema.head()}.sqlite3").exists()
    assert verdict["sound"], verdict["findings"]
