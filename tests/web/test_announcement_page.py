# SPDX-License-Identifier: EUPL-1.2
"""An announcement's one page: where it stands, what may be done, and for whom it does not exist."""

import re

import pytest

from hub.flow.office.roles import Role
from templates.pages.wording import translations

WORDS = translations("fr").gettext
CUT = {
    "urgency": "information",
    "themes": ["eau"],
    "title": "Coupure d'eau jeudi",
    "body": "De 8 h à 12 h.",
}


async def posted(door, payload=None, **scope):
    """The code of an announcement, and the key it came with."""
    key = await door.key(f"clé {len(scope)}", **scope)
    reply = await door.post(key, payload or CUT)
    assert reply.status == 202, reply.text
    return reply.json["id"], key


def cells(page: str, row: str) -> list[int]:
    """The numbers of one line of the table of counts."""
    found = re.search(rf'<tr id="canal-{row}">(.*?)</tr>', page, re.DOTALL)
    assert found is not None, page
    numbers = re.findall(r'<td class="number"[^>]*>(?:<[^>]*>)?([\d\u202f\u00a0–]+)', found[1])
    return [0 if n == "–" else int(re.sub(r"\D", "", n)) for n in numbers]


async def test_a_finished_announcement_shows_its_counts_and_they_add_up(office):
    hand = await office.officer({Role.READ: None})
    code, key = await posted(office.door)
    shown = await office.door.settled(key, code)
    page = (await hand.get(f"/console/annonces/{code}")).text
    assert "Coupure d&#39;eau jeudi" in page
    for run in shown["channels"]:
        if run["planned"]:
            total, answered, *_ = cells(page, run["channel"])
            assert total == run["planned"]
            assert answered == sum(run["states"].get(s, 0) for s in ("accepted", "delivered"))
