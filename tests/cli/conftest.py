# SPDX-License-Identifier: EUPL-1.2
"""A town with a catalogue and a few people, and a command line run the way an operator runs it."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from channels.base import ChannelName, Reason
from hub.__main__ import main
from hub.delivery import DeliveryState
from hub.demo_town.town import FILES
from hub.flow.planning.plan import plan_page
from hub.ledger import announcements, deliveries, runs
from hub.ledger.database import open_writer
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery, run

CHANNELS = """
[channels.sms]
account_sid = "AC00000000000000000000000000000000"
auth_token = "not a real one"
sender = "Valmont"
price = 0.045
[channels.email]
sender = "mairie@example.org"
[channels.webpush]
sender = "mailto:mairie@example.org"
"""
PEOPLE = """\
ref,language,phone,email,themes,zones,channels,consent_source,consent_date,consent_text_version
a,fr,06 39 98 00 01,amina@example.org,eau,tanneries,sms email,site web,2026-03-02,2026-01
b,en,06 39 98 00 02,,eau,,sms,guichet,2026-03-02,2026-01
c,fr,06 39 98 00 01,,coupures,tanneries,sms,guichet,2026-03-02,2026-01
d,fr,,louis@example.org,eau,centre,email,guichet,2026-03-02,2026-01
e,fr,06 39 98 00 05,,culture,,sms,guichet,2026-03-02,2026-01
f,fr,,zoe@example.org,eau,,email webpush,guichet,2026-03-02,2026-01
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Hub = Callable[..., Ended]


def _clean(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("HUB__")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Runs a command line, with bytes for standard input where given."""

    def run_(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run_


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town, made once by the very commands an operator would type."""
    folder = tmp_path_factory.mktemp("town")
    people = folder / "people.csv"
    people.write_text(PEOPLE, "utf-8")
    commands = [
        ["init", "--authority", "valmont", "--authority-name", "Valmont-sur-Orne"],
        ["catalogue", "import", f"{FILES}/catalogue.toml", "--areas", f"{FILES}/zones.geojson"],
        ["import", str(people), "--verified"],
    ]
    with pytest.MonkeyPatch.context() as monkeypatch:
        _clean(monkeypatch, folder)
        for command in commands:
            with pytest.raises(SystemExit) as ended:
                main(command)
            assert not ended.value.code, command
    with (folder / "hub.toml").open("a", encoding="utf-8") as settings:
        settings.write(CHANNELS)
    return folder


@pytest.fixture
def town(_built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the town in the folder the commands run in."""
    shutil.copytree(_built, tmp_path, dirs_exist_ok=True)
    _clean(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder the commands run in."""
    _clean(monkeypatch, tmp_path)
    return tmp_path


@contextmanager
def _ledger(folder: Path) -> Iterator[Connection]:
    engine = open_writer(folder / "data" / "ledger.sqlite3")
    try:
        with engine.begin() as conn:
            yield conn
    finally:
        engine.dispose()


@pytest.fixture
def rows(town: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Asks the ledger of the town."""

    def ask(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with _ledger(town) as conn:
            return [tuple(row) for row in conn.execute(text(query), parameters)]

    return ask


Became = Mapping[tuple[ChannelName, int], tuple[DeliveryState, Reason | None]]


@pytest.fixture
def daemon(town: Path) -> Callable[[str, Became], None]:
    """Does what the daemon would: plans an announcement, then ends its deliveries as told.

    What became of them is by channel and rank within it.
    """

    def work(code: str, became: Became) -> None:
        now = datetime.now(UTC)
        with _ledger(town) as conn:
            found = announcements.by_code(conn, code)
            assert found is not None
            for each in runs.of_announcement(conn, found.id):
                while runs.by_id(conn, each.id).state is RunState.PLANNING:
                    plan_page(conn, runs.by_id(conn, each.id), 1, now)
            for (channel, rank), (state, reason) in became.items():
                wanted = [
                    r.id for r in runs.of_announcement(conn, found.id) if r.channel is channel
                ]
                moved = deliveries.rows_where(conn, delivery.c.run.in_(wanted), limit=100)[rank]
                deliveries.move(conn, [moved], state, at=0, reason=reason or "", maybe=True)
            conn.execute(delivery.update().values(at=int(now.timestamp() * 1000)))
            conn.execute(run.update().values(state=RunState.DONE))

    return work


@pytest.fixture
def announced(hub: Hub, town: Path) -> Callable[..., str]:
    """Publishes something about water; returns its id."""

    def publish(*options: str) -> str:
        ended = hub("announce", *WATER, *options, "--json")
        assert ended.code == 0, ended.err
        return str(json.loads(ended.out)["id"])

    return publish


WATER = ("--title", "Coupure", "--body", "Demain de 8 h à 12 h.", "--theme", "coupures")
