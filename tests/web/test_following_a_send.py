# SPDX-License-Identifier: EUPL-1.2
"""A send to a thousand citizens as an officer follows it: it is suspended, goes on, and what the
page told on the way ends as its report, its log and the providers tell it."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from itertools import pairwise

import door_rig
import pytest
from yarl import URL

from hub.ledger import tables
from hub.web.console.following.stream import STREAMS

NEWS = {
    "urgency": "urgent",
    "themes": ["eau", "travaux", "alertes"],
    "channels": ["sms", "email", "webpush"],
    "title": "Fuite de gaz rue Basse",
    "body": "Ville de Valmont-sur-Orne : fuite de gaz rue Basse depuis 9 h. Éloignez-vous.",
}


@pytest.fixture
async def crowded(tmp_path, monkeypatch):
    """A hub with a thousand citizens in its town, everybody's address confirmed."""
    monkeypatch.setattr(door_rig, "CITIZENS", 1_000)
    folder = tmp_path / "crowded"
    door_rig.seed(folder)
    async with AsyncExitStack() as stack:
        yield await door_rig.open_door(stack, folder)


def counts(html):
    """channel -> (to send, handed over, received, waiting, failures) of the page's table."""
    told = {}
    for row in re.finditer(r'<tr id="canal-(\w+)">(.*?)</tr>', html, re.DOTALL):
        cells = re.findall(r'<td class="number"[^>]*>(?:<[^>]*>)?([^<]*)', row[2])
        numbers = [re.sub(r"\D", "", cell) for cell in cells[:5]]
        told[row[1]] = tuple(int(n or 0) for n in numbers)
    return told


async def follow(hand, code, told):
    """Keep what the stream says of the counts, until nobody listens any more."""
    url = URL(f"{hand.door.hub.base_url}/console/annonces/{code}/flux", encoded=True)
    async with hand.session.get(url) as answer:
        while line := await answer.content.readline():
            if line.startswith(b"data: "):
                said = json.loads(line[6:])
                for each in said if isinstance(said, list) else [said]:
                    if each.get("id") == "avancement":
                        told.append(counts(each["html"]))


async def test_numbers_only_grow_and_end_as_everything_else_tells_them(crowded, make_office):
    hand = await make_office(crowded).officer()
    crowded.app[STREAMS].pace = 0.05
    key = await crowded.key()
    code = (await crowded.post(key, NEWS)).json["id"]
    here, told = f"/console/annonces/{code}", []
    listening = asyncio.create_task(follow(hand, code, told))
    await crowded.until(lambda: len(told) > 3, 30)
    paused = await hand.post(f"{here}/suspendre")
    if paused.status == 303:  # it may all have left on a fast machine
        assert "Suspendue" in (await hand.get(here)).text
        assert (await hand.post(f"{here}/relancer")).status == 303
    shown = await crowded.settled(key, code, 120)
    await crowded.until(listening.done, 30)
    for before, after in pairwise(told):
        for channel, numbers in before.items():
            for place in (0, 1, 2, 4):
                assert after[channel][place] >= numbers[place], (channel, place)
    page = (await hand.get(here)).text
    assert counts(page) == told[-1]
    states = {run["channel"]: run["states"] for run in shown["channels"]}
    for channel, (total, answered, received, waiting, failed) in told[-1].items():
        if channel != "total":
            assert waiting == 0
            assert total == sum(states[channel].values())
            assert answered == total - sum(states[channel].get(s, 0) for s in ("skipped",))
            assert received == states[channel].get("delivered", 0)
            assert failed == states[channel].get("failed", 0)
    people = {row.subscriber for row in await crowded.rows(tables.delivery)}
    assert len(people) > 500
    said = re.search(r"jointes sur ([\d\s]+) en ", page)
    assert int(re.sub(r"\D", "", said[1])) == len(people)
    assert crowded.sandbox.effects.last == told[-1]["total"][1], "nobody twice, nobody forgotten"
