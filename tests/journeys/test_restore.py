# SPDX-License-Identifier: EUPL-1.2
"""Yesterday's backup put back: it sends nothing until released, and knows who stopped since.

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

import json
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path

from bench.ordeal import NEWS
from bench.town import address
from bench.trial import Trial, wait_for
from channels.base import ChannelName

PEOPLE = 120
SHARES = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 1.0}
STOPPED, ERASED, ONE_CHANNEL = 7, 8, 9


def addresses(person: int) -> set[str]:
    return {address(channel, person) for channel in SHARES}


def stop(trial: Trial, person: int, choice: str) -> None:
    """Follow the link in this person's own e-mail, as they would."""
    mine = address(ChannelName.EMAIL, person)
    text = next(each.text for each in trial.effects() if each.to == mine)
    found = re.search(r"/stop/[A-Za-z0-9_-]{32}", text)
    assert found, "no stop link"
    form = urllib.parse.urlencode({"choice": choice}).encode()
    with urllib.request.urlopen(trial.base_url + found.group(), form, timeout=10) as answer:
        assert answer.status == 200


def reached(trial: Trial) -> list[str]:
    return [each.to for each in trial.effects()]


def pending(trial: Trial) -> int:
    waits = ("ready", "reserved", "doubt", "parked")
    return sum(n for (_, state), n in trial.outcomes().items() if state in waits)


def test_yesterdays_backup_sends_nothing_until_released(tmp_path: Path) -> None:
    with Trial(tmp_path / "trial", paces={"sms": 6.0, "email": 6.0}) as trial:
        trial.settle(PEOPLE, SHARES)
        trial.start()
        key = trial.key()
        before = trial.post(key, NEWS)["id"]
        wait_for("a part of the send", 60, lambda: len(reached(trial)) > PEOPLE // 8)
        trial.hub("backup", "--to", str(tmp_path / "yesterday.zip"))
        trial.wait_until_finished(key, before, 120)
        stop(trial, STOPPED, "all")
        stop(trial, ONE_CHANNEL, "channel")
        trial.hub("subscriber", "erase", str(ERASED), "--yes")
        sent = len(reached(trial))
        trial.stop()

        told = trial.hub("restore", str(tmp_path / "yesterday.zip"), "--yes")
        assert "2 stopped and 1 were erased: done again" in told
        trial.start()
        meanwhile = trial.post(key, {**NEWS, "title": "Fuite rue des Tanneurs"})
        assert meanwhile["status"] == 202, "it accepts on hold"
        time.sleep(4)  # several rounds of upkeep, and every look at the queue
        assert len(reached(trial)) == sent, "nothing left on hold"
        with urllib.request.urlopen(f"{trial.base_url}/readyz", timeout=5) as answer:
            assert "on_hold" in answer.read().decode()

        trial.hub("release")
        trial.wait_until_finished(key, meanwhile["id"], 120)
        trial.wait_until_finished(key, before, 60)
        after = reached(trial)[sent:]
        wanted = {each for person in range(1, PEOPLE + 1) for each in addresses(person)}
        gone = addresses(STOPPED) | addresses(ERASED) | {address(ChannelName.EMAIL, ONE_CHANNEL)}
        assert sorted(each for each in after if each != "public") == sorted(wanted - gone)
        parked = {c: n for (c, state), n in trial.outcomes().items() if state == "parked"}
        assert parked["sms"] > 0, "what had not ended in the backup is a human's to decide"
        told = len(reached(trial))
        trial.hub("redrive", "--all")
        wait_for("the providers' answers", 120, lambda: not pending(trial), 1.0)
        again = list(trial.effects())[told:]
        assert not [each for each in again if each.channel is ChannelName.SMS], "Twilio had them"
        assert not gone & {each.to for each in again}
        trial.stop()
        verdict = json.loads(trial.hub("verify", "--json"))
    assert verdict["sound"], verdict["findings"]
