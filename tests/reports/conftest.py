# SPDX-License-Identifier: EUPL-1.2
"""A ledger with an announcement planned for a few people, whose deliveries tests then move."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from channels.base import ChannelName, Lane, Reason, Urgency
from hub.announcement import Announcement, Event, State
from hub.delivery import DeliveryState
from hub.flow.planning.plan import plan_page
from hub.ledger import announcements, deliveries, runs
from hub.ledger.database import open_writer
from hub.ledger.runs import RunState
from hub.ledger.schema import upgrade
from hub.ledger.tables import delivery
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.importer import ImportOptions, import_csv
from subscribers.tables import to_ms
from templates.content import Content, Kind

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
TOWN = """
[authority]
key = "valmont"
name = "Valmont-sur-Orne"
timezone = "Europe/Paris"
language = "fr"
[[themes]]
key = "eau"
names = { fr = "Eau", en = "Water" }
"""
PEOPLE = 6


@dataclass(frozen=True)
class Board:
    """An open ledger at `now`, and what tests do to it."""

    conn: Connection
    now: datetime

    def publish(
        self,
        *channels: ChannelName,
        urgency: Urgency = Urgency.INFORMATION,
        lane: Lane = Lane.BULK,
    ) -> Announcement:
        """An announcement on these channels, whose plan has not begun."""
        written = announcements.insert(
            self.conn,
            Announcement(
                id=0,
                code="",
                authority=1,
                kind=Kind.FIRST,
                urgency=urgency,
                state=State.DRAFT,
                contents={"fr": Content("fr", "Titre", "Corps.")},
                themes=("eau",),
                channels=channels,
                created=self.now,
                author="test",
            ),
            source="test",
            source_key=str(self.conn.execute(select(delivery.c.id)).all()) + str(channels),
            sha256="",
        )
        moved = announcements.move(self.conn, written, Event.PUBLISH, self.now)
        runs.insert(self.conn, moved.id, 1, lane, [(name, 1) for name in channels])
        return moved

    def plan(self, announcement: Announcement) -> None:
        """Everybody it is for has a row."""
        for run in runs.of_announcement(self.conn, announcement.id):
            while runs.by_id(self.conn, run.id).state is RunState.PLANNING:
                plan_page(self.conn, runs.by_id(self.conn, run.id), 1, self.now)

    def rows(self, announcement: Announcement) -> Sequence[int]:
        """The ids of its deliveries, in order."""
        mine = [run.id for run in runs.of_announcement(self.conn, announcement.id)]
        ids = select(delivery.c.id).where(delivery.c.run.in_(mine)).order_by(delivery.c.id)
        return list(self.conn.execute(ids).scalars())

    def move(
        self,
        row: int,
        state: DeliveryState,
        reason: Reason | None = None,
        at: datetime | None = None,
        **columns: object,
    ) -> None:
        """Move one delivery as the flow does, its count with it."""
        found = deliveries.rows_where(self.conn, delivery.c.id == row, limit=1)
        moment = to_ms(at or self.now)
        deliveries.move(self.conn, found, state, at=moment, reason=reason or "", **columns)


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a catalogue and six people, each with a number and a mailbox."""
    path = tmp_path_factory.mktemp("reports") / "ledger.sqlite3"
    engine = open_writer(path)
    upgrade(engine)
    with engine.begin() as conn:
        assert not import_catalogue(conn, TOWN).problems
        catalogue = load_catalogue(conn, 1)
    lines = "".join(
        f"{i},+3363998000{i},p{i}@example.org,eau,guichet,2026-03-02,1\n" for i in range(PEOPLE)
    )
    header = "ref,phone,email,themes,consent_source,consent_date,consent_text_version\n"
    options = ImportOptions(b"k" * 32, recorded_by="test", verified=True)
    stream = BytesIO((header + lines).encode())
    verdicts = list(import_csv(stream, engine.begin, catalogue, options, now=NOW))
    assert [verdict.kind for verdict in verdicts] == ["created"] * PEOPLE
    engine.dispose()
    return path


@pytest.fixture
def board(_empty: Path, tmp_path: Path) -> Iterator[Board]:
    """A board of one's own."""
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(_empty.read_bytes())
    engine = open_writer(path)
    with engine.begin() as conn:
        yield Board(conn, NOW)
    engine.dispose()


@pytest.fixture
def statements(board: Board) -> Callable[[Callable[[], object]], list[str]]:
    """The SQL that some work executes."""
    from sqlalchemy import event

    def during(work: Callable[[], object]) -> list[str]:
        seen: list[str] = []

        def note(_conn: object, _cursor: object, sql: str, *_rest: object) -> None:
            seen.append(sql)

        event.listen(board.conn, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(board.conn, "before_cursor_execute", note)
        return seen

    return during
