# SPDX-License-Identifier: EUPL-1.2
"""Files go with an announcement: said in words, public when it is, never opened in place."""

import io
import re

import aiohttp
import pytest

from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from hub.flow.writing.attachments import LARGEST

PDF = b"%PDF-1.7\n%plan\n"
SAID = "Plan : la rue Basse est barrée entre la place et le pont."


async def begin(hand):
    reply = await hand.post("/console/annonces/nouvelle")
    return reply.headers["Location"].split("/")[3]


async def attach(hand, code, content=PDF, said=SAID, name="Plan été.PDF"):
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("csrf", hand.csrf)
    form.add_field("said", said)
    if content is not None:
        form.add_field("file", io.BytesIO(content), filename=name, content_type="text/html")
    return await hand.ask("POST", f"/console/annonces/{code}/pieces", data=form)


async def test_a_file_is_kept_under_a_plain_name_with_what_its_bytes_are(office):
    hand = await office.writer()
    code = await begin(hand)
    assert (await attach(hand, code)).status == 303
    page = await hand.get(f"/console/annonces/{code}/pieces")
    assert "plan-ete.pdf" in page.text
    assert SAID in page.text
    reply = await hand.get(f"/console/annonces/{code}/pieces/plan-ete.pdf")
    assert reply.raw == PDF
    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="plan-ete.pdf"'
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert (await attach(hand, code)).status == 303
    assert "plan-ete-2.pdf" in (await hand.get(f"/console/annonces/{code}/pieces")).text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"content": b"<script>alert(1)</script>", "name": "a.pdf"}, "PDF, un PNG ou un JPEG"),
        ({"content": None}, "Choisissez un fichier."),
        ({"content": b""}, "Choisissez un fichier."),
        ({"content": PDF + b"x" * LARGEST}, "5 Mo"),
        ({"said": " "}, "Dites avec des mots"),
    ],
)
async def test_what_is_not_taken_is_said_why(office, given, told):
    hand = await office.writer()
    code = await begin(hand)
    reply = await attach(hand, code, **given)
    assert reply.status == 422
    assert told in reply.text
    assert "<title>Erreur" in reply.text


async def test_a_file_is_public_once_its_announcement_is(office):
    hand = await office.officer({Role.WRITE: None, Role.APPROVE: None})
    code = await begin(hand)
    await attach(hand, code)
    public = f"/a/{code}/plan-ete.pdf"
    assert (await office.door.ask("GET", public)).status == 404
    fields = {"version": "1", "title": "Rue Basse", "body": "Barrée.", "themes": "travaux"}
    fields |= {"whole": "1", "channels": "sms", "level": "urgent", "shape": "free"}
    await hand.post(f"/console/annonces/{code}/rediger", fields)
    await publish(hand, code)
    reply = await office.door.ask("GET", public)
    assert (reply.status, reply.raw) == (200, PDF)
    again = await office.door.ask("GET", public, headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status == 304
    page = await office.door.ask("GET", f"/a/{code}")
    assert public in page.text
    assert SAID in page.text


async def publish(hand, code):
    """Urgent, so that it leaves at once; in the sandbox nobody else need approve."""
    page = await hand.get(f"/console/annonces/{code}/verifier")
    assert f"/console/annonces/{code}/pieces" in page.text
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    given = {name: value for name, value in hidden if name != "csrf"}
    given |= {"do": "send", "acknowledged": "1"}
    reply = await hand.post(f"/console/annonces/{code}/verifier", given)
    assert reply.status == 303, reply.text


async def test_who_adds_a_file_has_edited_the_announcement(office):
    hand, other = await office.writer(), await office.writer()
    code = await begin(hand)
    await attach(other, code)

    def read(conn):
        who = officers.load(conn, hand.number)
        return compositions.load(conn, code, who)

    found = await office.door.hub.ledger.read(read)
    assert found.editors == (hand.number, other.number)
    await hand.post(f"/console/annonces/{code}/rediger", {"version": "1", "title": "Titre"})
    kept = await office.door.hub.ledger.read(read)
    assert len(kept.document["pieces"]) == 1


async def test_a_file_is_taken_away_and_is_nobody_elses(office):
    hand = await office.writer()
    code = await begin(hand)
    await attach(hand, code)
    elsewhere = await office.writer(authority="autreville")
    path = f"/console/annonces/{code}/pieces"
    assert (await elsewhere.get(path)).status == 404
    assert (await elsewhere.get(f"{path}/plan-ete.pdf")).status == 404
    assert (await attach(elsewhere, code)).status == 404
    assert (await elsewhere.post(f"{path}/retirer", {"name": "plan-ete.pdf"})).status == 404
    assert (await hand.post(f"{path}/retirer", {"name": "plan-ete.pdf"})).status == 303
    assert (await hand.post(f"{path}/retirer", {"name": "plan-ete.pdf"})).status == 404
    assert (await hand.get(f"{path}/plan-ete.pdf")).status == 404
