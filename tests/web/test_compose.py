# SPDX-License-Identifier: EUPL-1.2
"""Officers write an announcement on one page, see what it becomes, and lose nothing they typed."""

import html
import re

from hub.flow.staff.roles import Role

HEADER = "X-CSRF-Token"


def field(page, name):
    """A hidden or text field's value as the page shows it."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.text)
    return None if found is None else found[1]


WORDS = {
    "level": "information",
    "title": "Coupure d'eau jeudi, Tanneries",
    "body": "Coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries.",
    "themes": "eau",
    "zones": "tanneries",
    "channels": "sms",
    "post_link": "1",
    "when": "now",
}


async def begin(hand, **given):
    """A new draft's code, and the version its page shows."""
    reply = await hand.post("/console/annonces/nouvelle", given)
    assert reply.status == 303, reply.text
    return re.fullmatch(r"/console/annonces/(\w{6})/rediger", reply.headers["Location"])[1]


async def write(hand, code, fields, do="save", path="rediger"):
    page = await hand.get(f"/console/annonces/{code}/rediger")
    pairs = [("version", field(page, "version")), ("do", do)]
    pairs += fields.items() if hasattr(fields, "items") else fields
    return await hand.post(f"/console/annonces/{code}/{path}", pairs)


async def test_an_announcement_is_begun_by_a_form_and_not_by_looking(office):
    hand = await office.writer()
    page = await hand.get("/console/annonces/nouvelle")
    assert "Annonce vierge" in page.text
    code = await begin(hand)
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert page.status == 200
    assert "Écrivez le message pour voir l'aperçu." in page.text.replace("&#39;", "'")
    assert f"/a/{code}" in page.text


async def test_what_was_typed_is_there_again_with_its_preview_and_its_people(office):
    hand = await office.writer()
    code = await begin(hand)
    reply = await write(hand, code, WORDS)
    assert reply.headers["Location"] == f"/console/annonces/{code}/rediger"
    page = await hand.get(reply.headers["Location"])
    assert "Brouillon enregistré." in page.text
    assert 'value="tanneries" checked' in page.text
    assert 'id="preview-sms-fr"' in page.text
    assert 'id="audience"' in page.text
    assert 'id="completeness"' in page.text


async def test_without_a_script_the_preview_is_refreshed_by_a_button(office):
    hand = await office.writer()
    code = await begin(hand)
    reply = await write(hand, code, WORDS | {"tab": "sms"}, path="apercu")
    assert reply.status == 303
    assert reply.headers["Location"].endswith("/rediger?apercu=sms#apercu")
    page = await hand.get(f"/console/annonces/{code}/rediger?apercu=sms")
    assert "UCS-2" in page.text


async def test_a_family_of_characters_is_replaced_by_its_button_and_remembered(office):
    hand = await office.writer()
    code = await begin(hand)
    pairs = [*WORDS.items(), ("spelling", "apostrophes")]
    await write(hand, code, pairs, path="apercu")
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert "GSM-7" in page.text
    assert "UCS-2" not in page.text


async def test_a_script_is_told_what_unsaved_words_become(office):
    hand = await office.writer()
    code = await begin(hand)
    body = [("version", "1"), *WORDS.items()]
    reply = await hand.ask(
        "POST", f"/console/annonces/{code}/apercu", data=body, headers={HEADER: hand.csrf}
    )
    parts = reply.json["parts"]
    assert 'id="preview-sms-fr"' in parts["part-previews"]
    assert 'id="people"' in parts["part-audience"]
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert WORDS["title"].split(",")[0] not in page.text


async def test_a_draft_saves_itself(office):
    hand = await office.writer()
    code = await begin(hand)
    save = {"data": [("version", "1"), *WORDS.items()], "headers": {HEADER: hand.csrf}}
    path = f"/console/annonces/{code}/rediger"
    reply = await hand.ask("POST", path, **save)
    assert reply.json["version"] == 2
    assert re.fullmatch(r"\d+\u00a0h\u00a0\d\d", reply.json["saved"])
    assert (await hand.ask("POST", path, **save)).json["version"] == 2


async def test_two_tabs_that_wrote_are_shown_both_texts_and_nothing_is_lost(office):
    first, second = await office.writer(), await office.writer(name="J. Morel")
    code = await begin(first)
    path = f"/console/annonces/{code}/rediger"
    other = WORDS | {"title": "Autre titre", "themes": "travaux"}
    assert (await write(first, code, WORDS)).status == 303
    assert (await second.post(path, {"version": "2"} | other)).status == 303
    reply = await first.post(path, {"version": "2"} | WORDS | {"title": "Mon titre"})
    assert reply.status == 409
    for words in ("Mon titre", "Autre titre", "J. Morel", "travaux"):
        assert words in reply.text
    pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', reply.text)
    mine = [(name, value) for name, value in pairs if name != "csrf"]
    assert (await first.post(path, mine)).status == 303
    page = await second.get(path)
    assert "Mon titre" in page.text
    itself = {"data": [("version", "2"), *WORDS.items()], "headers": {HEADER: second.csrf}}
    assert (await second.ask("POST", path, **itself)).status == 409


async def test_every_fault_has_its_field_and_its_link_and_keeps_what_was_typed(office):
    hand = await office.writer()
    code = await begin(hand)
    given = WORDS | {"title": "", "body": "Coupure à {lieu}", "themes": "", "when": "at"}
    given |= {"date": "2026-11-20", "time": "08:00"}
    reply = await write(hand, code, given, do="check")
    assert reply.status == 422
    assert "<title>Erreur" in reply.text
    for name in ("title", "body", "themes", "date"):
        assert f'<a href="#{name}">' in reply.text, name
    assert "Le texte contient un blanc à remplir\u00a0: {lieu}." in reply.text
    assert 'value="2026-11-20"' in reply.text


async def test_what_the_channels_cannot_carry_is_said_at_its_field(office):
    hand = await office.writer()
    code = await begin(hand)
    reply = await write(hand, code, WORDS | {"body": "a" * 1300}, do="check")
    assert reply.status == 422
    assert "le maximum est 6" in reply.text


async def test_what_is_whole_goes_on_to_the_check(office):
    hand = await office.writer()
    code = await begin(hand)
    reply = await write(hand, code, WORDS, do="check")
    assert (reply.status, reply.headers["Location"]) == (303, f"/console/annonces/{code}/verifier")


async def test_an_urgent_alert_is_six_answers(office):
    hand = await office.writer()
    code = await begin(hand, urgent="1")
    page = await hand.get(f"/console/annonces/{code}/rediger")
    for name in ("six_source", "six_what", "six_where", "six_when", "six_do", "six_check"):
        assert f'id="{name}"' in page.text
    given = {"shape": "six", "level": "urgent", "whole": "1", "themes": "eau", "channels": "sms"}
    reply = await write(hand, code, given | {"six_what": "fuite de gaz"}, do="check")
    assert reply.status == 422
    assert '<a href="#six_do">' in reply.text
    assert '<a href="#title">' not in reply.text, "six answers make it: the page has no such field"
    assert '<a href="#body">' not in reply.text
    given |= {"six_what": "fuite de gaz", "six_where": "rue Basse", "six_do": "restez chez vous"}
    await write(hand, code, given, do="free")
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert 'value="Fuite de gaz, rue Basse"' in page.text
    assert "Restez chez vous.</textarea>" in page.text


async def test_choosing_urgent_on_a_blank_page_asks_the_six_questions(office):
    hand = await office.writer()
    code = await begin(hand)
    await write(hand, code, {"level": "urgent"})
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert 'id="six_what"' in page.text


async def test_another_towns_and_another_themes_drafts_are_not_there(office):
    hand = await office.writer()
    code = await begin(hand)
    await write(hand, code, WORDS)
    elsewhere = await office.writer(authority="autreville")
    canteen = await office.officer({Role.WRITE: ("cantine",)})
    for other in (elsewhere, canteen):
        for path in ("rediger", "supprimer", "apercu-email"):
            assert (await other.get(f"/console/annonces/{code}/{path}")).status == 404, path
        for path in ("rediger", "apercu", "supprimer"):
            reply = await other.post(f"/console/annonces/{code}/{path}", WORDS | {"version": "2"})
            assert reply.status == 404, path
    reader = await office.officer({Role.READ: None})
    assert (await reader.get(f"/console/annonces/{code}/rediger")).status == 403


async def test_themes_of_others_are_not_offered(office):
    hand = await office.officer({Role.WRITE: ("ecoles",)})
    code = await begin(hand)
    page = await hand.get(f"/console/annonces/{code}/rediger")
    offered = re.findall(r'name="themes" value="([\w-]+)"', page.text)
    assert offered == ["ecoles", "cantine"]
    reply = await write(hand, code, WORDS, do="check")
    assert reply.status == 422
    assert '<a href="#themes">' in reply.text


async def test_the_e_mail_is_framed_by_our_pages_alone_and_runs_nothing(office):
    hand = await office.writer()
    code = await begin(hand)
    await write(hand, code, WORDS | {"channels": "email"})
    reply = await hand.get(f"/console/annonces/{code}/apercu-email?langue=fr")
    assert reply.status == 200
    policy = reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert "Coupure" in reply.text


async def test_a_draft_is_thrown_away_after_a_question(office):
    hand = await office.writer()
    code = await begin(hand)
    page = await hand.get(f"/console/annonces/{code}/supprimer")
    assert "Supprimer ce brouillon" in page.text
    assert (await hand.post(f"/console/annonces/{code}/supprimer")).status == 303
    assert (await hand.get(f"/console/annonces/{code}/rediger")).status == 404


async def test_what_is_written_in_a_draft_that_somebody_threw_away_goes_on_in_another(office):
    first, second = await office.writer(), await office.writer()
    code = await begin(first)
    path = f"/console/annonces/{code}/rediger"
    assert (await second.post(f"/console/annonces/{code}/supprimer")).status == 303
    itself = {"data": [("version", "1"), *WORDS.items()], "headers": {HEADER: first.csrf}}
    assert (await first.ask("POST", path, **itself)).status == 409, (
        "a tab left open revives nothing"
    )
    reply = await first.post(path, {"version": "1"} | WORDS)
    assert reply.status == 303
    assert code not in reply.headers["Location"]
    page = await first.get(reply.headers["Location"])
    assert WORDS["title"] in html.unescape(page.text)
    assert "Votre texte est gardé ici" in page.text
    stranger = await office.writer(authority="autreville")
    assert (await stranger.post(path, {"version": "1"} | WORDS)).status == 404


async def test_what_is_written_in_a_draft_that_somebody_handed_in_goes_on_in_another(office):
    first, second = await office.writer(), await office.writer()
    code = await begin(first)
    path = f"/console/annonces/{code}/rediger"
    assert (await write(first, code, WORDS)).status == 303
    page = await second.get(f"/console/annonces/{code}/verifier")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    asked = await second.post(f"/console/annonces/{code}/verifier", form | {"do": "ask"})
    assert asked.status == 303
    same = await first.post(path, {"version": "2"} | WORDS)
    assert same.headers["Location"] == f"/console/annonces/{code}"
    other = await first.post(path, {"version": "2"} | WORDS | {"title": "Autre titre"})
    assert code not in other.headers["Location"]
    assert "Autre titre" in (await first.get(other.headers["Location"])).text


async def test_nobody_is_counted_before_it_is_said_where(office):
    hand = await office.writer()
    code = await begin(hand)
    await write(hand, code, WORDS | {"zones": ""})
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert 'id="people"' not in page.text
    assert "Choisissez un thème et un lieu" in page.text
    assert 'id="preview-sms-fr"' in page.text


async def test_an_area_that_was_drawn_is_shown_on_the_map(office):
    hand = await office.writer()
    code = await begin(hand)
    drawn = "48.971, -0.467\n48.971, -0.462\n48.975, -0.462"
    await write(hand, code, WORDS | {"zones": "", "polygon": drawn})
    page = await hand.get(f"/console/annonces/{code}/rediger")
    assert re.search(r'id="traced" d="M\d+ \d+L', page.text)
    assert "48.971, -0.467" in page.text


async def test_rubbish_in_every_field_is_kept_and_said_never_a_breakdown(office):
    hand = await office.writer()
    code = await begin(hand)
    rubbish = "\x00é\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace") + "<b>{{"
    names = (*WORDS, "polygon", "circle_at", "date", "time", "every", "interval", "link", "kind")
    names += ("about", "title_en", "override_sms", "spelling", "weekdays", "asked", "approval")
    for when in ("repeat", "at", rubbish):
        given = dict.fromkeys(names, rubbish) | {"when": when}
        reply = await write(hand, code, given, do="check")
        assert reply.status == 422
        assert "<b>" not in reply.text
