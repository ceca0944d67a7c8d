# SPDX-License-Identifier: EUPL-1.2
"""A provider that takes messages and does not answer: each is looked up, none goes twice.

Half of Twilio's requests take effect and are then never answered, cut or garbled. Then the day
turns good.
"""

import json
import time
import urllib.request
from pathlib import Path

from bench.trial import Trial, doubled
from channels.base import ChannelName

SMS = ChannelName.SMS
NEWS = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["coupures"], "channels": ["sms"]}
BAD_DAY = {"sms": {"rates": {"vanish": 0.1, "garbage": 0.2, "cut": 0.2}, "hang": 0.5}}
PEOPLE = 60


def _weather(trial: Trial, faults: object) -> None:
    request = urllib.request.Request(
        f"{trial.ready['base_url']}/sandbox/api/faults",
        data=json.dumps(faults).encode(),
        method="PUT",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        return


def test_what_was_taken_without_an_answer_is_looked_up_and_never_sent_twice(
    tmp_path: Path,
) -> None:
    with Trial(tmp_path / "trial", paces={"sms": 100.0}) as trial:
        trial.settle(PEOPLE, {SMS: 1.0})
        trial.start()
        key = trial.key()
        _weather(trial, BAD_DAY)
        code = trial.post(key, NEWS)["id"]
        deadline = time.monotonic() + 60
        while trial.outcomes()["sms", "doubt"] < PEOPLE // 4 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert trial.outcomes()["sms", "doubt"] >= PEOPLE // 4
        _weather(trial, {})
        trial.wait_until_finished(key, code, 240)
        received = trial.received(code)
        states = trial.outcomes()
    assert states["sms", "accepted"] + states["sms", "delivered"] == PEOPLE
    assert doubled(received, SMS) == 0
    assert len(received) == PEOPLE
