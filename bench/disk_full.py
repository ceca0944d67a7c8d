# SPDX-License-Identifier: EUPL-1.2
"""A disk that fills up in the middle of a send, and has room again later: who got what?

    unshare -Urm python -m bench.disk_full FOLDER [people]

The data folder is a small file system of its own (tmpfs), mounted in a namespace of this process
and its children: nothing outside sees it, no right is needed beyond `unshare`. A reader that keeps
its snapshot keeps SQLite from using old room again, so every commit needs new room. Prints one
line of JSON.
"""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from bench.ordeal import NEWS
from bench.town import address
from bench.trial import Trial, wait_for
from channels.base import ChannelName

SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5}
SIZE = "24m"
ROOM = 1 << 20
FULL_FOR = 8.0
BULKY = {**NEWS, "title": "Compte rendu", "body": "Séance du conseil. " * 900, "short": "Séance."}


def fill(ballast: Path) -> None:
    """Leave `ROOM` and no more: what is accepted last must be kept too."""
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
        file.truncate(file.tell() - ROOM)


def until_refused(trial: Trial, key: str, turn: str) -> tuple[int, dict[str, Any]]:
    """Post until the disk is full: how many were accepted, and what the refusal said."""
    for accepted in range(2_000):
        try:
            trial.post(key, BULKY, idempotency=f"{turn}-{accepted}")
        except HTTPError as refused:
            with refused:
                return accepted, {"status": refused.code, **json.load(refused)}
    raise AssertionError("the disk was never full")


def run(folder: Path, people: int) -> dict[str, Any]:
    """One trial; the figures."""
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", data], check=True)
    with Trial(folder, paces={"sms": 200.0, "email": 100.0}) as trial:
        trial.settle(people, SHARES)
        trial.start()
        key = trial.key()
        code = trial.post(key, NEWS)["id"]
        asking = trial.hub("key", "add", "asks").split()
        draft_key = next(word for word in asking if word.startswith("hub_"))
        wait_for("a part of the send", 60, lambda: sum(trial.received(code).values()) > people // 4)
        with closing(sqlite3.connect(data / "ledger.sqlite3")) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM delivery").fetchone()
            fill(data / "ballast")
            accepted, refused = until_refused(trial, draft_key, "first")
            at_full = sum(trial.received(code).values())
            time.sleep(FULL_FOR)
            while_full = sum(trial.received(code).values()) - at_full
            again = until_refused(trial, draft_key, "again")
            reader.rollback()
        (data / "ballast").unlink()
        wait_for("room again", 30, lambda: _accepts(trial, draft_key, "room"))
        trial.wait_until_finished(key, code, 180)
        received = trial.received(code)
        drafts = _drafts(data / "ledger.sqlite3")
        trial.stop()
        verdict = json.loads(trial.hub("verify", "--json"))
    wanted = {
        (channel.value, address(channel, n))
        for channel, share in SHARES.items()
        for n in range(1, round(people * share) + 1)
    }
    return {
        "people": people,
        "refused": refused["status"],
        "code": refused["code"],
        "accepted_until_full": accepted + again[0],
        "kept": drafts - 1,  # and the one that was accepted when there was room again
        "sent_while_full": while_full,
        "lost": len(wanted - set(received)),
        "doubled": sum(n > 1 for n in received.values()),
        "sound": verdict["sound"],
    }


def _accepts(trial: Trial, key: str, idempotency: str) -> bool:
    try:
        return bool(trial.post(key, BULKY, idempotency=idempotency)["status"] == 202)
    except HTTPError as refused:
        refused.close()
        return False


def _drafts(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as conn:
        asked = "SELECT count(*) FROM announcement WHERE state = 'to_approve'"
        return int(conn.execute(asked).fetchone()[0])


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int((sys.argv[2:] or ["600"])[0]))))
