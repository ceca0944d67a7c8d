# SPDX-License-Identifier: EUPL-1.2
"""Training scripts: each step goes the ordinary way, to the phones alone, and may be replayed."""

import re
from datetime import UTC, datetime

import pytest

from channels.base import ChannelName, Urgency
from hub.flow.accept.submission import parse
from hub.ledger import tables
from hub.training.scripts import scripts
from subscribers import tables as people_tables
from templates.content import Kind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def play(door, key, step, **more):
    path = f"/sandbox/exercices/{key}/suite"
    return await door.ask("POST", path, data={"step": str(step), **more})


async def announcements(door):
    rows = await door.rows(tables.announcement, tables.announcement.c.source == "sandbox")
    return [(row.kind, row.urgency, row.state) for row in rows]


def test_a_flood_is_told_in_five_messages_and_there_are_two_stories_more():
    assert list(scripts()) == ["crue", "coupure-eau", "confinement"]
    crue = scripts()["crue"]
    assert len(crue.steps) == 5
    assert [step.kind for step in crue.steps] == [
        *(Kind.FIRST, Kind.UPDATE, Kind.UPDATE, Kind.CORRECTION, Kind.ALL_CLEAR)
    ]


@pytest.mark.parametrize("key", scripts())
def test_every_step_is_what_a_door_takes_in_both_languages(key):
    for drill in (False, True):
        for step in scripts()[key].steps:
            asked = parse(
                step.submission(NOW, first="7Kq2abc", drill=drill, channels=list(ChannelName))
            )
            assert asked.translations["en"].short
            assert (asked.urgency is Urgency.DRILL) == drill
            assert {"fr", "en"} <= step.lesson.keys()


@pytest.mark.parametrize("key", scripts())
async def test_a_story_is_played_to_its_end(door, key):
    script = scripts()[key]
    for number in range(1, len(script.steps) + 1):
        page = (await door.ask("GET", f"/sandbox/exercices/{key}")).text
        assert f'name="step" value="{number}"' in page
        assert "En réel, une autre personne doit valider." in page
        answer = await play(door, key, number)
        assert answer.status == 303, answer.text
        assert answer.headers["Location"] == f"/sandbox/exercices/{key}#etape-{number}"
    page = (await door.ask("GET", f"/sandbox/exercices/{key}")).text
    assert 'name="step"' not in page
    assert "L’histoire est finie." in page
    assert [kind for kind, _, _ in await announcements(door)] == [s.kind for s in script.steps]
    await door.until(lambda: _told(door, script.steps[-1].said["fr"]["short"][:30]))
    codes = re.findall(r'href="/a/(\w+)"', page)
    assert len(codes) == len(script.steps)
    assert (await door.ask("GET", f"/a/{codes[0]}")).status == 200


async def _told(door, words):
    return any(words in e.text for e in door.sandbox.effects.select(channel=ChannelName.SMS))


async def test_a_step_sent_twice_is_published_once_and_only_in_its_turn(door):
    for step in (3, 1, 1, "x", ""):
        assert (await play(door, "crue", step)).status == 303
    assert await announcements(door) == [("first", "important", "running")]


async def test_as_a_drill_every_step_says_so(door):
    await play(door, "crue", 1, drill="1")
    await play(door, "crue", 2)
    assert [urgency for _, urgency, _ in await announcements(door)] == ["drill", "drill"]
    await door.until(lambda: _told(door, "EXERCICE"))


async def test_played_again_it_begins_on_cleared_phones_and_is_published_again(door):
    await play(door, "crue", 1)
    await door.until(lambda: _told(door, "Vigilance"))
    again = await door.ask("POST", "/sandbox/exercices/crue/rejouer", data={"clear": "1"})
    assert again.headers["Location"] == "/sandbox/exercices/crue"
    assert "Vigilance" not in _bubbles((await door.ask("GET", "/sandbox/amina")).text)
    await play(door, "crue", 1)
    assert len(await announcements(door)) == 2


def _bubbles(html):
    return html[html.index('class="screen"') :]


async def test_the_list_says_how_far_each_was_played(door):
    await play(door, "confinement", 1)
    page = (await door.ask("GET", "/sandbox/exercices")).text
    assert "Crue en 5 messages" in page
    assert "1 sur 3 publiés" in page
    assert "Exercice de mise à l’abri" in page
    assert (await door.ask("GET", "/sandbox/exercices?lang=en")).text.count("A flood in 5") == 1
    assert (await door.ask("GET", "/sandbox/exercices/inondation")).status == 404


async def test_a_town_without_that_theme_is_told_so_and_nothing_is_published(make_door):
    door = await make_door(hub={"authority": "autreville"})

    def rename(conn):
        conn.execute(people_tables.theme.update().values(key="autre-" + people_tables.theme.c.key))

    await door.hub.ledger.transact(rename)
    answer = await play(door, "crue", 1)
    assert answer.status == 422
    assert "<title>Erreur" in answer.text
    assert 'role="alert"' in answer.text
    assert await announcements(door) == []
