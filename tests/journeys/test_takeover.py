# SPDX-License-Identifier: EUPL-1.2
"""A hub that stands still in the middle of a send, and the one that waited beside it.

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

from pathlib import Path

from bench.town import address
from bench.trial import Trial, doubled, wait_for
from channels.base import ChannelName

PEOPLE = 600
NEWS = {"title": "Coupure d'eau", "body": "Jeudi de 8 h à 12 h.", "themes": ["coupures"]}
LEASE = 5


def _effects(trial: Trial) -> int:
    return trial.log.read_bytes().count(b"\n")


def test_a_hub_that_stands_still_is_replaced_and_sends_nothing_stale(tmp_path: Path) -> None:
    shares = {ChannelName.SMS: 1.0, ChannelName.EMAIL: 0.5}
    with Trial(
        tmp_path / "trial",
        paces={"sms": 100.0, "email": 50.0},
        timeout=2.0,
        engine={"lease_seconds": LEASE},
    ) as trial:
        trial.settle(PEOPLE, shares)
        trial.start()
        trial.start_standby()
        code = trial.post(trial.key(), NEWS)["id"]
        wait_for("a third of the send", 60, lambda: _effects(trial) > PEOPLE * 0.5, 0.05)
        trial.pause_between_transactions()
        stopped_at = _effects(trial)
        trial.wait_until_taken_over(LEASE + 55)
        wait_for("the other to send", 60, lambda: _effects(trial) > stopped_at + 30, 0.05)
        trial.resume()
        assert trial.woken_ended(60) == 75
        said = (tmp_path / "trial" / "daemon.log").read_text("utf-8")
        assert "Another hub took over this folder." in said
        assert "Traceback" not in said
        # the port is free now, and the doors of the one that took over open
        trial.wait_until_finished(trial.key(), code, 120)
        received = trial.received(code)
        assert doubled(received, ChannelName.SMS) == 0
        assert doubled(received, ChannelName.X) == 0
        everybody = {("sms", address(ChannelName.SMS, n)) for n in range(1, PEOPLE + 1)}
        assert everybody <= set(received)
        trial.stop()


def test_one_that_waits_takes_over_at_once_from_one_that_died(tmp_path: Path) -> None:
    with Trial(tmp_path / "trial") as trial:
        trial.settle(3, {ChannelName.SMS: 1.0})
        trial.start()
        trial.start_standby()
        trial.kill()
        trial.wait_until_taken_over(60)
        wait_for("its doors", 60, trial.answers)
        key = trial.key()
        trial.wait_until_finished(key, trial.post(key, NEWS)["id"], 60)
        trial.stop()
