# SPDX-License-Identifier: EUPL-1.2
"""The figure of docs/reliability.md is drawn from the line of JSON that `make prove` ends with."""

import xml.etree.ElementTree as ET

from bench.draw import draw

FOUND = {
    "kills": 2,
    "stops": 1,
    "trials": [
        {
            "per_blow": [
                {"kind": "sending", "unrecorded": {"sms": 4, "email": 3}, "doubled": {"email": 3}},
                {"kind": "sending", "unrecorded": {}, "doubled": {}},
                {"kind": "stopped", "unrecorded": {"x": 1}, "doubled": {}},
            ]
        }
    ],
}


def test_a_mark_for_every_kill_and_group() -> None:
    figure = ET.fromstring(draw(FOUND))
    circles = figure.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 2 + 2 + 3, "two in the legend; e-mail and push twice, SMS and X thrice"


def test_a_run_without_blows_is_an_empty_figure() -> None:
    ET.fromstring(draw({"kills": 0, "stops": 0, "trials": []}))
