# SPDX-License-Identifier: EUPL-1.2
"""The sums of a month: of whole numbers, of the town's own calendar, with paper beside them."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from channels.base import ChannelName, EmailText, PostText, Reason, SmsText, Text, Urgency
from hub.announcement import Event
from hub.delivery import DeliveryState
from hub.flow.office.assuming import assume, understood
from hub.ledger import announcements, assumptions, audit, measures
from hub.ledger.assumptions import Assumptions
from hub.ledger.measures import Measure, Told
from hub.ledger.office_tables import composition
from hub.pricing import Prices
from hub.reports.budget import spent
from hub.reports.coming_and_going import Movement, caused, drafting, movements, opt_outs
from hub.reports.costs import Tariff
from hub.reports.measuring import measure
from hub.reports.months import Month, last
from hub.reports.published import Card
from hub.reports.returns import Line, Tallies, against_paper, by_month, figures, handed_over
from subscribers.tables import authority
from templates.content import Kind

SMS, EMAIL, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X
S = DeliveryState
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 5, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CENT = 10_000
HOUSE = Assumptions()


def line(number: int, reached: int, *themes: str, at: datetime = NOON, **more: Any) -> Line:
    card = Card(
        id=number,
        code=f"c{number}",
        head=number,
        kind=Kind.FIRST,
        urgency=more.pop("urgency", Urgency.INFORMATION),
        titles={"fr": "Titre"},
        themes=themes,
        zones=(),
        polygon=None,
        published=at,
        expires=None,
        cancelled_at=None,
    )
    channels = {SMS: Told(reached, reached, reached, 0, 0, reached, 5 * CENT * reached)}
    given: dict[str, Any] = {
        "people": reached,
        "median": None,
        "slowest_in_twenty": None,
        "channels": channels,
        "zones": {None: reached},
    }
    measured = Measure(
        announcement=number, authority=1, published=at, reached=reached, **(given | more)
    )
    return Line(card, measured)


# --------------------------------------------------------------------------- months


def test_a_month_begins_on_the_towns_clock() -> None:
    november = Month(2026, 11)
    assert november.start(PARIS) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert november.end(PARIS) == Month(2026, 12).start(PARIS)
    assert Month.of(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), PARIS) == november


def test_months_are_counted_over_new_year() -> None:
    assert [str(month) for month in last(Month(2026, 2), 4)] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "٢٠٢٦-11"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert Month.read(text) is None
    assert Month.read("2026-11") == Month(2026, 11)


# --------------------------------------------------------------------------- sums


def test_an_announcement_of_two_themes_counts_under_both() -> None:
    found = figures([line(1, 10, "eau", "travaux"), line(2, 4, "eau")], Tallies())
    assert (found.count, found.reached) == (2, 14)
    assert found.themes == {"eau": 14, "travaux": 10}
    assert found.zones == {None: 14}


def test_money_is_added_by_currency_and_a_price_nobody_set_is_not_nothing() -> None:
    channels = {
        SMS: Told(2, 2, 2, 0, 0, 2, 10 * CENT),
        EMAIL: Told(2, 2, 0, 0, 0, 2, None),
        X: Told(1, 1, 1, 0, 0, 1, 200_000),
    }
    found = figures([line(1, 2, "eau", channels=channels)], Tallies())
    assert (found.euros, found.dollars, found.each) == (10 * CENT, 200_000, 5 * CENT)
    free = {EMAIL: channels[EMAIL]}
    found = figures([line(1, 2, "eau", channels=free)], Tallies())
    assert (found.euros, found.dollars, found.each) == (None, None, None)


def test_delays_and_drafting_are_of_the_announcement_in_the_middle() -> None:
    lines = [
        line(n, 1, "eau", median=n * MINUTE, slowest_in_twenty=10 * n * MINUTE) for n in (1, 2, 9)
    ]
    found = figures([*lines, line(4, 0, "eau")], Tallies(drafting={1: 60_000, 2: 120_000}))
    assert (found.median, found.slowest) == (2 * MINUTE, 20 * MINUTE)
    assert (found.drafting, found.drafted) == (MINUTE, 2)


def test_nothing_at_all_adds_up_to_nothing() -> None:
    found = figures([], Tallies(opt_outs={1: 3}))
    assert (found.count, found.reached, found.euros, found.each, found.opt_outs) == (
        (0, 0, None, None, 0)
    )
    assert against_paper(found, HOUSE).letters == 0


def test_paper_is_a_letter_a_household_and_none_is_posted_by_half() -> None:
    found = figures([line(1, 10, "eau")], Tallies())
    paper = against_paper(found, HOUSE)
    assert paper.letters == 5  # of 4.65
    assert paper.cost == 5_000_000
    assert paper.saved == 5_000_000 - 50 * CENT
    assert paper.grams == 25
    assert paper.co2 == 5 * 20 - 10 * 4


def test_lines_fall_into_the_month_they_were_published_in() -> None:
    bounds = [Month(2026, n).start(PARIS) for n in (10, 11, 12)]
    edge = line(1, 1, "eau", at=bounds[1])
    before = line(2, 1, "eau", at=bounds[1] - timedelta(milliseconds=1))
    assert by_month([before, edge], bounds) == ((before,), (edge,))
    assert handed_over([before, edge]) == {SMS: 2}


# --------------------------------------------------------------------------- people


def noted(board: Any, verb: str, who: str, at: datetime, town: int = 1, **detail: Any) -> None:
    audit.record(board.conn, at, "citizen", verb, who, authority=town, detail=detail)


def test_who_came_and_who_left_in_each_month(board: Any) -> None:
    bounds = [board.now - timedelta(days=30), board.now, board.now + timedelta(days=30)]
    noted(board, "stop", "subscriber:1", board.now - MINUTE)
    noted(board, "stop", "subscriber:1", board.now + MINUTE)
    noted(board, "erase", "subscriber:1", board.now + 2 * MINUTE)
    noted(board, "stop", "subscriber:2", board.now + MINUTE)
    noted(board, "stop", "subscriber:9", board.now + MINUTE, town=2)
    noted(board, "start", "subscriber:3", board.now + MINUTE)
    assert movements(board.conn, 1, bounds) == (Movement(0, 1), Movement(6, 2))
    assert movements(board.conn, 2, bounds)[1] == Movement(0, 1)


def test_stops_are_counted_by_the_announcement_they_followed(board: Any) -> None:
    for who in ("subscriber:1", "subscriber:1", "subscriber:2"):
        noted(board, "stop", who, board.now, announcement=7)
    noted(board, "stop", "subscriber:3", board.now)  # from their own page
    noted(board, "stop", "subscriber:4", board.now, town=2, announcement=7)
    span = (board.now, board.now + MINUTE)
    assert caused(board.conn, 1, *span) == {7: 2}
    assert caused(board.conn, 1, board.now + MINUTE, board.now + 2 * MINUTE) == {}
    assert opt_outs(board.conn, 1, 7, board.now) == 2


def test_drafting_runs_from_the_first_word_to_the_public(board: Any) -> None:
    about = board.publish(SMS)
    row = {"code": "zzz", "authority": 1, "document": {}, "state": "submitted", "author": 1}
    row |= {"changed": board.now, "changed_by": 1, "announcement": about.id}
    board.conn.execute(insert(composition).values(**row, created=board.now - 12 * MINUTE))
    span = (board.now, board.now + MINUTE)
    assert drafting(board.conn, 1, *span) == {about.id: 12 * 60_000}
    assert drafting(board.conn, 2, *span) == {}


# --------------------------------------------------------------------------- budget


def _printed(_a: Any, _b: Any, channel: ChannelName, _language: str) -> Text:
    if channel is X:
        return PostText(("a",))
    return SmsText("a") if channel is SMS else EmailText("s", "t", "h", "u", "l", "n")


TARIFF = Tariff(MappingProxyType({SMS: Prices(0.05, 0.05, "EUR")}), _printed)


def test_a_month_has_spent_what_was_measured_and_what_is_on_its_way(board: Any) -> None:
    ended = board.publish(SMS)
    board.plan(ended)
    for row in board.rows(ended)[:2]:
        board.move(row, S.DELIVERED, ref=f"SM{row}")
    announcements.move(board.conn, ended, Event.FINISH, board.now)
    measures.keep(board.conn, measure(board.conn, ended.id, TARIFF), "", board.now)
    running = board.publish(SMS, EMAIL)
    board.plan(running)
    board.move(board.rows(running)[0], S.SKIPPED, Reason.OPTED_OUT)
    span = (board.now, board.now + MINUTE)
    assert spent(board.conn, 1, SMS, *span, TARIFF) == (2 + 5) * 5 * CENT
    assert spent(board.conn, 1, EMAIL, *span, TARIFF) == 0
    other = {"id": 2, "key": "autreville", "name": "Autreville", "language": "fr"}
    board.conn.execute(insert(authority).values(other | {"timezone": "Europe/Paris"}))
    assert spent(board.conn, 2, SMS, *span, TARIFF) == 0


# --------------------------------------------------------------------------- what is supposed


@pytest.mark.parametrize(
    ("typed", "value"),
    [("2,15", 2_150), ("2.15", 2_150), (" 1\u202f000 ", None), ("3", 3_000), ("1,50 €", 1_500)],
)
def test_a_number_is_read_as_people_type_it(typed: str, value: int | None) -> None:
    assert understood("household", typed) == value


@pytest.mark.parametrize("typed", ["", "x", "-1", "NaN", "Infinity", "1e99", "0,9"])
def test_what_is_no_number_of_people_is_none(typed: str) -> None:
    assert understood("household", typed) is None


def test_only_what_changed_is_written_and_noted(board: Any) -> None:
    values = {"letter": 1_200, "sheets": 1_000}
    assert assume(board.conn, 1, values, actor="officer:1", now=board.now) == 1
    assert assume(board.conn, 1, values, actor="officer:1", now=board.now) == 0
    assert assumptions.load(board.conn, 1) == Assumptions(letter=1_200)
    assert assumptions.load(board.conn, 2) == Assumptions()
    (noted_,) = audit.of_object(board.conn, "assumption:letter")
    assert noted_["detail"] == {"from": 1_000, "to": 1_200}
