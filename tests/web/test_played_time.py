# SPDX-License-Identifier: EUPL-1.2
"""The hub's clock put forward in the sandbox: the night and the digest are seen without waiting."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from channels.base import ChannelName
from hub.clock import PlayedClock
from hub.web.sandbox.hours import coming

PARIS = ZoneInfo("Europe/Paris")
AMINA = "+33639980001"


async def forward(door, to):
    answer = await door.ask("POST", "/sandbox/heure", data={"to": to, "back": "/sandbox/heure"})
    assert (answer.status, answer.headers["Location"]) == (303, "/sandbox/heure")
    return door.clock.now().astimezone(PARIS)


def got(door, channel, address):
    return [e.subject + e.text for e in door.sandbox.effects.to(channel, address)]


async def reads(door, path):
    html = (await door.ask("GET", path)).text
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))).replace("\xa0", " ")


async def test_at_half_past_ten_at_night_information_waits_for_the_morning_and_urgent_does_not(
    door, news
):
    key, sms = await door.key(), {"channels": ["sms"], "themes": ["alertes"], "zones": []}
    there = await forward(door, "22:30")
    assert (there.hour, there.minute) == (22, 30)
    await door.post(key, news | sms | {"title": "Marché", "body": "Samedi."})
    loud = news | sms | {"title": "Crue", "body": "Montez.", "urgency": "urgent"}
    await door.post(key, loud)
    await door.until(lambda: _came(door, "Crue"))
    await door.until(lambda: _held(door))
    (arrived,) = got(door, ChannelName.SMS, AMINA)
    assert "Crue" in arrived
    assert "Reporté à 7 h 00" in await reads(door, "/sandbox/amina")
    await forward(door, "07:00")
    await door.until(lambda: _came(door, "Marché"))
    assert "Reporté" not in await reads(door, "/sandbox/amina")


async def _held(door):
    return "Reporté" in await reads(door, "/sandbox/amina")


async def _came(door, word):
    return any(word in each for each in got(door, ChannelName.SMS, AMINA))


async def test_at_six_three_items_are_one_letter(door, news):
    key = await door.key()
    for title in ("Un concert", "Une fête", "Un marché"):
        said = {"title": title, "themes": ["culture"], "zones": [], "channels": ["email"]}
        code = (await door.post(key, news | said)).json["id"]
        await door.settled(key, code)
    waiting = await reads(door, "/sandbox/louis")
    assert waiting.count("Dans le résumé de 18 h 00") == 3
    assert not got(door, ChannelName.EMAIL, "louis.3@example.org")
    await forward(door, "18:00")
    await door.until(lambda: _gathered(door))
    (letter,) = got(door, ChannelName.EMAIL, "louis.3@example.org")
    assert all(title in letter for title in ("Un concert", "Une fête", "Un marché"))


async def _gathered(door):
    return got(door, ChannelName.EMAIL, "louis.3@example.org")


async def test_an_hour_later_is_an_hour_later_and_the_page_says_what_time_it_is(door):
    before = door.clock.now()
    there = await forward(door, "+1")
    assert timedelta(hours=1) <= there - before < timedelta(hours=1, minutes=1)
    assert f"{there.hour} h {there.minute:02}" in await reads(door, "/sandbox/heure")


async def test_an_hour_that_is_none_changes_nothing_and_says_what_to_write(door):
    before = door.clock.now()
    answer = await door.ask("POST", "/sandbox/heure", data={"time": "25:00"})
    assert answer.status == 422
    assert "<title>Erreur" in answer.text
    assert "Écrivez une heure comme 22:30." in answer.text
    assert 'value="25:00"' in answer.text
    assert door.clock.now() - before < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("asked", "hours"), [("22:30", 12.5), ("10:00", 24), ("9h59", 23 + 59 / 60), ("10:01", 1 / 60)]
)
def test_an_hour_is_always_the_next_one_never_an_earlier_one(asked, hours):
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 10 h in Paris
    assert coming(asked, now, "Europe/Paris") == now + timedelta(hours=hours)


@pytest.mark.parametrize("asked", ["", "24:00", "12", "12:60", "midi", "１２:00"])
def test_what_is_no_hour_is_none(asked):
    assert coming(asked, datetime(2026, 11, 24, 9, 0, tzinfo=UTC), "Europe/Paris") is None


def test_a_played_clock_goes_forward_and_never_back():
    clock = PlayedClock(timedelta(days=-3))
    tomorrow = clock.now() + timedelta(days=1)
    clock.put_forward(tomorrow)
    assert timedelta(0) <= clock.now() - tomorrow < timedelta(seconds=5)
    assert abs(clock.wall() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="not put back"):
        clock.put_forward(clock.now() - timedelta(seconds=1))
