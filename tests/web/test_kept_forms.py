# SPDX-License-Identifier: EUPL-1.2
"""A form that comes after its session ended: what was written is kept, and sent on its writer's own
word, once they signed in again."""

import html
import re
from datetime import timedelta

from hub.flow.staff.roles import Role

LONG_GONE = timedelta(minutes=31)
WRITTEN = {"title": "Collecte déplacée", "body": 'Ligne 1\nLigne "2" & <3>', "themes": "dechets"}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def held(page):
    """The fields that the page's own form would send."""
    form = page.partition('<form method="post"')[2].partition("</form>")[0]
    return [(name, html.unescape(value)) for name, value in HIDDEN.findall(form)]


async def begun(hand):
    reply = await hand.post("/console/annonces/nouvelle", {"model": ""})
    here = reply.headers["Location"]
    page = await hand.get(here)
    version = re.search(r'name="version" value="(\d+)"', page.text)[1]
    return here, {**WRITTEN, "version": version, "shape": "free", "do": "save"}


async def test_what_was_written_before_the_session_ended_is_kept_and_then_saved(office):
    hand = await office.writer()
    here, fields = await begun(hand)
    office.door.clock.leap(LONG_GONE)
    ended = await hand.post(here, fields)
    assert ended.status == 403
    assert "Votre session est terminée" in ended.text
    assert "/console/connexion" in ended.text
    assert ended.headers["Cache-Control"] == "no-store"
    kept = held(ended.text)
    assert set(fields.items()) <= set(kept)
    await hand.sign_in()
    asked = await hand.ask("POST", here, data=kept)  # with no token: the page knows none
    assert asked.status == 403
    again = held(asked.text)
    assert set(fields.items()) <= set(again)
    assert "Collecte déplacée" not in (await hand.get(here)).text, "nothing without a word"
    saved = await hand.ask("POST", here, data=again)
    assert saved.status == 303
    page = html.unescape((await hand.get(here)).text)
    assert 'Ligne "2" & <3>' in page


async def test_a_form_of_the_session_before_is_kept_too(office):
    hand = await office.writer()
    here, fields = await begun(hand)
    former = hand.csrf
    await hand.sign_in()
    asked = await hand.post(here, fields, csrf=former)
    assert asked.status == 403
    assert set(fields.items()) <= set(held(asked.text))
    assert former not in asked.text


async def test_a_script_and_a_form_that_holds_no_text_are_told_as_before(office):
    hand = await office.writer()
    here, fields = await begun(hand)
    office.door.clock.leap(LONG_GONE)
    by_itself = await hand.ask("POST", here, data=fields, headers={"X-CSRF-Token": hand.csrf})
    assert by_itself.status == 403
    assert not held(by_itself.text)
    dropped = await hand.post(here.replace("rediger", "supprimer"))
    assert dropped.status == 403
    assert not held(dropped.text)
    assert 'href="/console/connexion' in dropped.text, "the way back in"


async def test_no_secret_is_ever_kept_in_a_page(office):
    hand = await office.officer({Role.OPERATE: None})
    office.door.clock.leap(LONG_GONE)
    reply = await hand.post("/admin/canaux/sms", {"twilio_auth_token": "tres-secret"})
    assert reply.status in (403, 404, 405)
    assert "tres-secret" not in reply.text


async def test_forms_of_strangers_are_counted(office):
    hand = await office.writer(signed_in=False)
    replies = [
        await hand.ask("POST", "/console/annonces/abcdef/rediger", data={"body": "x"})
        for _ in range(61)
    ]
    assert replies[0].status == 403
    assert replies[-1].status == 429
