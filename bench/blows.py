# SPDX-License-Identifier: EUPL-1.2
"""The ways the daemon is interrupted: killed while it plans, sends, recovers or looks up; stopped
past its lease while another takes over, and continued."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.ordeal import Blow, Ordeal, Strike
from bench.trial import wait_for

LOOK_UP: Final = 30.0  # seconds before the first look-up at the provider (ENGINE.md 5)
WAKING: Final = 2.0  # seconds in which a continued hub writes what had passed its last check
_LISTEN: Final = "0A"


def while_planning(ordeal: Ordeal, _: float) -> None:
    """`kill -9` within the time that planning takes."""
    time.sleep(ordeal.chance.uniform(0.0, 0.15))
    _kill(ordeal, "planning")


def while_sending(ordeal: Ordeal, share: float) -> None:
    """`kill -9` in the middle of the send."""
    ordeal.wait_for_share(share)
    time.sleep(ordeal.chance.uniform(0.0, 0.2))
    _kill(ordeal, "sending")


def while_recovering(ordeal: Ordeal, share: float) -> None:
    """Two kills in a row: the second while the daemon starts again, or has just begun to send."""
    ordeal.wait_for_share(share)
    at = time.time()
    ordeal.trial.kill()
    ordeal.write_down("sending", at)
    ordeal.trial.spawn()
    time.sleep(ordeal.chance.uniform(0.6, 1.2) * ordeal.start_seconds)
    _kill(ordeal, "recovering")


def while_looking_up(ordeal: Ordeal, _: float) -> None:
    """`kill -9` as soon as the look-ups have begun, everything else having left."""
    ordeal.wait_for_share(0.96)
    wait_for("quiet", 60, lambda: not ordeal.ready(), 0.1)
    before = ordeal.doubt()
    with suppress(TimeoutError):  # the last row in doubt was settled, or none of them is due
        wait_for("the look-ups", 2 * LOOK_UP, lambda: ordeal.doubt() < before, 0.005)
    blow = _kill(ordeal, "looking up")
    blow.looked_up = before - blow.doubt


def _kill(ordeal: Ordeal, kind: str) -> Blow:
    at = time.time()
    ordeal.trial.kill()
    blow = ordeal.write_down(kind, at)
    ordeal.start()
    return blow


# ------------------------------------------------------------------ stops


def take_over(ordeal: Ordeal, share: float) -> None:
    """SIGSTOP in mid-send; another hub takes over when the lease ends, and sends; SIGCONT: the
    stopped one must send nothing more, and end with 75."""
    trial = ordeal.trial
    trial.start_standby()
    ordeal.wait_for_share(share)
    time.sleep(ordeal.chance.uniform(0.0, 0.2))
    again, at = ordeal.trial.pause_between_transactions(), time.time()
    blow = ordeal.write_down("stopped", at)
    blow.again = again
    stopped = trial.sender()
    assert stopped is not None
    trial.wait_until_taken_over(60)
    before = ordeal.log.read()
    with suppress(TimeoutError):  # all that is left may be in doubt
        wait_for("the second's first effects", 5, lambda: ordeal.log.read() > before + 20, 0.02)
    ports, resumed = ports_of(stopped), time.time()
    trial.resume()
    while trial.woken_runs():
        ports |= ports_of(stopped)
        time.sleep(0.005)
    blow.exit_code, ended = trial.woken_ended(1), time.time()
    time.sleep(0.1)
    ordeal.log.read()
    late = [
        (channel, copy.at - resumed)
        for (_, channel, _), copies in ordeal.log.copies.items()
        for copy in copies
        if copy.caller in ports and resumed <= copy.at <= ended
    ]
    blow.woken = Counter(channel for channel, after in late if after <= WAKING)
    blow.stale = Counter(channel for channel, after in late if after > WAKING)
    trial.wait_until_ready()


def ports_of(pid: int) -> set[int]:
    """The local ports of a process's connections, from /proc (Linux). Empty once it is gone."""
    inodes = set()
    with suppress(OSError):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(str(fd.readlink()).removeprefix("socket:[").removesuffix("]"))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return {
        int(line[1].rpartition(":")[2], 16)
        for line in lines
        if line[9] in inodes and line[3] != _LISTEN
    }


# ------------------------------------------------------------------ how many of which


def kills_of_a_leg(kills: int, chance: random.Random) -> Sequence[Strike]:
    """`kills` of them: one while it plans, one while it looks up, and of the others, which fall
    in mid-send, some in pairs, the second while it recovers from the first."""
    first: list[Strike] = [while_planning] if kills > 1 else []
    last: list[Strike] = [while_looking_up] if kills > 5 else []
    left, middle = kills - len(first) - len(last), list[Strike]()
    while left > 0:
        pair = left >= 2 and chance.random() < 0.25
        middle.append(while_recovering if pair else while_sending)
        left -= 2 if pair else 1
    return [*first, *middle, *last]
