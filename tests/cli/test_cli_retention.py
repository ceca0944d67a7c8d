# SPDX-License-Identifier: EUPL-1.2
"""`hub retention`: what has served goes on time, and what is said of the past stays true."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.base import ChannelName, Reason
from hub.clock import ManualClock
from hub.delivery import DeliveryState
from hub.flow.keep.retention import PAGE, Retiring, Rules
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger

Rows = Callable[..., list[tuple[Any, ...]]]
S = DeliveryState
NOW = datetime.now(UTC)
RULES = Rules(deliveries=396, attempts=180, audit=1096, unverified=7, consents=1096, backups=30)


def ago(days: int) -> int:
    return int((NOW - timedelta(days=days)).timestamp() * 1000)


def by_hand(town: Path, *statements: str) -> None:
    with closing(sqlite3.connect(town / "data" / "ledger.sqlite3")) as conn, conn:
        for statement in statements:
            conn.execute(statement)


@pytest.fixture
def sent(announced: Callable[..., str], daemon: Any, town: Path) -> Callable[[int], str]:
    """Sends an announcement that was over so many days ago; its code."""

    def send(days: int) -> str:
        code = announced("--title", f"Il y a {days} jours")
        daemon(code, {(ChannelName.EMAIL, 0): (S.FAILED, Reason.NO_SUCH_ADDRESS)})
        by_hand(
            town,
            "UPDATE delivery_count SET state = 'accepted' WHERE state = 'ready'",
            "UPDATE delivery SET state = 'accepted' WHERE state = 'ready'",
            f"UPDATE announcement SET state = 'finished', finished = {ago(days)} "
            f"WHERE code = '{code}'",
        )
        return code

    return send


def test_old_details_go_and_the_report_says_the_same(
    hub: Any, town: Path, sent: Callable[[int], str], rows: Rows
) -> None:
    old, recent = sent(400), sent(390)
    told = [json.loads(hub("report", code, "--json").out)["channels"] for code in (old, recent)]
    [(before,)] = rows("SELECT count(*) FROM delivery")
    assert "deliveries" in hub("retention", "--dry-run").out
    assert rows("SELECT count(*) FROM delivery") == [(before,)]
    ended = hub("retention")
    assert (ended.code, ended.err) == (0, "")
    mine = "SELECT count(*) FROM delivery WHERE run IN (SELECT r.id FROM run r JOIN announcement a"
    left = f"{mine} ON a.id = r.announcement WHERE a.code = :code)"
    assert rows(left, code=old) == [(0,)]
    assert rows(left, code=recent)[0][0] > 0
    again = [json.loads(hub("report", code, "--json").out)["channels"] for code in (old, recent)]
    assert again == told
    assert hub("verify").code == 0
    assert hub("retention").out == "Nothing was erased.\n"
    [(verb,)] = rows("SELECT verb FROM audit ORDER BY id DESC LIMIT 1")
    assert verb == "retention"


def test_a_row_put_back_into_a_retired_run_is_found(
    hub: Any, town: Path, sent: Callable[[int], str]
) -> None:
    sent(400)
    hub("retention")
    by_hand(
        town,
        "INSERT INTO delivery (run, subscriber, contact_point, state, due, at) "
        "VALUES (1, 77, 77, 'ready', 0, 0)",
    )
    assert hub("verify").code == 1


def test_attempts_and_receipts_go_sooner_than_the_rows(
    hub: Any, town: Path, sent: Callable[[int], str], rows: Rows
) -> None:
    sent(200)
    for table, more in (("attempt", "code"), ("receipt", "rank, code")):
        for days in (200, 10):
            by_hand(
                town,
                f"INSERT INTO {table} (delivery, round, at, {more}) "
                f"SELECT min(id), 1, {ago(days)}, {'' if table == 'attempt' else '1,'} '{days}' "
                "FROM delivery",
            )
    hub("retention")
    assert rows("SELECT code FROM attempt UNION ALL SELECT code FROM receipt") == [("10",)] * 2
    assert rows("SELECT count(*) FROM delivery")[0][0] > 0


def test_who_never_confirmed_is_forgotten(hub: Any, town: Path, rows: Rows) -> None:
    by_hand(
        town,
        f"UPDATE contact_point SET verified_at = NULL, created = {ago(8)} "
        "WHERE subscriber IN (1, 2) AND channel = 'sms'",
        f"UPDATE contact_point SET verified_at = NULL, created = {ago(6)} WHERE subscriber = 3",
    )
    hub("retention")
    assert rows("SELECT subscriber, channel FROM contact_point WHERE subscriber < 4") == [
        (1, "email"),
        (3, "sms"),
    ]
    assert rows("SELECT id FROM subscriber WHERE id < 4 ORDER BY id") == [(1,), (3,)]
    assert rows("SELECT * FROM consent WHERE subscriber = 2") == []
    assert hub("verify").code == 0


def test_the_rest_goes_when_its_time_is_over(hub: Any, town: Path, rows: Rows) -> None:
    folder = town / "data"
    by_hand(
        town,
        f"UPDATE consent SET withdrawn_at = {ago(1_100)} WHERE subscriber = 1",
        f"UPDATE consent SET withdrawn_at = {ago(1_000)} WHERE subscriber = 2",
        f"INSERT INTO suppression VALUES ('sms', 'a', 'dead_address', 0, {ago(1)})",
        "INSERT INTO suppression VALUES ('sms', 'b', 'do_not_contact', 0, NULL)",
        "INSERT INTO suppression VALUES ('sms', 'c', 'dead_address', 0, 99999999999999)",
        "INSERT INTO audit (at, actor, verb, object, detail) "
        f"VALUES ({ago(1_100)}, 'x', 'old', 'x', '{{}}')",
        "INSERT INTO kept_address VALUES (1, '+33639980001', 'fr')",
    )
    by_hand(town, "UPDATE audit SET id = 0 WHERE verb = 'old'")
    journal = Journal.beside(folder / "ledger.sqlite3")
    for days in (40, 5):
        journal.append("stop", days, NOW - timedelta(days=days))
    for name, days in (("replaced-1", 40), ("replaced-2", 5), ("before-0001.sqlite3", 40)):
        (folder / name).mkdir() if "replaced" in name else (folder / name).touch()
        os.utime(folder / name, (ago(days) / 1000,) * 2)
    shown = hub("retention").out
    assert rows("SELECT count(*) FROM consent WHERE subscriber < 3") == [(1,)]
    assert rows("SELECT address_hash FROM suppression ORDER BY 1") == [("b",), ("c",)]
    assert rows("SELECT count(*) FROM audit WHERE verb = 'old'") == [(0,)]
    assert rows("SELECT * FROM kept_address") == []
    assert [each.person for each in journal.entries()] == [5]
    assert [each.name for each in folder.glob("replaced-*")] == ["replaced-2"]
    assert not (folder / "before-0001.sqlite3").exists()
    assert [line.split() for line in shown.splitlines()[:-1]] == [
        ["kept_addresses", "1"],
        ["consents", "1"],
        ["suppressions", "1"],
        ["audit", "1"],
        ["journal", "1"],
        ["files", "2"],
    ]


def test_an_erased_address_is_nowhere_in_the_file(hub: Any, town: Path) -> None:
    """secure_delete: what SQLite frees it overwrites."""
    by_hand(town, "UPDATE contact_point SET verified_at = NULL, created = 0 WHERE subscriber = 4")
    assert b"louis@example.org" in (town / "data" / "ledger.sqlite3").read_bytes()
    hub("retention")
    assert b"louis@example.org" not in (town / "data" / "ledger.sqlite3").read_bytes()


async def test_the_daemon_does_it_every_day_in_pages(town: Path) -> None:
    old = ago(9)
    with closing(sqlite3.connect(town / "data" / "ledger.sqlite3")) as conn, conn:
        conn.executemany(
            "INSERT INTO contact_point (subscriber, channel, address, created, position) "
            "VALUES (1, ?, ?, ?, 1)",
            [("email", f"n{n}@example.org", old) for n in range(PAGE * 2 + 5)],
        )
    clock = ManualClock(NOW)
    async with Ledger(town / "data" / "ledger.sqlite3") as ledger:
        gone = await _with_time(Retiring(ledger, RULES, clock), clock)
    assert gone == {"unverified": PAGE * 2 + 5}


async def _with_time(retiring: Retiring, clock: ManualClock) -> dict[str, int]:
    work = asyncio.create_task(retiring.erase())
    while not work.done():
        await clock.advance(0.1)
        await asyncio.sleep(0.01)
    return dict(work.result())
