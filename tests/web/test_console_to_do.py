# SPDX-License-Identifier: EUPL-1.2
"""What waits for whom: asked of who may approve, back with who wrote; and the home stays true."""

import asyncio
import json
import re

from door_rig import PATIENCE
from yarl import URL

from hub.flow.staff import officers
from hub.flow.writing import compositions, fields
from hub.web.console.following.stream import STREAMS
from subscribers.catalogue import load_authority

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
CUT = {"title": "Coupure d'eau rue Basse", "body": "Jeudi de 8 h à 12 h.", "themes": ["eau"]}


async def written(office, hand):
    def begin(conn):
        who = officers.load(conn, hand.number)
        town = load_authority(conn, who.authority)
        document = fields.blank(town, ["sms"], whole="1", **CUT)
        return compositions.begin(conn, who, document, office.door.clock.now()).code

    return await office.door.hub.ledger.transact(begin)


async def decide(hand, code, **given):
    page = await hand.get(f"/console/annonces/{code}/verifier")
    hidden = {name: value for name, value in _HIDDEN.findall(page.text) if name != "csrf"}
    reply = await hand.post(f"/console/annonces/{code}/verifier", hidden | given)
    assert reply.status == 303, reply.text


async def test_an_approval_waits_for_a_colleague_and_comes_back_with_its_reason(office):
    writer, approver = await office.writer(name="J. Morel"), await office.approver(name="A. Diallo")
    code = await written(office, writer)
    assert "À faire (0)" in (await approver.get("/console")).text
    await decide(writer, code, do="ask")
    page = await approver.get("/console")
    assert "À faire (1)" in page.text
    assert "À valider" in page.text
    assert "J. Morel" in page.text
    assert f'href="/console/annonces/{code}/verifier"' in page.text
    assert "À faire (0)" in (await writer.get("/console")).text
    await decide(approver, code, do="decide", decision="return", reason="L'heure manque.")
    page = await writer.get("/console")
    assert "Renvoyée pour correction" in page.text
    assert f'href="/console/annonces/{code}/rediger"' in page.text
    assert "A. Diallo" in page.text
    assert "À faire (0)" in (await approver.get("/console")).text


async def test_the_home_shows_what_begins_to_leave_without_being_asked_again(office):
    door = office.door
    streams = door.app[STREAMS]
    streams.pace = streams.quiet = 0.02
    hand = await office.officer()
    url = URL(door.hub.base_url + "/console/flux", encoded=True)
    async with hand.session.get(url) as answer, asyncio.timeout(PATIENCE):
        assert "Aucun envoi en ce moment." in await live(answer, "snapshot")
        await door.post(await door.key(), CUT)
        while "Coupure d&#39;eau rue Basse" not in await live(answer, "fragment"):
            pass


async def live(answer, name):
    """The live part as the next event of this name carries it."""
    event = ""
    while line := (await answer.content.readline()).decode().rstrip("\n"):
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        if line.startswith("data: ") and event == name:
            said = json.loads(line.removeprefix("data: "))
            return (said[0] if isinstance(said, list) else said)["html"]
    return await live(answer, name)
