# SPDX-License-Identifier: EUPL-1.2
"""Is the ledger sound? Every promise its tables make, asked of the rows themselves.

Reads one instant and writes nothing, so a daemon may work meanwhile. Rows are counted a stretch at
a time, never held: a ledger of millions takes no more memory than one of a few runs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from channels.base import Reason
from hub.delivery import PENDING, DeliveryState
from hub.ledger import audit, office_tables, schema
from subscribers.tables import metadata as people

Progress = Callable[[int, int], None]
Counts = Mapping[tuple[str, str], int]
"""How many, by state and reason."""

_STRETCH: Final = 100_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be; `announcement` is its public code, where it has one."""

    check: str
    what: str
    run: int | None = None
    announcement: str | None = None


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what was found; sound when nothing was."""

    runs: int = 0
    deliveries: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(conn: Connection, on_progress: Progress) -> Verdict:
    """Ask everything, in the snapshot of `conn`."""
    damage = list(_file(conn))
    revision = schema.current(conn)
    if revision != schema.head():
        damage.append(Finding("schema", f"Its tables are of version {revision}."))
    if damage:  # what else could be asked would answer with noise
        return Verdict(findings=damage)
    runs = conn.execute(text(_RUNS)).all()
    told, real = _told(conn), _counted(conn, on_progress)
    found = [
        *_orphans({run.id for run in runs}, told, real),
        *(finding for run in runs for finding in _run(run, told[run.id], real[run.id])),
        *_rows(conn),
        *_audit(conn),
        *_indexes(conn),
    ]
    codes = {run.id: run.code for run in runs}
    return Verdict(
        runs=len(runs),
        deliveries=sum(sum(counts.values()) for counts in real.values()),
        findings=[replace(each, announcement=codes.get(each.run or 0)) for each in found],
    )


# --------------------------------------------------------------------------- counts and rows

_RUNS: Final = """
SELECT r.id, r.planned, r.state, r.retired, a.code, a.state AS life
FROM run r LEFT JOIN announcement a ON a.id = r.announcement ORDER BY r.id
"""
_COUNT: Final = """
SELECT run, state, reason, count(*) AS n FROM delivery WHERE id >= :at AND id < :end
GROUP BY run, state, reason
"""


def _told(conn: Connection) -> dict[int, Counter[tuple[str, str]]]:
    """What the counts say, by run."""
    told = defaultdict[int, Counter[tuple[str, str]]](Counter)
    for row in conn.execute(text("SELECT run, state, reason, n FROM delivery_count WHERE n <> 0")):
        told[row.run][row.state, row.reason] = row.n
    return told


def _counted(conn: Connection, on_progress: Progress) -> dict[int, Counter[tuple[str, str]]]:
    """What the rows say, by run."""
    counted = defaultdict[int, Counter[tuple[str, str]]](Counter)
    ends = "SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM delivery"
    at, last = conn.execute(text(ends)).one()
    while at <= last:
        for row in conn.execute(text(_COUNT), {"at": at, "end": at + _STRETCH}):
            counted[row.run][row.state, row.reason] += row.n
        at += _STRETCH
        on_progress(min(at, last), last)
    return counted


def _orphans(
    known: set[int],
    told: Mapping[int, Counter[tuple[str, str]]],
    real: Mapping[int, Counter[tuple[str, str]]],
) -> Iterator[Finding]:
    for run in sorted((told.keys() | real.keys()) - known):
        rows = sum(real.get(run, Counter()).values())
        yield Finding("run", f"Run {run} does not exist, yet {rows} rows name it.", run)


def _run(
    run: Any, told: Counter[tuple[str, str]], real: Counter[tuple[str, str]]
) -> Iterator[Finding]:
    """Planned is the sum of its outcomes, its counts are its rows, and over means nothing waits."""
    if run.code is None:
        yield Finding("run", "Its announcement does not exist.", run.id)
    if run.planned != told.total():
        what = f"Planned {run.planned}, but its outcomes add up to {told.total()}."
        yield Finding("planned", what, run.id)
    for state, reason in sorted(told.keys() | real.keys()):
        counted, rows = told[state, reason], real[state, reason]
        if rows > counted or (rows < counted and run.retired is None):
            what = f"{_said(state, reason)}: counted {counted}, but {rows} rows."
            yield Finding("count", what, run.id)
        if state not in set(DeliveryState) or reason not in {"", *Reason}:
            yield Finding(
                "word", f"{_said(state, reason)} is no state and reason there is.", run.id
            )
    waiting = sum(n for (state, _), n in (told | real).items() if state in PENDING)
    if waiting and (run.state == "done" or run.life == "finished"):
        yield Finding("finished", f"It is over, yet {waiting} messages wait.", run.id)


def _said(state: str, reason: str) -> str:
    return f"{state} ({reason})" if reason else state


# --------------------------------------------------------------------------- single rows

_QUESTIONS: Final[Sequence[tuple[str, str, str]]] = (
    (
        *("lease", "{n} rows hold a lease without being reserved, or the reverse; one is {id}."),
        (
            "SELECT run, count(*) AS n, min(id) AS id FROM delivery "
            "WHERE (state = 'reserved') <> (lease IS NOT NULL) GROUP BY run"
        ),
    ),
    (
        *("lease", "{n} rows are reserved under a lease there is not; one is {id}."),
        (
            "SELECT run, count(*) AS n, min(id) AS id FROM delivery d WHERE state = 'reserved' "
            "AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.id = d.lease) GROUP BY run"
        ),
    ),
    (
        *("twice", "{n} rows are for an address that has one already; one is {id}."),
        (
            "SELECT run, sum(m - 1) AS n, max(id) AS id FROM (SELECT run, count(*) AS m, "
            "max(id) AS id FROM delivery GROUP BY subscriber, run, contact_point, part "
            "HAVING count(*) > 1) AS more GROUP BY run"
        ),
    ),
    (
        *("reference", "{n} rows bear a provider's reference of another row; one is {id}."),
        (
            "SELECT run, count(*) AS n, max(id) AS id FROM (SELECT max(run) AS run, max(id) AS id "
            "FROM delivery WHERE ref IS NOT NULL AND provider IS NOT NULL GROUP BY provider, ref "
            "HAVING count(*) > 1) AS more GROUP BY run"
        ),
    ),
    (
        *("fallback", "{n} rows stand in for a row there is not; one is {id}."),
        (
            "SELECT run, count(*) AS n, min(id) AS id FROM delivery d "
            "WHERE fallback_of IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.id = d.fallback_of) "
            "AND (SELECT retired FROM run WHERE id = d.run) IS NULL GROUP BY run"
        ),
    ),
    (
        *("digest", "{n} digest items name a row there is not; one is {id}."),
        (
            "SELECT NULL AS run, count(*) AS n, min(item) AS id FROM digest_item i "
            "WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = i.item) "
            "OR NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = i.digest) HAVING count(*) > 0"
        ),
    ),
    (
        *("receipt", "{n} receipts are for a row there is not; one is for {id}."),
        (
            "SELECT NULL AS run, count(*) AS n, min(delivery) AS id FROM receipt r "
            "WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = r.delivery) "
            "HAVING count(*) > 0"
        ),
    ),
    (
        *("attempt", "{n} attempts are of a row there is not; one is of {id}."),
        (
            "SELECT NULL AS run, count(*) AS n, min(delivery) AS id FROM attempt t "
            "WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = t.delivery) "
            "HAVING count(*) > 0"
        ),
    ),
)
"""(check, sentence, the rows that must not be: run, how many, one of them)."""


def _rows(conn: Connection) -> Iterator[Finding]:
    for check, sentence, question in _QUESTIONS:
        for row in conn.execute(text(question)):
            yield Finding(check, sentence.format(n=row.n, id=row.id), row.run)


# --------------------------------------------------------------------------- the file itself


def _file(conn: Connection) -> Iterator[Finding]:
    """What SQLite itself says of the file."""
    if conn.dialect.name != "sqlite":
        return
    for row in conn.exec_driver_sql("PRAGMA integrity_check(20)"):
        if row[0] != "ok":
            yield Finding("file", f"SQLite: {row[0]}.")
    for table in sorted({row[0] for row in conn.exec_driver_sql("PRAGMA foreign_key_check")}):
        yield Finding("file", f"Rows of {table} point at rows there are not.")


def _audit(conn: Connection) -> Iterator[Finding]:
    """Every line of the journal follows from the one before."""
    line = audit.broken(conn)
    if line is not None:
        yield Finding("audit", f"Line {line} of the journal was changed, or one before it removed.")


def _indexes(conn: Connection) -> Iterator[Finding]:
    """Without one of these the hub is slow, or a double gets in."""
    inspector = inspect(conn)
    for metadata in (office_tables.metadata, people):
        for table in metadata.sorted_tables:
            there = {index["name"] for index in inspector.get_indexes(table.name)}
            for index in sorted(str(index.name) for index in table.indexes):
                if index not in there:
                    yield Finding("index", f"The index {index} is missing.")
