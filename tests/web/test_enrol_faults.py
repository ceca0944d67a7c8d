# SPDX-License-Identifier: EUPL-1.2
"""Whatever somebody forgets or mistypes is named, in both languages, with what to do about it."""

from datetime import timedelta

import pytest
from citizen_rig import PROOFS, SMS, THEMES, WAYS, Citizen, errors, words

from subscribers import tables as theirs

PHONE, TYPED = "+33639987701", "06 39 98 77 01"

# field at fault, what was sent, French, English
FAULTS = [
    (
        "how",
        {},
        "Choisissez au moins un moyen de vous joindre.",
        "Choose at least one way to reach you.",
    ),
    (
        "mobile",
        {"by_sms": "1"},
        "Écrivez un numéro de mobile, par exemple 06 12 34 56 78.",
        "Enter a mobile number, for example 06 12 34 56 78.",
    ),
    ("mobile", {"by_sms": "1", "mobile": "01 42 68 53 00"}, "fixe", "landline"),
    ("mobile", {"by_sms": "1", "mobile": "+1 415 555 2671"}, "vers ce pays", "this country"),
    ("mobile", {"by_sms": "1", "mobile": "08 99 70 01 23"}, "spécial", "special-rate"),
    ("mobile", {"by_sms": "1", "mobile": "six cent"}, "Écrivez un numéro", "Enter a mobile"),
    ("email", {"by_email": "1"}, "Écrivez votre adresse e-mail", "Enter your e-mail address"),
    (
        "email",
        {"by_email": "1", "email": "zoe"},
        "Il manque un @ dans l'adresse e-mail.",
        "The e-mail address is missing an @.",
    ),
    ("email", {"by_email": "1", "email": "zoe@"}, "Écrivez une adresse", "such as"),
    (
        "mobile",
        {"by_email": "1", "email": "z@example.org", "grid_eau_sms": "1"},
        "numéro",
        "number",
    ),
    ("where", {"where": "", "by_sms": "1", "mobile": TYPED}, "Choisissez où", "Choose where"),
    ("where", {"where": "some", "by_sms": "1", "mobile": TYPED}, "Choisissez où", "Choose where"),
    ("where", {"where": "x", "zone_nowhere": "1", "by_sms": "1", "mobile": TYPED}, "où", "where"),
    ("consent", {"consent": "", "by_sms": "1", "mobile": TYPED}, "Cochez la case", "Tick the box"),
    (
        "quiet-from",
        {"quiet": "1", "quiet_from": "25:00", "quiet_to": "7h", "by_sms": "1", "mobile": TYPED},
        "Écrivez une heure",
        "Enter a time",
    ),
    (
        "quiet-to",
        {"quiet": "1", "quiet_from": "21:00", "quiet_to": "21 h", "by_sms": "1", "mobile": TYPED},
        "différente",
        "not the start",
    ),
]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_fault_of_the_second_question_has_its_sentence(make_door, language):
    door = await make_door(limits={"public_per_minute": 1000})
    zoe = Citizen(door, language=language)
    await zoe.choose("eau")
    before = await door.counts()
    for field, sent, french, english in FAULTS:
        answer = await zoe.hand_in("eau", **sent)
        assert answer.status == 422, sent
        found = errors(answer.text)
        assert found, sent
        sentence = french if language == "fr" else english
        assert any(sentence in each for each in found.values()), (sent, found)
        title = answer.text.split("<title>")[1]
        assert title.startswith("Erreur" if language == "fr" else "Error")
        if field in {"mobile", "email", "quiet-from", "quiet-to"}:
            assert f'aria-describedby="{field}' in answer.text
            assert 'aria-invalid="true"' in answer.text
    assert await door.counts() == before
    assert await door.rows(theirs.challenge) == []


async def test_each_link_of_the_summary_leads_to_a_field(door):
    zoe = Citizen(door)
    await zoe.choose("eau")
    page = (await zoe.hand_in("eau", where="", consent="", quiet="1", quiet_from="x")).text
    assert set(errors(page)) >= {"where-whole", "by-sms", "quiet-from", "quiet-to", "consent"}
    for target in errors(page):
        assert f'id="{target}"' in page, target


async def test_no_theme_is_a_fault_of_the_first_question(door):
    zoe = Citizen(door)
    page = await zoe.choose()
    assert page.status == 422
    assert errors(page.text) == {"themes": "Choisissez au moins un thème."}
    assert (await zoe.ask("POST", THEMES, **{"theme-unknown": "1"})).status == 422


async def test_what_was_typed_stays_typed(door):
    zoe = Citizen(door)
    await zoe.choose("eau")
    page = (
        await zoe.hand_in(
            *("eau",), where="some", zone_gare="1", by_email="1", email="zoe", cadence="daily"
        )
    ).text
    assert 'value="zoe"' in page
    for ticked in ("zone-gare", "by-email", "cadence-daily", "where-some", "consent"):
        assert " checked" in page.split(f'id="{ticked}"')[1].split(">")[0], ticked


async def test_what_is_typed_is_shown_as_text(door):
    zoe = Citizen(door)
    await zoe.choose("eau")
    nasty = '"><script>alert(1)</script>'
    page = await zoe.hand_in("eau", by_email="1", email=nasty, q=nasty, mobile=nasty)
    assert page.status == 422
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("tanneurs", "Rue des Tanneurs"),
        ("RUE DES TANNEURS", "Rue des Tanneurs"),
        ("12 bis r. des tanneurs", "Rue des Tanneurs"),
        ("résidence tilleul", "Résidence des Tilleuls"),
        ("residence  TILLEULS", "Résidence des Tilleuls"),
        ("quai de l'orne", "Quai de l’Orne"),
    ],
)
async def test_a_street_is_found_as_people_type_it(door, typed, found):
    zoe = Citizen(door)
    await zoe.choose("eau")
    answer = await zoe.hand_in("eau", act="search", q=typed, where="some", mobile="06 39")
    assert answer.headers["Location"] == f"{WAYS}#trouves"  # what was found is in view
    assert answer.status == 303
    page = (await zoe.get(WAYS)).text
    block = page.split('id="trouves"')[1].split("<details")[0]
    assert found in block
    assert 'value="06 39"' in page  # nothing typed is lost by searching


async def test_a_street_nobody_has_leads_to_the_list(door):
    zoe = Citizen(door)
    await zoe.choose("eau")
    await zoe.hand_in("eau", act="search", q="rue de nulle part")
    page = words((await zoe.get(WAYS)).text)
    assert "Aucun lieu trouvé" in page
    assert "Tanneries" in page


async def test_enter_in_the_search_field_searches(door):
    """The browser presses the form's first button; nobody chose a place yet."""
    zoe = Citizen(door)
    await zoe.choose("eau")
    answer = await zoe.hand_in("eau", q="tanneurs", where="some", by_sms="1", mobile=TYPED)
    assert answer.headers["Location"].startswith(WAYS)
    assert "Rue des Tanneurs" in (await zoe.get(WAYS)).text
    assert await door.rows(theirs.challenge) == []


async def test_each_district_of_the_map_leads_to_its_box(door):
    zoe = Citizen(door)
    await zoe.choose("eau")
    page = (await zoe.get(WAYS)).text
    drawing = page.split('<svg class="map"')[1].split("</svg>")[0]
    for key in ("centre", "tanneries", "gare", "coteaux", "prairie", "moulins"):
        assert f'href="#zone-{key}"' in drawing
        assert f'id="zone-{key}"' in page


# --------------------------------------------------------------------------- codes


async def test_a_wrong_code_says_how_many_tries_are_left(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    right = await zoe.code(PHONE)
    wrong = "000000" if right != "000000" else "111111"
    said = [list(errors((await zoe.prove(wrong)).text).values()) for _ in range(5)]
    assert said[:4] == [
        ["Ce code n’est pas le bon. Il vous reste 4 essais."],
        ["Ce code n’est pas le bon. Il vous reste 3 essais."],
        ["Ce code n’est pas le bon. Il vous reste 2 essais."],
        ["Ce code n’est pas le bon. Il vous reste 1 essai."],
    ]
    assert said[4][0].startswith("Trop d’essais. Réessayez à")
    assert "Trop d’essais" in errors((await zoe.prove(right)).text)["code"]


async def test_a_code_is_taken_with_spaces(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    code = await zoe.code(PHONE)
    assert (await zoe.prove(f" {code[:3]} {code[3:]} ")).status == 303


async def test_no_code_at_all_costs_no_try(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    assert "6 chiffres" in errors((await zoe.prove("")).text)["code"]
    (row,) = await door.rows(theirs.challenge)
    assert row.tries == 0


async def test_a_code_that_is_over_says_so_and_another_is_sent(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    first = await zoe.code(PHONE)
    door.clock.leap(timedelta(minutes=10))
    assert errors((await zoe.prove(first)).text) == {
        "code": "Ce code a expiré. Demandez-en un nouveau."
    }
    answer = await zoe.ask("POST", PROOFS, again="sms")
    assert answer.headers["Location"] == f"{PROOFS}?envoye=sms"
    assert "Un nouveau message vient de partir" in words(
        (await zoe.get(f"{PROOFS}?envoye=sms")).text
    )
    assert (await zoe.prove(await zoe.code(PHONE, 2))).status == 303


async def test_another_code_waits_a_minute_and_the_page_says_until_when(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_sms="1", mobile=TYPED)
    assert "Vous pourrez demander un autre message à" in words((await zoe.get(PROOFS)).text)
    refused = await zoe.ask("POST", PROOFS, again="sms")
    assert refused.status == 422
    assert "Un message vient de partir" in errors(refused.text)["code"]
    door.clock.leap(timedelta(seconds=61))
    assert "Renvoyer un message" in words((await zoe.get(PROOFS)).text)
    assert (await zoe.ask("POST", PROOFS, again="sms")).status == 303
    await zoe.code(PHONE, 2)
    door.clock.leap(timedelta(seconds=61))
    assert (await zoe.ask("POST", PROOFS, again="sms")).status == 422
    assert zoe.received(SMS, PHONE) == 2


async def test_a_link_replaced_by_a_newer_one_says_so(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_email="1", email="zoe@example.org")
    first = await zoe.link("zoe@example.org")
    door.clock.leap(timedelta(seconds=61))
    assert (await zoe.ask("POST", PROOFS, again="email")).status == 303
    second = await zoe.link("zoe@example.org", 2)
    page = await zoe.ask("POST", first)
    assert page.status == 410
    assert "Ce lien a été remplacé" in words(page.text)
    assert (await zoe.ask("POST", second)).status == 303


async def test_a_link_that_is_over_or_forged_says_so(door):
    zoe = Citizen(door)
    await zoe.subscribe("eau", by_email="1", email="zoe@example.org")
    path = await zoe.link("zoe@example.org")
    for other in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/c/x", "/c/" + "a" * 28):
        for method in ("GET", "POST"):
            page = await zoe.ask(method, other)
            assert page.status == 410, other
            assert "Ce lien a expiré" in words(page.text)
    door.clock.leap(timedelta(hours=49))
    assert (await zoe.ask("POST", path)).status == 410


async def test_a_second_subscription_at_once_is_told_when_to_try_again(door):
    await Citizen(door).subscribe("eau", by_sms="1", mobile=TYPED)
    answer = await Citizen(door).subscribe("eau", by_sms="1", mobile=TYPED)
    assert answer.status == 422
    assert "Un message vient de partir" in errors(answer.text)["mobile"]
    points = await door.rows(theirs.contact_point, theirs.contact_point.c.address == PHONE)
    assert len(points) == 1
