# SPDX-License-Identifier: EUPL-1.2
"""What is held of somebody is shown, taken along, and erased without a trace."""

import csv
import io
import json
import re
import sqlite3

import pytest
from visiting import MOBILE, Browser

from channels.base import ChannelName
from hub.ledger import tables
from hub.ledger.journal import NAME
from hub.web.portal.my_data import safe_cell
from subscribers import drafts
from subscribers import tables as theirs
from subscribers.suppression import address_hash

DATA = "/mes-alertes/donnees"


@pytest.fixture
async def amina(door, news):
    """Her browser with a visit open, after an announcement reached her."""
    browser = Browser(door)
    browser.person = await door.person("v0001")
    key = await door.key()
    said = news | {"channels": ["sms", "webpush"], "zones": []}
    browser.code = (await door.post(key, said)).json["id"]
    await door.settled(key, browser.code)
    await browser.sign_in()
    return browser


def everything(folder):
    """Every value of every column of every table of the ledger's file, and the journal."""
    base = sqlite3.connect(folder / "ledger.sqlite3")
    names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = []
    for (name,) in names:
        for row in base.execute(f'SELECT * FROM "{name}"'):
            found += [(name, value) for value in row]
    base.close()
    journal = folder / NAME
    if journal.exists():
        found.append(("journal", journal.read_text("utf-8")))
    return found


def traces(folder, *secrets):
    """Where any of these still stands."""
    return [
        (name, secret)
        for name, value in everything(folder)
        for secret in secrets
        if secret in (value.decode("latin-1") if isinstance(value, bytes) else str(value))
    ]


async def test_the_page_says_what_is_held_and_what_was_sent(amina):
    page = (await amina.get(DATA)).text
    assert "06\N{NO-BREAK SPACE}•• •• •• 01" in page
    assert "39980001" not in page
    assert f'href="/a/{amina.code}"' in page
    assert "Coupure d&#39;eau jeudi" in page
    assert "Lien pour ouvrir vos alertes" in page
    assert "Reçu" in page


async def test_json_holds_every_stored_field(door, amina):
    answer = await amina.get(f"{DATA}.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    held = answer.json
    about = [
        table
        for table in theirs.metadata.sorted_tables
        if any(k.column is theirs.subscriber.c.id for c in table.c for k in c.foreign_keys)
    ]
    assert {table.name for table in about} <= set(held)
    for table in about:
        columns = {column.name for column in table.c}
        assert all(columns == set(row) for row in held[table.name]), table.name
    assert {c.name for c in theirs.subscriber.c} == set(held["subscriber"])
    assert MOBILE in {row["address"] for row in held["contact_point"]}
    assert {"Coupure d'eau jeudi", "Lien pour ouvrir vos alertes"} <= {
        row["title"] for row in held["sent"]
    }


async def test_csv_says_the_same_to_a_spreadsheet(amina):
    answer = await amina.get(f"{DATA}.csv")
    assert answer.raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.raw.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["table", "n", "field", "value"]
    assert ["address", f"'{MOBILE}"] in [row[2:] for row in rows if row[0] == "contact_point"]
    assert any(row[0] == "sent" and row[3] == "Coupure d'eau jeudi" for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_becomes_a_formula(start):
    assert safe_cell(f"{start}cmd|' /C calc'!A0").startswith("'")
    assert safe_cell("plain") == "plain"
    assert safe_cell(None) == ""
    assert json.loads(safe_cell({"a": 1})) == {"a": 1}


async def test_deleting_is_one_page_and_one_button(amina):
    page = (await amina.get(f"{DATA}/supprimer")).text
    assert "Ce qui disparaît, tout de suite" in page
    assert "30\N{NO-BREAK SPACE}jours" in page or "30 jours" in page
    assert not re.search(r'name="do_not_contact"[^>]* checked', page)
    done = await amina.submit(f"{DATA}/supprimer")
    assert done.headers["Location"] == f"{DATA}/supprimees"
    assert "Vos données sont supprimées." in (await amina.get(f"{DATA}/supprimees")).text
    assert "visit" not in amina.cookies
    assert 'name="contact"' in (await amina.get("/mes-alertes")).text


async def test_nothing_that_identifies_is_left_anywhere(door, amina):
    """Subscribed, told, signed in, added an address, asked for codes: then every column of every
    table is searched, and the journal."""
    new = "amina.demo@example.org"
    await amina.submit("/mes-alertes/coordonnees", channel="email", address=new)
    await door.until(lambda: list(door.sandbox.effects.to(ChannelName.EMAIL, new)))
    mine = theirs.contact_point.c.subscriber == amina.person
    points = await door.rows(theirs.contact_point, mine)
    key, now = door.keys.suppression, door.clock.now()
    answers = {"person": amina.person, "contact": "06 39 98 00 01"}
    draft = await door.hub.ledger.transact(lambda conn: drafts.keep(conn, 1, None, answers, now))
    secrets = [MOBILE, MOBILE[3:], new, amina.cookies["visit"], draft, "06 39 98 00 01"]
    secrets += [row.address for row in points]
    secrets += [value for row in points for value in (row.keys or {}).values()]
    secrets += [address_hash(key, ChannelName(row.channel), row.address) for row in points]
    assert traces(door.folder, *secrets)
    await amina.submit(f"{DATA}/supprimer")
    assert traces(door.folder, *secrets) == []
    audit = await door.rows(tables.audit, tables.audit.c.verb == "erase")
    assert [(row.actor, row.object) for row in audit] == [("citizen", f"subscriber:{amina.person}")]


async def test_what_was_asked_while_nobody_knew_the_address_goes_too(door, amina):
    """A challenge of nobody's bears the same hash."""
    point = theirs.contact_point.c.subscriber == amina.person
    hashed = address_hash(door.keys.suppression, ChannelName.SMS, MOBILE)

    def orphan(conn):
        conn.execute(theirs.challenge.update().values(subscriber=None, contact_point=None))

    await door.hub.ledger.transact(orphan)
    assert await door.rows(theirs.contact_point, point)
    await amina.submit(f"{DATA}/supprimer")
    rows = await door.rows(theirs.challenge)
    assert rows
    assert all(row.contact_hash != hashed for row in rows)


async def test_what_was_asked_is_still_counted_after_an_erasure(door, amina):
    """Else erasing oneself after each code would make codes free."""
    asked = len(await door.rows(theirs.challenge))
    await amina.submit(f"{DATA}/supprimer")
    rows = await door.rows(theirs.challenge)
    assert len(rows) == asked
    assert {(row.contact_hash, row.nonce, row.subscriber) for row in rows} == {("", "", None)}


async def test_a_do_not_contact_hash_is_kept_where_it_was_chosen(door, amina):
    mine = theirs.contact_point.c.subscriber == amina.person
    points = await door.rows(theirs.contact_point, mine)
    await amina.submit(f"{DATA}/supprimer", do_not_contact="1")
    kept = {row.address_hash for row in await door.rows(theirs.suppression)}
    key = door.keys.suppression
    assert kept == {address_hash(key, ChannelName(p.channel), p.address) for p in points}
    assert traces(door.folder, *[row.address for row in points]) == []


async def test_another_form_erases_nobody(door, amina):
    assert (await amina.post(f"{DATA}/supprimer", csrf="0" * 32)).status == 403
    assert (await Browser(door).post(f"{DATA}/supprimer")).status == 303
    assert await door.rows(theirs.subscriber, theirs.subscriber.c.id == amina.person)
