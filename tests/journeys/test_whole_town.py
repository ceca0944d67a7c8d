# SPDX-License-Identifier: EUPL-1.2
"""A whole town, with the daemon and the sandbox as processes of their own: five thousand citizens,
twenty thousand with WHOLE_TOWN=1 (minutes).

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

import json
import os
from collections import Counter
from pathlib import Path

from bench.ordeal import NEWS
from bench.town import address
from bench.trial import Trial
from channels.base import ChannelName

PEOPLE = 20_000 if "WHOLE_TOWN" in os.environ else 5_000
SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.25, ChannelName.WEBPUSH: 0.4}


def test_every_citizen_has_one_final_outcome(tmp_path: Path) -> None:
    wanted = {
        (channel.value, address(channel, n))
        for channel, share in SHARES.items()
        for n in range(1, round(PEOPLE * share) + 1)
    } | {("x", "public")}
    with Trial(tmp_path / "trial") as trial:
        trial.settle(PEOPLE, SHARES)
        trial.start()
        key = trial.key()
        code = trial.post(key, NEWS)["id"]
        shown = trial.wait_until_finished(key, code, 240)
        report = json.loads(trial.hub("report", code, "--json"))
        trial.stop()
        received, ledger = trial.received(code), trial.outcomes()
    assert received == Counter(dict.fromkeys(wanted, 1)), "everybody once, and nobody else"
    planned = Counter(channel for channel, _ in wanted)
    told = {each["channel"]: each["planned"] for each in report["channels"]}
    assert told == {each["channel"]: each["planned"] for each in shown["channels"]} == planned
    handed = {each["channel"]: each["handed_over"] for each in report["channels"]}
    assert handed == planned
    assert Counter(channel for channel, _ in ledger.elements()) == planned
    assert {state for _, state in ledger} <= {"accepted", "delivered"}
