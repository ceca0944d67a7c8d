# SPDX-License-Identifier: EUPL-1.2
"""A whole hub on a loopback socket: the demo town's map, forty citizens, the sandbox in process."""

import asyncio
import base64
import inspect
import io
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import func, select
from yarl import URL

from channels.base import ChannelName, Urgency
from hub.app import Hub, Keys, listen, open_hub
from hub.clock import PlayedClock
from hub.demo_town import town
from hub.flow.accept.credentials import Scope, Seal, add_source, issue_key
from hub.ledger import tables
from hub.ledger.database import open_writer
from hub.ledger.store import Ledger
from hub.settings import Settings
from hub.standing_in import sandbox_of, sandboxed
from hub.web.desk import DESK, Desk
from hub.web.references import Kind
from hub.web.sandbox.stage import Persona, Phones
from hub.web.server import make_app
from subscribers import crier
from subscribers import tables as people_tables
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.importer import ImportOptions, import_csv
from subscribers.tokens import StopTokens
from templates.catalogue import Catalogue

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday, 10 h in Valmont-sur-Orne
SECRET = base64.b64encode(b"valmont-sur-orne: 32 bytes here!").decode()
CITIZENS = 40
PATIENCE = 60.0  # seconds; a machine with other work is slow, and what is true ends the wait
WORDS = cache(Catalogue)


class TownClock(PlayedClock):
    """Runs at the world's pace from `START`; a test leaps it, the wall clock with it or apart."""

    def __init__(self) -> None:
        super().__init__()
        self._shift = START - super().wall()

    def wall(self) -> datetime:
        """The town's time is the world's, here."""
        return super().wall() + self._shift

    def leap(self, by: timedelta) -> None:
        """Move the wall clock, as somebody who sets it by hand."""
        self._shift += by


def make_settings(folder: Path, **sections: Any) -> Settings:
    """Settings of a sandboxed hub in `folder`, on any free port."""
    given: dict[str, Any] = {
        "hub": {"data": folder, "authority": town.KEY, "secret": SECRET},
        "server": {"port": 0},
        "engine": {"commit_wait": 0.002, "drain_seconds": 2},
        "sandbox": {"enabled": True, "http_port": 0, "smtp_port": 0},
        "limits": {"api_per_minute": 100_000, "hook_per_minute": 100_000},
    }
    for name, values in sections.items():
        given[name] = {**given.get(name, {}), **values}
    return Settings(**given)


def seed(folder: Path) -> None:
    Ledger.open(folder).close()
    engine = open_writer(folder / "ledger.sqlite3")
    begin = engine.begin
    document = town.FILES.joinpath("catalogue.toml").read_text("utf-8")
    with begin() as conn:
        areas = town.FILES.joinpath("zones.geojson").read_text("utf-8")
        assert not import_catalogue(conn, document, areas).problems
        other = document.replace('key = "valmont"', 'key = "autreville"')
        assert not import_catalogue(conn, other).problems
        catalogue = load_catalogue(conn, authority_of(conn, town.KEY))
    lines = town.FILES.joinpath("citizens.csv").read_bytes().splitlines(keepends=True)
    options = ImportOptions(b"s" * 32, recorded_by="tests", verified=True)
    stream = io.BytesIO(b"".join(lines[: CITIZENS + 1]))
    for verdict in import_csv(stream, begin, catalogue, options, now=START):
        assert not verdict.whole_file
    with begin() as conn:
        crier.appoint(conn, catalogue, START)
    engine.dispose()


def authority_of(conn: Any, key: str) -> int:
    table = people_tables.authority
    return conn.execute(select(table.c.id).where(table.c.key == key)).scalar_one()


@dataclass
class Door:
    """A running hub, and somebody who knocks at its doors."""

    hub: Hub
    clock: TownClock
    session: aiohttp.ClientSession
    sandbox: Any
    keys: Keys
    folder: Path
    app: web.Application

    # ------------------------------------------------------------------ knocking

    async def ask(self, method: str, path: str, **more: Any) -> "Reply":
        """One request, never redirected; the body read whole. `path` is sent as written."""
        url = URL(self.hub.base_url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **more) as answer:
            raw = await answer.read()
            return Reply(answer.status, answer.headers, raw)

    async def post(self, key: str, payload: Any, **headers: str) -> "Reply":
        """POST an announcement with an API key."""
        sent = {"Authorization": f"Bearer {key}"} | headers
        path = "/api/v1/announcements"
        if isinstance(payload, bytes):
            sent.setdefault("Content-Type", "application/json")
            return await self.ask("POST", path, data=io.BytesIO(payload), headers=sent)
        return await self.ask("POST", path, json=payload, headers=sent)

    async def with_key(self, key: str, method: str, path: str) -> "Reply":
        """A request below /api/v1/announcements."""
        headers = {"Authorization": f"Bearer {key}"}
        return await self.ask(method, f"/api/v1/announcements/{path}", headers=headers)

    # ------------------------------------------------------------------ who may

    async def key(self, name: str = "opérateur", *, authority: str = town.KEY, **scope: Any) -> str:
        """A new API key; by default one that may publish everything."""
        scope = {"highest_urgency": Urgency.URGENT, "may_publish": True} | scope

        def issue(conn: Any) -> str:
            number = authority_of(conn, authority)
            return issue_key(conn, number, name, Scope(**scope), actor="tests", now=START)

        return await self.hub.ledger.transact(issue)

    async def source(self, key: str = "vigicrues", **scope: Any) -> str:
        """A new webhook source's secret; by default it may publish everything."""
        scope = {"highest_urgency": Urgency.URGENT, "may_publish": True} | scope
        seal = Seal(self.keys.seal)

        def add(conn: Any) -> str:
            number = authority_of(conn, town.KEY)
            return add_source(conn, number, key, Scope(**scope), seal, actor="tests", now=START)

        return await self.hub.ledger.transact(add)

    def stop_token(self, channel: ChannelName, subscriber: int, announcement: int) -> str:
        """The token of a message that was sent."""
        return StopTokens([self.keys.stops]).issue(channel, subscriber, announcement)

    def short_token(self, subscriber: int, announcement: int) -> str:
        """The token of an SMS nobody can answer."""
        return StopTokens([self.keys.stops]).issue_short(subscriber, announcement)

    # ------------------------------------------------------------------ what is on disk

    async def rows(self, table: Any, *where: Any) -> list[Any]:
        """Rows of a table, oldest first."""
        query = select(table).where(*where).order_by(next(iter(table.c)))
        return await self.hub.ledger.read(lambda conn: conn.execute(query).all())

    async def person(self, ref: str) -> int:
        """A citizen's number by their ref in citizens.csv."""
        (row,) = await self.rows(
            people_tables.subscriber, people_tables.subscriber.c.import_key == ref
        )
        return int(row.id)

    async def counts(self) -> dict[str, int]:
        """How many rows what a door could write has."""
        counted = (tables.announcement, tables.run, tables.delivery, tables.audit)
        theirs = (
            people_tables.subscriber,
            people_tables.contact_point,
            people_tables.subscription,
            people_tables.theme,
            people_tables.zone,
            people_tables.suppression,
        )

        def read(conn: Any) -> dict[str, int]:
            return {
                t.name: conn.execute(select(func.count()).select_from(t)).scalar_one()
                for t in (*counted, *theirs)
            }

        return await self.hub.ledger.read(read)

    async def answered(self, method: str, route: str, status: int) -> float:
        """How many requests of this kind were answered so, by the metrics."""
        wanted = f'{{method="{method}",route="{route}",status="{status}"}} '
        shown = (await self.ask("GET", "/metrics")).text.splitlines()
        found = [line for line in shown if line.startswith("hub_http_requests_total" + wanted)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    # ------------------------------------------------------------------ waiting

    async def until(self, true: Any, seconds: float = PATIENCE) -> None:
        """Until `true()`, which may be awaited, for at most `seconds`."""
        async with asyncio.timeout(seconds):
            while not (  # noqa: ASYNC110 (a row tells nobody when it comes)
                await found if inspect.isawaitable(found := true()) else found
            ):
                await asyncio.sleep(0.05)

    async def settled(self, key: str, code: str, seconds: float = PATIENCE) -> Any:
        """The announcement as the API shows it, once nothing is planned or under way any more."""
        shown: dict[str, Any] = {}

        async def done() -> bool:
            shown.update((await self.with_key(key, "GET", code)).json)
            states = {state for run in shown["channels"] for state in run["states"]}
            number = await self.announcement_id(code)
            runs = await self.rows(tables.run, tables.run.c.announcement == number)
            planned = all(run.state != "planning" for run in runs)
            return planned and not states & {"ready", "reserved", "doubt"}

        await self.until(done, seconds)
        return shown

    async def finished(self, key: str, code: str) -> None:
        """Once nothing more will become of the announcement."""
        await self.settled(key, code)

        async def done() -> bool:
            await self.hub.engine.round()
            (row,) = await self.rows(tables.announcement, tables.announcement.c.code == code)
            return bool(row.state == "finished")

        await self.until(done)

    # ------------------------------------------------------------------ what is on disk

    def called(self, kind: Kind, number: int) -> str:
        """What pages and the API call a row."""
        return self.app[DESK].references.of(kind, number)

    async def announcement_id(self, code: str) -> int:
        """The number behind a public code."""
        (row,) = await self.rows(tables.announcement, tables.announcement.c.code == code)
        return int(row.id)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer read whole."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode()

    @property
    def kind(self) -> str:
        """The media type."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0]

    def codes(self) -> set[str]:
        """The codes of a refusal and of its fields."""
        return {self.json["code"], *(e["code"] for e in self.json.get("errors", ()))}


async def open_door(
    stack: AsyncExitStack,
    folder: Path,
    *,
    own_address: bool = False,
    sender: str = "VALMONT",
    **sections: Any,
) -> Door:
    """A hub on this data folder, everything closed with the stack; with `own_address` the links in
    its messages lead back to it, for whoever follows them in a browser. `sender` is of its SMS; a
    number can be answered."""
    settings, clock = make_settings(folder, **sections), TownClock()
    sandbox = await stack.enter_async_context(
        sandbox_of(settings, clock, receipt_delay=0.0, sms_sender=sender)
    )
    settings = sandboxed(settings, sandbox)
    hers = {(ChannelName.SMS, "+33639980001"), (ChannelName.WEBPUSH, "amina")}
    theirs = {(ChannelName.EMAIL, "claire.4@example.org")}
    amina = Persona("Amina, 34 ans", {"fr": "Sur son téléphone"}, frozenset(hers))
    claire = Persona("Claire, 52 ans", {}, frozenset(theirs))
    number, letters = (ChannelName.SMS, "+33639980002"), (ChannelName.EMAIL, "louis.3@example.org")
    petit = Persona("M. Petit, 81 ans", {}, frozenset({number}), basic=True)
    louis = Persona("Louis, 22 ans", {}, frozenset({letters}))
    phones = Phones(sandbox.effects, [amina, petit, louis, claire])
    server, apps = listen(settings), []
    if own_address:
        here = "http://{}:{}".format(*server.getsockname()[:2])
        place = settings.hub.model_copy(update={"public_url": here})
        settings = settings.model_copy(update={"hub": place})

    def watched(desk: Desk) -> web.Application:
        apps.append(make_app(desk))
        return apps[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.app.make_app", watched)  # to have its routes walked
        patch.setattr("hub.equipment.Catalogue", WORDS)  # compiled once for all hubs here
        patch.setattr("hub.app._try_templates", lambda _: None)  # half a second; tests/templates
        hub = await stack.enter_async_context(
            open_hub(settings, clock, server, sandbox=sandbox, phones=phones)
        )
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Door(hub, clock, session, sandbox, Keys.of(settings), folder, apps[0])
