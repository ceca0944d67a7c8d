# SPDX-License-Identifier: EUPL-1.2
"""A page followed by a stream: whole at first, then what changed, for whom it is and no longer."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from door_rig import PATIENCE
from yarl import URL

from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.staff.sessions import IDLE
from hub.web.console.following.stream import MOST_EACH, STREAMS

CUT = {
    "urgency": "information",
    "themes": ["eau"],
    "title": "Coupure d'eau jeudi",
    "body": "De 8 h à 12 h.",
}
LATER = CUT | {"publish_at": "2026-11-26T08:00:00+01:00"}


@pytest.fixture
def quick(door):
    """Looks without a second's wait between two."""
    streams = door.app[STREAMS]
    streams.pace = streams.quiet = 0.02
    return streams


class Stream:
    """The events of an open one: (name, data, id)."""

    def __init__(self, answer):
        self.answer = answer
        self.headers = answer.headers

    async def event(self):
        """The next; None where it was closed."""
        told = {}
        async with asyncio.timeout(PATIENCE):
            while line := await self.answer.content.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    told[name] = value
                elif "event" in told:
                    return told["event"], json.loads(told["data"]), told.get("id", "")
                else:
                    told = {}  # `retry` alone
        return None

    async def until(self, name, containing=""):
        """The next of this name that holds these words."""
        while found := await self.event():
            if found[0] == name and containing in str(found[1]):
                return found
        raise AssertionError(f"closed before {name} {containing}")


@asynccontextmanager
async def following(hand, code, **headers):
    url = URL(f"{hand.door.hub.base_url}/console/annonces/{code}/flux", encoded=True)
    async with hand.session.get(url, headers=headers, allow_redirects=False) as answer:
        yield Stream(answer)


async def posted(door, payload, key=None):
    key = key or await door.key()
    return (await door.post(key, payload)).json["id"], key


async def test_the_first_word_is_the_page_itself(office, quick):
    hand = await office.officer({Role.READ: None})
    code, _ = await posted(office.door, LATER)
    page = (await hand.get(f"/console/annonces/{code}")).text
    async with following(hand, code) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert stream.headers["Cache-Control"] == "no-store"
        _, parts, stamp = await stream.until("snapshot")
        assert [each["id"] for each in parts] == ["etat", "avancement", "raisons", "journal"]
        assert stamp
        for each in parts:
            assert each["html"].strip() in page, "with and without scripts the page is the same"


async def test_what_changed_comes_and_nothing_else_until_it_is_done(office, quick):
    hand = await office.officer()
    code, _ = await posted(office.door, LATER)
    async with following(hand, code) as stream:
        await stream.until("snapshot")
        await stream.until("ping")
        assert (await hand.post(f"/console/annonces/{code}/arreter")).status == 303
        _, part, _ = await stream.until("fragment")
        assert part["id"] in ("etat", "journal")
        await stream.until("done")
        assert await stream.event() is None, "nothing moves any more"


async def test_a_browser_that_saw_all_of_it_is_not_told_again(office, quick):
    hand = await office.officer()
    code, _ = await posted(office.door, LATER)
    async with following(hand, code) as stream:
        _, _, stamp = await stream.until("snapshot")
    async with following(hand, code, **{"Last-Event-ID": stamp}) as stream:
        assert (await stream.event())[0] == "ping"
    async with following(hand, code, **{"Last-Event-ID": "long ago"}) as stream:
        assert (await stream.event())[0] == "snapshot"


@pytest.mark.parametrize("why", ["signed out", "disabled", "another theme", "idle"])
async def test_a_stream_closes_when_it_is_no_longer_theirs(office, quick, why):
    hand, door = await office.officer({Role.READ: None}), office.door
    code, _ = await posted(door, LATER)

    def disable(conn):
        who = officers.load(conn, hand.number)
        officers.disable(conn, who, actor="tests", now=door.clock.now())

    def narrow(conn):
        who = officers.load(conn, hand.number)
        values = {"roles": {"read": ["culture"]}}
        officers.change(conn, who, values, verb="grant", actor="tests", now=door.clock.now())

    async with following(hand, code) as stream:
        await stream.until("snapshot")
        match why:
            case "signed out":
                await hand.post("/console/deconnexion")
            case "disabled":
                await door.hub.ledger.transact(disable)
            case "another theme":
                await door.hub.ledger.transact(narrow)
            case "idle":
                door.clock.leap(IDLE + timedelta(minutes=1))
        while (found := await stream.event()) is not None:
            assert found[0] in ("ping", "fragment")


async def test_one_officer_opens_no_more_than_a_browser_would(office, quick):
    hand = await office.officer()
    code, _ = await posted(office.door, LATER)
    async with AsyncStreams(hand, code, MOST_EACH):
        async with following(hand, code) as one_more:
            assert one_more.answer.status == 429
        other = await office.officer()
        async with following(other, code) as theirs:
            assert theirs.answer.status == 200
    await office.door.until(lambda: not quick.watching.total())


class AsyncStreams:
    """So many at once, each past its first word."""

    def __init__(self, hand, code, many):
        self.opening = [following(hand, code) for _ in range(many)]

    async def __aenter__(self):
        for each in self.opening:
            stream = await each.__aenter__()
            await stream.until("snapshot")

    async def __aexit__(self, *exc):
        for each in self.opening:
            await each.__aexit__(*exc)


async def test_a_hub_that_stops_keeps_no_stream_open(office, quick):
    hand = await office.officer()
    code, _ = await posted(office.door, LATER)
    async with following(hand, code) as stream:
        await stream.until("snapshot")
        quick.closing.set()
        while (found := await stream.event()) is not None:
            assert found[0] in ("ping", "fragment")


async def test_over_a_whole_send_the_numbers_of_the_stream_end_as_the_page_shows_them(
    office, quick
):
    hand = await office.officer({Role.READ: None})
    code, key = await posted(office.door, CUT)
    last, settled = {}, asyncio.create_task(office.door.settled(key, code))
    async with following(hand, code) as stream:
        quiet = 0
        while not settled.done() or quiet < 2:
            name, told, _ = await stream.event()
            quiet = quiet + 1 if name == "ping" else 0
            for each in told if name == "snapshot" else [told] if told else []:
                last[each["id"]] = each["html"]
        page = (await hand.get(f"/console/annonces/{code}")).text
    assert last["avancement"].strip() in page
    assert last["raisons"].strip() in page
