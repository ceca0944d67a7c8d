# SPDX-License-Identifier: EUPL-1.2
"""Officers at the doors of a whole hub: each with a browser of their own, signed in by the form."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from door_rig import START, Door, Reply, authority_of
from yarl import URL

from hub.demo_town import town
from hub.flow.staff import officers
from hub.flow.staff.roles import EVERYTHING, Grants, Role

PASSWORD = "une phrase de passe assez longue"
_CSRF = re.compile(rb'name="csrf" value="([^"]+)"')


@dataclass
class Desk:
    """Somebody of the town hall at a browser. `get` and `post` follow no redirection."""

    door: Door
    number: int
    email: str
    session: aiohttp.ClientSession
    csrf: str = ""

    async def ask(self, method: str, path: str, **more: Any) -> Reply:
        """One request with this browser's cookies."""
        url = URL(self.door.hub.base_url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **more) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, fields: Any = (), *, csrf: str | None = None) -> Reply:
        """A form: a mapping or pairs; the session's token is added, as the page would."""
        pairs = list(fields.items()) if hasattr(fields, "items") else list(fields)
        token = self.csrf if csrf is None else csrf
        return await self.ask("POST", path, data=[("csrf", token), *pairs])

    async def sign_in(self, password: str = PASSWORD) -> Reply:
        page = await self.get("/console/connexion")
        found = _CSRF.search(page.raw)
        assert found is not None
        given = {"email": self.email, "password": password}
        reply = await self.post("/console/connexion", given, csrf=found[1].decode())
        await self.refresh_csrf()
        return reply

    async def refresh_csrf(self) -> None:
        """The token of the session this browser holds now, read from a page of theirs."""
        page = await self.get("/console/profil")
        found = _CSRF.search(page.raw)
        self.csrf = found[1].decode() if found else ""


@dataclass
class Office:
    """The town hall: `await office.officer({Role.WRITE: None})` is somebody signed in."""

    door: Door
    _sessions: list[aiohttp.ClientSession] = field(default_factory=list)
    _made: int = 0

    async def officer(
        self,
        grants: Grants = EVERYTHING,
        *,
        name: str = "",
        authority: str = town.KEY,
        signed_in: bool = True,
    ) -> Desk:
        self._made += 1
        email = f"agent{self._made}@example.org"

        def write(conn: Any) -> int:
            return officers.appoint(
                conn,
                authority_of(conn, authority),
                email,
                name or f"Agent {self._made}",
                grants,
                actor="tests",
                now=START,
                password=PASSWORD,
            )

        number = await self.door.hub.ledger.transact(write)
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._sessions.append(session)
        found = Desk(self.door, number, email, session)
        if signed_in:
            await found.sign_in()
        return found

    async def again(self, who: Desk) -> Desk:
        """The same officer at another browser."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._sessions.append(session)
        other = Desk(self.door, who.number, who.email, session)
        await other.sign_in()
        return other

    async def writer(self, **more: Any) -> Desk:
        return await self.officer({Role.WRITE: None}, **more)

    async def approver(self, **more: Any) -> Desk:
        return await self.officer({Role.APPROVE: None}, **more)

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()


@pytest.fixture
async def make_office() -> AsyncIterator[Callable[[Door], Office]]:
    """`make_office(door)`: the town hall of a hub of one's own."""
    halls: list[Office] = []

    def make(door: Door) -> Office:
        halls.append(Office(door))
        return halls[-1]

    yield make
    for hall in halls:
        await hall.close()


@pytest.fixture
def office(door: Door, make_office: Callable[[Door], Office]) -> Office:
    """The town hall of the hub that `door` is."""
    return make_office(door)
