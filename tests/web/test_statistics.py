# SPDX-License-Identifier: EUPL-1.2
"""The statistics tell an officer what their announcements came to, and nothing of anybody else."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from channels.base import ChannelName
from hub.demo_town import town
from hub.flow.keep.measuring import Measuring
from hub.flow.staff.roles import Role
from hub.ledger import measures, tables
from hub.ledger.office_tables import composition
from hub.pricing import Prices
from hub.reports.measuring import measure
from hub.tariff import tariff_of
from subscribers import tables as theirs

PAGE = "/console/statistiques"
FILE = "/console/statistiques.csv"
WORDS = {"title": "Coupure d'eau jeudi", "body": "L'eau sera coupée jeudi de 8 h à 12 h."}
FIVE_CENTS = {ChannelName.SMS: Prices(0.05, 0.05, "EUR")}
NB = "\u00a0"


async def sent(door: Any, key: str, **said: Any) -> str:
    """An announcement that ended and was measured at five cents a segment; its code."""
    asked = WORDS | {"themes": ["eau"], "channels": ["sms"], "urgency": "important"} | said
    code = (await door.post(key, asked)).json["id"]
    await door.finished(key, code)
    await measured(door)
    return code


async def measured(door: Any) -> None:
    tariff = replace(tariff_of(door.hub.settings, door.hub.engine.press), prices=FIVE_CENTS)
    taking = Measuring(
        door.hub.ledger, lambda conn, number: measure(conn, number, tariff), door.clock
    )
    while await taking.round():
        pass


def sheet(reply: Any) -> list[dict[str, str]]:
    text = reply.raw.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def figures(page: str) -> dict[str, str]:
    """What stands over each figure's words."""
    found = re.findall(r"<dt>(.*?)(?:<br>.*?)?</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {words.replace(NB, " "): value.replace(NB, " ") for words, value in found}


async def test_an_empty_town_is_told_what_will_stand_here(office):
    page = (await (await office.officer()).get(PAGE)).text
    assert "Aucune annonce terminée" in page
    assert 'href="/console/annonces/nouvelle"' in page
    assert "<svg" not in page.split('id="year"')[1].split('id="files"')[0]


async def test_a_month_says_whom_it_reached_how_fast_and_for_how_much(office, door):
    await sent(door, await door.key())
    hand = await office.officer()
    page = await hand.get(PAGE)
    assert page.status == 200
    told = figures(page.text)
    (row,) = sheet(await hand.get(FILE))
    reached, billed = int(row["Personnes jointes"]), int(row["SMS – facturés"])
    assert told["Annonces"] == row["Annonces"] == "1"
    assert told["Personnes jointes, une fois par annonce"] == str(reached)
    assert reached == billed > 5
    segments = round(float(row["SMS – coût"]) / 0.05 / billed)
    assert float(row["Coût (EUR)"]) == pytest.approx(billed * segments * 0.05)
    assert told["Coût des messages"] == f"{billed * segments * 0.05:.2f} €".replace(".", ",")
    assert "Eau" in page.text
    assert "Un SMS non remis est quand même facturé" in page.text


async def test_a_drill_counts_nowhere_and_that_is_said(office, door):
    key = await door.key()
    siren = {"title": "Essai", "body": "Sirène.", "themes": ["eau"], "channels": ["sms"]}
    await door.settled(key, (await door.post(key, siren | {"urgency": "drill"})).json["id"])
    page = (await (await office.officer()).get(PAGE)).text
    assert "Aucune annonce terminée" in page
    await sent(door, key)
    page = (await (await office.officer()).get(PAGE)).text
    assert figures(page)["Annonces"] == "1"
    assert "1 exercice sur les douze mois" in page


async def test_another_towns_announcements_are_never_counted(office, door):
    await sent(door, await door.key(authority=town.KEY))
    stranger = await office.officer(authority="autreville")
    page = (await stranger.get(PAGE)).text
    assert "Aucune annonce terminée" in page
    (row,) = sheet(await stranger.get(FILE))
    assert row["Annonces"] == row["Nouvelles inscriptions"] == "0"
    assert sheet(await stranger.get(f"{FILE}?par=annonce")) == []
    assert sheet(await stranger.get(f"{FILE}?par=lieu")) == []


async def test_who_has_one_theme_reads_of_that_theme_alone(office, door):
    key = await door.key()
    await sent(door, key)
    await sent(door, key, themes=["travaux"], title="Rue barrée")
    hand = await office.officer({Role.WRITE: ("travaux",)})
    assert figures((await hand.get(PAGE)).text)["Annonces"] == "1"
    (row,) = sheet(await hand.get(f"{FILE}?par=annonce"))
    assert row["Titre"] == "Rue barrée"
    everything = await office.officer({Role.READ: None})
    assert len(sheet(await everything.get(f"{FILE}?par=annonce"))) == 2


async def test_who_may_read_nothing_has_no_statistics(office):
    hand = await office.officer({Role.OPERATE: None})
    assert (await hand.get(PAGE)).status == 403
    assert (await hand.get(FILE)).status == 403
    nobody = await office.officer(signed_in=False)
    assert (await nobody.get(PAGE)).status == 303


async def test_a_handful_of_people_is_not_told_but_to_who_sees_contacts(office, door):
    code = await sent(door, await door.key())
    number = await door.announcement_id(code)

    def fewer(conn: Any) -> None:
        found = measures.of(conn, number)
        few = replace(found, reached=3, zones={None: 3})
        measures.keep(conn, few, "", door.clock.now())

    await door.hub.ledger.transact(fewer)
    reader = await office.officer({Role.READ: None})
    page = (await reader.get(PAGE)).text
    assert figures(page)["Personnes jointes, une fois par annonce"] == "moins de 5"
    assert figures(page)["Par personne jointe"] == "–"
    (row,) = sheet(await reader.get(FILE))
    assert row["Personnes jointes"] == "moins de 5"
    assert row["Coût par personne jointe (EUR)"] == row["Courriers évités"] == ""
    assert "par courrier" not in page
    trusted = await office.officer({Role.READ: None, Role.CONTACTS: None})
    assert figures((await trusted.get(PAGE)).text)["Personnes jointes, une fois par annonce"] == "3"


async def test_a_stop_is_put_down_to_its_announcement(office, door):
    code = await sent(door, await door.key())
    number, amina = await door.announcement_id(code), await door.person("v0001")
    token = door.stop_token(ChannelName.SMS, amina, number)
    for _ in range(2):  # twice is one person
        await door.ask("POST", f"/stop/{token}", data={"choice": "theme"})
    hand = await office.officer()
    (row,) = sheet(await hand.get(f"{FILE}?par=annonce"))
    assert row["Désabonnements après une annonce"] == "1"
    (month,) = sheet(await hand.get(FILE))
    assert month["Désabonnements et départs"] == "1"


async def test_new_subscribers_are_people_not_the_towns_own_account(office, door):
    def this_month(conn: Any) -> int:
        mine = theirs.subscriber.c.authority == 1
        return conn.execute(
            update(theirs.subscriber).where(mine).values(created=door.clock.now())
        ).rowcount

    everybody = await door.hub.ledger.transact(this_month)
    (row,) = sheet(await (await office.officer()).get(FILE))
    assert int(row["Nouvelles inscriptions"]) == everybody - 1


async def test_the_time_from_the_first_word_to_the_public_is_told(office, door):
    code = await sent(door, await door.key())
    number = await door.announcement_id(code)
    (row,) = await door.rows(tables.announcement, tables.announcement.c.id == number)
    began = row.published - timedelta(minutes=12)
    drafted = {"code": code, "authority": 1, "document": {}, "state": "submitted", "author": 1}
    moments = {"created": began, "changed": began, "changed_by": 1, "announcement": number}
    await door.hub.ledger.transact(
        lambda conn: conn.execute(insert(composition).values(**drafted, **moments))
    )
    page = (await (await office.officer()).get(PAGE)).text
    assert figures(page)["Du brouillon à la publication"] == "12 min"


async def test_twelve_months_end_with_the_one_asked_for(office, door):
    await sent(door, await door.key())
    hand = await office.officer()
    year = sheet(await hand.get(f"{FILE}?mois=2026-11&periode=12"))
    assert [row["Mois"] for row in year][::11] == ["2025-12", "2026-11"]
    assert [row["Annonces"] for row in year] == ["0"] * 11 + ["1"]
    before = (await hand.get(f"{PAGE}?mois=2026-10")).text
    assert "octobre 2026" in before
    assert "Aucune annonce terminée" in before


@pytest.mark.parametrize("query", ["mois=2099-01", "mois=x", "mois=2026-13", "periode=7", "mois="])
async def test_an_address_that_says_it_wrongly_is_this_month(office, query):
    page = await (await office.officer()).get(f"{PAGE}?{query}")
    assert page.status == 200
    assert "<title>Statistiques – novembre 2026" in page.text.replace("\n", "")


async def test_the_page_is_read_in_english_too(office, door):
    await sent(door, await door.key())
    page = (await (await office.officer()).get(f"{PAGE}?lang=en&periode=12")).text
    assert "December 2025 to November 2026" in page
    assert "For a person reached" in page


# --------------------------------------------------------------------------- assumptions


async def test_an_administrator_puts_the_towns_own_price_and_the_journal_says_so(office, door):
    await sent(door, await door.key())
    hand = await office.officer()
    page = (await hand.get(f"{PAGE}/hypotheses")).text
    typed = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
    assert typed["household"] == "2,15"
    reply = await hand.post(f"{PAGE}/hypotheses", typed | {"letter": "1,50"})
    assert (reply.status, reply.headers["Location"]) == (303, PAGE)
    (line,) = await door.rows(tables.audit, tables.audit.c.verb == "assume")
    assert (line.object, line.detail) == ("assumption:letter", {"from": 1_000, "to": 1_500})
    assert (line.actor, line.authority) == (f"officer:{hand.number}", 1)
    (row,) = sheet(await hand.get(FILE))
    assert float(row["Coût des courriers (EUR)"]) == int(row["Courriers évités"]) * 1.5


@pytest.mark.parametrize("wrong", ["", "beaucoup", "-1", "NaN", "1e9", "0,5"])
async def test_what_is_no_number_is_said_beside_its_field_and_nothing_is_written(
    office, door, wrong
):
    hand = await office.officer()
    right = {"letter": "2", "sheets": "1", "letter_co2": "20", "message_co2": "4"}
    reply = await hand.post(f"{PAGE}/hypotheses", right | {"household": wrong})
    assert reply.status == 422
    assert 'id="household-error"' in reply.text
    assert 'href="#household"' in reply.text
    assert "<title>Erreur" in reply.text
    assert 'value="2"' in reply.text  # what was right is kept
    assert await door.rows(tables.audit, tables.audit.c.verb == "assume") == []


async def test_only_an_administrator_changes_what_is_supposed(office):
    hand = await office.officer({Role.APPROVE: None})
    assert (await hand.get(f"{PAGE}/hypotheses")).status == 403
    assert (await hand.post(f"{PAGE}/hypotheses", {"letter": "2"})).status == 403


async def test_one_towns_price_is_not_anothers(office, door):
    ours, other = await office.officer(), await office.officer(authority="autreville")
    typed = {"household": "2", "letter": "3", "sheets": "1", "letter_co2": "20", "message_co2": "4"}
    await ours.post(f"{PAGE}/hypotheses", typed)
    page = (await other.get(f"{PAGE}/hypotheses")).text
    assert 'name="letter" type="text" value="1"' in page
