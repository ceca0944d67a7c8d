# SPDX-License-Identifier: EUPL-1.2
"""Every door of the console, walked: none opens to a stranger, a forged form or another role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from office_rig import Office
from sqlalchemy import text

from hub.flow.staff.roles import Role

SAFE = ("GET", "HEAD")
OPEN = {
    "/console/connexion": "the way in",
    "/console/connexion/cle/defi": "what a passkey signs",
    "/console/connexion/cle": "the way in by a passkey",
    "/console/connexion/oubli": "whoever forgot their password asks for a link",
    "/console/invitation/{token}": "whoever holds the link chooses their password",
}
"""The doors of nobody signed in; each carries the token of the page it was sent from."""
SECOND = ("/console/connexion/code",)  # of whoever gave a password and no second proof yet
SESSION_TABLES = {"officer_session"}


@dataclass(frozen=True)
class Way:
    """A method and a path, its parts filled with what nobody has."""

    method: str
    pattern: str
    path: str
    handler: Any

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"


def ways(app: Any) -> Iterator[Way]:
    for route in app.router.routes():
        pattern = route.resource.canonical if route.resource else ""
        if pattern.startswith(("/console", "/admin")):
            path = re.sub(r"\{(\w+)\}", lambda found: nobodys(found[1]), pattern)
            path = path.replace("pieces/zzzzzz", "pieces/arrete.pdf")  # the name of a file
            yield Way(route.method, pattern, path, route.handler)


def nobodys(name: str) -> str:
    words = {"key": "0" * 32, **dict.fromkeys(("code", "token", "name"), "zzzzzz")}
    references = dict.fromkeys(("delivery", "person", "people"), "Z" * 8)
    return (words | references).get(name, "9" * 9)


@pytest.fixture
def all_ways(office):
    found = list(ways(office.door.app))
    assert len(found) > 60, "the walk sees the console"
    return found


def unsafe(all_ways):
    return [way for way in all_ways if way.method not in SAFE]


async def test_every_door_is_guarded_or_its_reason_is_written_here(all_ways):
    loose = {w.pattern for w in all_ways if not hasattr(w.handler, "guarded_by")}
    assert loose <= set(OPEN), loose - set(OPEN)


async def test_nobody_signed_in_is_led_to_the_sign_in_and_sends_nothing(office, all_ways):
    stranger = await office.writer(signed_in=False)
    for way in all_ways:
        if way.pattern in OPEN:
            continue
        reply = await stranger.ask(way.method, way.path)
        if way.method in SAFE:
            assert reply.status == 303, way
            assert reply.headers["Location"].startswith("/console/connexion"), way
        else:
            assert reply.status == 403, way


async def test_no_form_is_taken_without_the_token_of_its_session(office, all_ways):
    hand, other = await office.officer(), await office.officer()
    for way in unsafe(all_ways):
        if way.pattern in SECOND:
            continue
        for token in ("", other.csrf):
            reply = await hand.ask(way.method, way.path, data={"csrf": token, "code": "1"})
            lost = way.pattern.endswith("{token}")  # a link of nobody is no page at all
            assert reply.status == (404 if lost else 403), way


async def test_no_form_of_another_site_is_taken_though_its_token_is_right(office, all_ways):
    hand = await office.officer()
    for way in unsafe(all_ways):
        reply = await hand.ask(
            way.method,
            way.path,
            data={"csrf": hand.csrf},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert reply.status == 403, way


async def test_a_role_opens_its_own_doors_and_no_other(office, all_ways):
    for role in Role:
        hand = await office.officer({role: None})
        for way in all_ways:
            wanted = getattr(way.handler, "guarded_by", ())
            if not wanted or role in wanted or (Role.READ in wanted and role in READERS):
                continue
            data = None if way.method in SAFE else {"csrf": hand.csrf}
            reply = await hand.ask(way.method, way.path, data=data)
            assert reply.status == 403, (role, way)


READERS = (Role.READ, Role.WRITE, Role.APPROVE)


async def test_a_look_changes_nothing(office, all_ways):
    hand = await office.officer()
    before = await kept(office)
    for way in all_ways:
        if way.method in SAFE and not way.path.endswith("/flux"):
            for _ in range(2):
                reply = await hand.ask(way.method, way.path)
                assert reply.status < 500, way
    assert await kept(office) == before


async def test_what_nobody_has_is_told_alike(office, all_ways):
    hand = await office.officer()
    told = set()
    for way in all_ways:
        if way.method == "GET" and "{" in way.pattern and way.pattern not in OPEN:
            reply = await hand.ask("GET", way.path)
            assert reply.status == 404, way
            plain = re.sub(r"<p[^>]*>[^<]*<code>[0-9a-f]{12}</code>[^<]*</p>", "", reply.text)
            told.add(re.sub(r"[0-9a-f]{12}|zzzzzz|Z{8}|9{9}|[^\"]*lang=en", "", main_of(plain)))
    assert len(told) == 1, "\n".join(told)


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


async def kept(office: Office) -> dict[str, list[Any]]:
    """Every row of every table, but when a session was last used."""

    def read(conn: Any) -> dict[str, list[Any]]:
        names = conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return {
            name: sorted(map(repr, conn.execute(text(f'SELECT * FROM "{name}"'))))
            for name in names.scalars().all()
            if name not in SESSION_TABLES and not name.startswith(("sqlite_", "lease"))
        }

    return await office.door.hub.ledger.read(read)
