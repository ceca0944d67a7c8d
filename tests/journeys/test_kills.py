# SPDX-License-Identifier: EUPL-1.2
"""`kill -9` while it plans, sends and recovers, and a SIGSTOP with take-over, in one short send.

The sandbox's log of effects is the witness, and the checker shares no code with the engine.
`make prove` is the long version.
"""

import random
from pathlib import Path

from bench import blows
from bench.prove import LEASE, TIMEOUT, ward
from bench.trial import Trial

STRIKES = [blows.while_planning, blows.while_recovering, blows.take_over, blows.while_sending]


def test_killed_and_stopped_it_loses_nobody_and_sends_nothing_twice(tmp_path: Path) -> None:
    trial = Trial(
        tmp_path / "trial",
        paces={"sms": 60.0, "email": 40.0, "webpush": 40.0, "x": 2.0},
        timeout=TIMEOUT,
        engine={"lease_seconds": LEASE},
    )
    found = ward(trial, [STRIKES], people=1_000, chance=random.Random(7))
    kinds = [blow.kind for blow in found.blows]
    assert kinds == ["planning", "sending", "recovering", "stopped", "sending"]
    assert found.findings.broken == []
    assert found.verified is not False
    assert found.broken() == []
    assert sum(sum(blow.reserved.values()) for blow in found.blows), "nothing was interrupted"
