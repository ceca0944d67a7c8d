# SPDX-License-Identifier: EUPL-1.2
"""Run -> deliveries, page by page, inside the database (ENGINE.md 4.2).

One transaction a page, guarded by planner and cursor, so a page is never planned twice; sending
starts with the first page. The most urgent run is looked for again before every page.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import (
    Connection,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)

from channels.base import ChannelName, Clock, Reason
from hub.announcement import Announcement
from hub.delivery import DeliveryState
from hub.flow.keep.tenure import Tenure
from hub.flow.planning import digest
from hub.flow.planning.digest import AT_SIX, DigestTimes
from hub.flow.planning.reach import query_for
from hub.ledger import announcements, deliveries, runs, stand_ins
from hub.ledger.leases import LeaseEndedError
from hub.ledger.runs import Run, RunState
from hub.ledger.store import Ledger
from hub.ledger.tables import announcement as announcement_table
from hub.ledger.tables import delivery
from hub.ledger.tables import run as run_table
from subscribers import audience
from subscribers.catalogue import load_catalogue
from subscribers.preferences import Cadence
from subscribers.tables import to_ms
from templates.content import Kind
from templates.digest import DIGESTED

log = structlog.get_logger(__name__)

PAGE: Final = 5_000
"""People a transaction: small enough that an acceptance waits for milliseconds only."""

FIRST_PAGE: Final = 200
"""The first page is short: sending starts with it."""

_ASIDE: Final = 5.0
"""Seconds a run that could not be planned lets others pass (upkeep wakes the planner)."""

NEGATIVE: Final = (
    DeliveryState.SKIPPED,
    DeliveryState.FAILED,
    DeliveryState.EXPIRED,
    DeliveryState.CANCELLED,
)
"""Whoever's message ended so was not told: nothing follows to them."""


class Planner:
    """Plans whatever run is most urgent, a page at a time. `planned` is told of every page."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        tenure: Tenure,
        planned: Callable[[int], None],
        digests: DigestTimes = AT_SIX,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._tenure = tenure
        self._planned = planned
        self._digests = digests
        self._work = asyncio.Event()
        self._aside: dict[int, float] = {}  # runs that cannot be planned, until when (steady)

    def wake(self) -> None:
        """There may be something to plan."""
        self._work.set()

    async def work(self) -> None:
        """Plan for ever."""
        while True:
            self._work.clear()
            while await self.plan_page():
                pass
            await self._work.wait()

    async def plan_page(self) -> bool:
        """Plan one page of the most urgent run. False when there is nothing to plan."""
        now = self._clock.monotonic()
        self._aside = {run: until for run, until in self._aside.items() if until > now}
        try:
            seen = await self._ledger.read(self._most_urgent)
        except Exception:  # whatever it is, planning goes on: upkeep wakes the planner again
            log.exception("plan.look")
            return False
        if seen is None:
            return False
        page = self._tenure.guarded(lambda conn: self._page(conn, seen))
        try:
            rows = await self._ledger.transact(page, hurry=True)
        except LeaseEndedError:  # upkeep wakes the planner again
            return False
        except Exception:  # a full disk or a broken run: neither ends planning
            log.exception("plan.page", run=seen.id)
            self._aside[seen.id] = now + _ASIDE
            return True
        log.debug("plan.page", run=seen.id, rows=rows)
        self._planned(seen.id)
        return True

    def _page(self, conn: Connection, seen: Run) -> int:
        now, me = self._clock.now(), self._tenure.id
        if seen.digest:
            return digest.plan_page(conn, seen, me, self._digests, now)
        return plan_page(conn, seen, me, now)

    def _most_urgent(self, conn: Connection) -> Run | None:
        planning = [
            run
            for run in runs.open_runs(conn)
            if run.state is RunState.PLANNING and run.id not in self._aside
        ]
        return min(planning, key=lambda run: (run.lane, run.id), default=None)


def plan_page(conn: Connection, seen: Run, planner: int, now: datetime) -> int:
    """Plan the page after the run's cursor, in the caller's transaction. Returns its rows."""
    if seen.cancelled:
        runs.set_state(conn, seen.id, RunState.OPEN)  # the sweep ends what was planned before
        return 0
    announcement = announcements.by_id(conn, seen.announcement)
    followed = announcement.kind is not Kind.FIRST
    for earlier in _chain_runs(conn, announcement, seen.channel) if followed else ():
        if earlier.state is RunState.PLANNING:  # whoever will get the first gets what follows it
            return plan_page(conn, earlier, planner, now)
    runs.take_planning(conn, seen.id, planner)
    audience_page = _follow_up if followed else _subscribed
    page, end = audience_page(conn, announcement, seen)
    if end is None:
        runs.set_state(conn, seen.id, RunState.OPEN)
        return 0
    if not runs.claim_page(conn, seen, planner, end):
        return 0
    rows, first = deliveries.plan_rows(conn, seen.id, _rows(page, announcement, seen, now))
    runs.add_planned(conn, seen.id, rows, first)
    if followed and first is not None:
        chain = [run.id for run in _chain_runs(conn, announcement, seen.channel)]
        stand_ins.follow(conn, seen.id, chain, first)
    return rows


def _page_size(seen: Run) -> int:
    return PAGE if seen.cursor else FIRST_PAGE


def _subscribed(
    conn: Connection, announcement: Announcement, seen: Run
) -> tuple[Select[Any], int | None]:
    """The next page of those who asked for these themes here."""
    query = query_for(announcement, seen.channel, load_catalogue(conn, announcement.authority))
    end = audience.page_end(conn, query, seen.cursor, seen.until, _page_size(seen))
    return audience.page_statement(query, seen.cursor, end or seen.cursor), end


def _follow_up(
    conn: Connection, announcement: Announcement, seen: Run
) -> tuple[Select[Any], int | None]:
    """The next page of those who got (or are about to get) what this one follows."""
    chain = [run.id for run in _chain_runs(conn, announcement, seen.channel)]
    told = (delivery.c.run.in_(chain), delivery.c.state.not_in(NEGATIVE))
    after = (delivery.c.subscriber > seen.cursor, delivery.c.subscriber <= seen.until)
    ends = (
        select(delivery.c.subscriber)
        .where(*told, *after)
        .distinct()
        .order_by(delivery.c.subscriber)
        .limit(_page_size(seen))
        .subquery()
    )
    end = conn.execute(select(func.max(ends.c.subscriber))).scalar_one()
    waits = func.min(case((delivery.c.state == DeliveryState.DIGEST, 1), else_=0))
    page = (
        select(
            delivery.c.subscriber,
            delivery.c.contact_point,
            case((waits == 1, Cadence.DAILY.value), else_=Cadence.NOW.value).label("cadence"),
            literal_column("0").label("duplicate"),
        )
        .where(*told, delivery.c.subscriber > seen.cursor, delivery.c.subscriber <= (end or 0))
        .group_by(delivery.c.subscriber, delivery.c.contact_point)
    )
    return page, end


def _chain_runs(conn: Connection, announcement: Announcement, channel: ChannelName) -> list[Run]:
    head = announcement.first
    earlier = conn.execute(
        select(run_table.c.id)
        .join(announcement_table, announcement_table.c.id == run_table.c.announcement)
        .where(
            (announcement_table.c.id == head) | (announcement_table.c.first == head),
            announcement_table.c.id < announcement.id,
            run_table.c.channel == channel,
        )
    ).scalars()
    return [runs.by_id(conn, run_id) for run_id in earlier]


def _rows(page: Select[Any], announcement: Announcement, seen: Run, now: datetime) -> Select[Any]:
    """A page of people as delivery rows: ready, for the digest, or skipped at birth. Where it is
    over by now each is told "too late, not sent": they were meant, and a report counts them."""
    people = page.subquery("people")
    parts = union_all(*(select(literal(n).label("part")) for n in range(seen.parts))).subquery()
    gathers = announcement.urgency in DIGESTED
    later = (people.c.cadence != Cadence.NOW.value) & literal(gathers)
    gathered, sent = (DeliveryState.DIGEST, Reason.DIGEST), (DeliveryState.READY, "")
    if seen.over(now):
        gathered = sent = (DeliveryState.EXPIRED, Reason.EXPIRED)
    moment = to_ms(now)

    def by_case(same: str, digest: str, otherwise: str) -> Any:
        return cast(case((people.c.duplicate, same), (later, digest), else_=otherwise), String)

    return (
        select(
            literal(seen.id),
            people.c.subscriber,
            people.c.contact_point,
            parts.c.part,
            by_case(DeliveryState.SKIPPED, gathered[0], sent[0]),
            by_case(Reason.SAME_ADDRESS, gathered[1], sent[1]),
            literal(moment),
            literal(moment),
        )
        .join_from(people, parts, true())
        .order_by(people.c.subscriber, people.c.contact_point, parts.c.part)
    )
