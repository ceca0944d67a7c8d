# SPDX-License-Identifier: EUPL-1.2
"""Two towns in one ledger: through no page, file, stream or refusal is one seen from the other."""

import io
import re
from contextlib import nullcontext
from typing import Any

import pytest
from door_rig import START, authority_of
from office_rig import Office

from hub.demo_town import town
from hub.flow.accept import credentials
from hub.flow.accept.credentials import Scope, Seal
from hub.ledger import office_tables, tables
from hub.web.references import Kind
from subscribers import tables as people
from subscribers.catalogue import load_catalogue
from subscribers.importer import ImportOptions, import_csv

OTHER = "autreville"
MARK = "Voisinade"
NEWS = {"body": f"{MARK} partout.", "themes": ["eau"], "channels": ["email", "sms"]}
_PASSING = re.compile(
    r"<time.*?</time>|name=\"csrf\" value=\"[^\"]+\"|data-\w+=\"[^\"]*\"|\b\d\d:\d\d(:\d\d)?\b"
    r"|value=\"[A-Za-z0-9_-]{16,}\"|<code>[0-9a-f]{12}</code>",
    re.DOTALL,
)


NOBODYS = {"number": 10**9, "person": "Z" * 8, "message": "Z" * 8}


async def neighbours(office: Office) -> dict[str, Any]:
    """The other town's life: people, what it published, asks, writes and holds; the ids of it."""
    door = office.door
    hers = await office.officer(name=f"{MARK} Zoé", authority=OTHER)
    await move_in(door)
    key = await door.key(MARK, authority=OTHER)
    quiet = await door.key(f"{MARK} école", authority=OTHER, may_publish=False)
    sent = (await door.post(key, NEWS | {"title": f"{MARK} un"})).json["id"]
    urgent = NEWS | {"title": f"{MARK} deux", "urgency": "urgent"}
    alert = (await door.post(key, urgent)).json["id"]
    asked = (await door.post(quiet, NEWS | {"title": f"{MARK} trois"})).json["id"]
    later = NEWS | {"title": f"{MARK} quatre", "publish_at": "2026-11-26T10:00:00Z"}
    planned = (await door.post(key, later)).json["id"]
    await door.settled(key, sent)
    await door.finished(key, alert)  # the other waits for a digest
    begun = await hers.post("/console/annonces/nouvelle", {"model": ""})
    written = begun.headers["Location"].split("/")[3]
    await door.hub.ledger.transact(lambda conn: source(conn, door))
    return {
        "officer": hers,
        "codes": [sent, alert, asked, planned, written],
        "number": hers.number,
        "person": door.called(Kind.PERSON, await door.hub.ledger.read(a_person)),
        "message": door.called(Kind.MESSAGE, (await door.rows(tables.delivery))[0].id),
    }


async def move_in(door: Any) -> None:
    lines = town.FILES.joinpath("citizens.csv").read_bytes().splitlines(keepends=True)
    stream = io.BytesIO(b"".join([lines[0], *lines[60:90]]))
    options = ImportOptions(b"s" * 32, recorded_by=MARK, verified=True)

    def settle(conn: Any) -> None:
        catalogue = load_catalogue(conn, authority_of(conn, OTHER))
        for verdict in import_csv(stream, lambda: nullcontext(conn), catalogue, options, now=START):
            assert not verdict.whole_file

    await door.hub.ledger.transact(settle)


def source(conn: Any, door: Any) -> None:
    number, seal = authority_of(conn, OTHER), Seal(door.keys.seal)
    name = f"{MARK.lower()}-source"
    credentials.add_source(conn, number, name, Scope(), seal, actor=MARK, now=START)


def a_person(conn: Any) -> int:
    theirs = people.subscriber.c.authority == authority_of(conn, OTHER)
    return int(conn.execute(people.subscriber.select().where(theirs).limit(1)).one().id)


def doors(office: Any, *methods: str) -> list[tuple[str, str]]:
    found = []
    for route in office.door.app.router.routes():
        pattern = route.resource.canonical if route.resource else ""
        if pattern.startswith(("/console", "/admin")) and route.method in methods:
            found.append((route.method, pattern))
    return found


def steady(page: str) -> str:
    """A page without what changes by itself from one look to the next."""
    return _PASSING.sub("", page.partition("<main")[2].partition("</main>")[0] or page)


@pytest.fixture
async def hand(office: Office) -> Any:
    """Somebody of our town who may do everything."""
    return await office.officer(name="Camille Martin")


async def test_no_page_file_or_stream_changes_for_what_the_other_town_does(office, hand):
    drawn = ("/console/profil/preuve",)  # a secret of its own at each look
    plain = [path for _, path in doors(office, "GET") if "{" not in path and path not in drawn]
    plain = [path for path in plain if not path.endswith("/flux")]
    assert len(plain) > 15
    key = await office.door.key("la nôtre")
    await office.door.settled(
        key, (await office.door.post(key, NEWS | {"title": "A", "body": "B"})).json["id"]
    )
    before = {path: steady((await hand.get(path)).text) for path in plain}
    await neighbours(office)
    for path in plain:
        page = (await hand.get(path)).text
        assert MARK.lower() not in page.lower(), path
        assert steady(page) == before[path], path


async def test_what_is_the_others_is_told_as_what_is_nobodys(office, hand):
    theirs = await neighbours(office)
    for _, pattern in doors(office, "GET"):
        if "{" not in pattern or "{token}" in pattern or "aide/" in pattern:
            continue
        for code in theirs["codes"]:
            path = filled(pattern, code, theirs)
            reply = await hand.get(path)
            assert reply.status == 404, path
            nobodys = await hand.get(filled(pattern, "zzzzzz", NOBODYS))
            assert steady(reply.text) == steady(nobodys.text), path


async def test_nothing_of_the_others_can_be_acted_on(office, hand):
    theirs = await neighbours(office)
    before = await state_of(office)
    for _, pattern in doors(office, "POST"):
        if "{" not in pattern or "{token}" in pattern:
            continue
        for code in theirs["codes"]:
            path = filled(pattern, code, theirs)
            fields = {"reason": "x", "decision": "approve", "kind": "update", "version": "1"}
            reply = await hand.post(path, fields)
            assert reply.status in (404, 422, 400), path
            assert MARK.lower() not in reply.text.lower(), path
    assert await state_of(office) == before


async def test_filters_searches_and_exports_find_nothing_of_the_others(office, hand):
    await neighbours(office)
    for path in (
        f"/console/annonces?q={MARK}",
        "/console/annonces?niveau=urgent",
        "/console/annonces?etat=to_approve",
        "/console/statistiques.csv?par=theme",
        "/console/statistiques.csv?par=zone",
        f"/admin/journal?qui={MARK}",
        "/console/calendrier?mois=2026-11",
    ):
        page = steady((await hand.get(path)).text).replace(f'value="{MARK}"', "")
        assert MARK.lower() not in page.lower(), path
    file = await hand.post("/admin/journal.csv", {"reason": "contrôle"})
    assert MARK.lower() not in file.text.lower()


def filled(pattern: str, code: str, theirs: dict[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "code":
            return code
        if name == "key":
            return "0" * 32
        kinds = {"person": "person", "people": "person", "delivery": "message"}
        return str(theirs[kinds.get(name, "number")])

    return re.sub(r"\{(\w+)\}", value, pattern)


async def state_of(office: Office) -> list[str]:
    """All that the other town has, row by row."""

    def read(conn: Any) -> list[str]:
        number = authority_of(conn, OTHER)
        owned = (
            tables.announcement,
            tables.source,
            tables.api_key,
            office_tables.composition,
            office_tables.officer,
            people.subscriber,
            people.theme,
            people.zone,
        )
        return [
            repr(row)
            for table in owned
            for row in conn.execute(table.select().where(table.c.authority == number))
        ]

    return await office.door.hub.ledger.read(read)
