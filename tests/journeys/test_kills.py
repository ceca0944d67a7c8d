# SPDX-License-Identifier: EUPL-1.2
"""`kill -9` in the middle of a send, then a restart: nobody is lost, and no SMS goes twice.

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

from pathlib import Path

from bench import kills


def test_killed_and_restarted_it_loses_nobody_and_doubles_no_sms(tmp_path: Path) -> None:
    figures = kills.run(tmp_path / "trial", people=1_500, kills=3, seed=7)
    assert figures["lost"] == 0
    assert figures["unexpected"] == 0
    assert figures["not_final"] == 0
    assert figures["final_outcomes"] == figures["deliveries"]
    assert any(figures["in_doubt_at_each_kill"]), "a kill that interrupts nothing proves nothing"
    assert figures["parked"] == 0, "nobody had to be asked"
    assert figures["doubled"]["sms"] == figures["doubled"]["x"] == 0
