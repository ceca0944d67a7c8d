# SPDX-License-Identifier: EUPL-1.2
"""An alert in the middle of a paced newsletter.

The sandbox's log of effects is the witness: it shares no code with the engine.
"""

from pathlib import Path

from bench import urgent_bench


def test_bulk_gets_no_more_than_five_per_cent_while_an_alert_goes_out(tmp_path: Path) -> None:
    # The times are bench/urgent_bench.py's to measure; the shares hold on any machine.
    figures = urgent_bench.run(
        tmp_path / "trial", people=600, pace=100, alerted=300, to_the_end=True
    )
    assert figures["urgent"] == figures["alerted"] == 300
    assert figures["bulk_share"] <= 0.05
    assert figures["bulk_in_all"] == 600
