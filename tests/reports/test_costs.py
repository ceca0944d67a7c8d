# SPDX-License-Identifier: EUPL-1.2
"""What an announcement cost: by the text each reader got, failures that the provider took too."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from channels.base import (
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Reason,
    Recipient,
    SmsText,
    Text,
)
from hub.announcement import Announcement, Event
from hub.delivery import DeliveryState
from hub.ledger import announcements, measures
from hub.ledger.measures import Told
from hub.ledger.tables import announcement as announcement_table
from hub.ledger.tables import delivery, digest_item, run
from hub.pricing import Prices
from hub.reports.costs import Cost, Tariff, besides, costs
from hub.reports.measuring import measure
from hub.reports.report import report
from hub.reports.summary import reach
from hub.reports.watched import watched
from subscribers import crier, directory
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.tables import subscriber

SMS, EMAIL, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X
S = DeliveryState
MINUTE = timedelta(minutes=1)
CENTS = 10_000
PRICES = {SMS: Prices(0.05, 0.05, "EUR"), X: Prices(0.015, 0.2, "USD")}


def printed(_: Announcement, __: Catalogue, channel: ChannelName, language: str) -> Text | None:
    """One segment in French, two in English; a thread of which the first post has the link."""
    match channel:
        case ChannelName.SMS:
            return SmsText("a" * (100 if language == "fr" else 200))
        case ChannelName.X:
            return PostText(("https://example.org", "suite"))
        case ChannelName.EMAIL:
            return EmailText("s", "t", "h", "u", "l", "n")
        case _:
            return PushText("{}", "topic")


TARIFF = Tariff(PRICES, printed)


def told(board: Any, announcement: Announcement) -> dict[ChannelName, Cost]:
    catalogue = load_catalogue(board.conn, 1)
    return {each.channel: each for each in costs(board.conn, announcement, TARIFF, catalogue)}


def planned(board: Any, *channels: ChannelName) -> tuple[Announcement, list[int]]:
    announcement = board.publish(*channels)
    board.plan(announcement)
    return announcement, board.rows(announcement)


def test_each_reader_costs_what_their_own_text_does(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.conn.execute(update(subscriber).where(subscriber.c.id == 1).values(language="en"))
    for row in rows[:3]:
        board.move(row, S.DELIVERED, ref=f"SM{row}")
    found = told(board, announcement)[SMS]
    assert (found.billed, found.cost, found.currency) == (3, (1 + 1 + 2) * 5 * CENTS, "EUR")


def test_a_failure_the_provider_took_is_billed_and_one_it_refused_is_not(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.move(rows[0], S.FAILED, Reason.UNREACHABLE, ref="SM1")
    board.move(rows[1], S.FAILED, Reason.NO_SUCH_ADDRESS)
    board.move(rows[2], S.SKIPPED, Reason.OPTED_OUT)
    assert told(board, announcement)[SMS].billed == 1


def test_somebody_erased_since_counts_in_the_towns_language(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.conn.execute(update(subscriber).where(subscriber.c.id == 1).values(language="en"))
    board.move(rows[0], S.DELIVERED, ref="SM1")
    assert told(board, announcement)[SMS].cost == 10 * CENTS
    board.conn.execute(delete(subscriber).where(subscriber.c.id == 1))
    assert told(board, announcement)[SMS].cost == 5 * CENTS


def test_what_a_digest_carried_costs_nothing_of_its_own(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.move(rows[0], S.DELIVERED, ref="SM1")
    board.move(rows[1], S.DELIVERED)
    board.conn.execute(insert(digest_item).values(digest=999, item=rows[1]))
    assert told(board, announcement)[SMS].billed == 1


def test_a_channel_without_a_price_has_no_cost_but_is_counted(board: Any) -> None:
    announcement, rows = planned(board, EMAIL)
    board.move(rows[0], S.ACCEPTED)
    assert told(board, announcement)[EMAIL] == Cost(EMAIL, 1, None, "EUR")


def test_of_a_thread_each_post_costs_by_its_own_link() -> None:
    one = TARIFF.of_one
    drafted: Any = None
    assert one(drafted, drafted, X, "fr", 0) == 200_000
    assert one(drafted, drafted, X, "fr", 1) == 15_000


def test_a_text_that_prints_no_more_costs_one_message(board: Any) -> None:
    bare = Tariff(PRICES, lambda *_: None)
    announcement, rows = planned(board, SMS)
    board.move(rows[0], S.DELIVERED, ref="SM1")
    (found,) = costs(board.conn, announcement, bare, load_catalogue(board.conn, 1))
    assert found.cost == 5 * CENTS


def test_notes_and_digests_are_counted_beside_the_announcements(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.move(rows[0], S.DELIVERED, ref="SM1")
    span = (1, board.now, board.now + MINUTE)
    assert besides(board.conn, *span) == {}
    board.conn.execute(update(announcement_table).values(source="note"))
    assert besides(board.conn, *span) == {SMS: 1}
    assert besides(board.conn, 2, *span[1:]) == {}
    assert besides(board.conn, 1, board.now + MINUTE, board.now + 2 * MINUTE) == {}
    assert announcement.id


# --------------------------------------------------------------------------- kept


def test_a_measure_is_read_back_as_it_was_taken(board: Any) -> None:
    announcement, rows = planned(board, SMS, EMAIL)
    board.move(rows[0], S.DELIVERED, at=board.now + MINUTE, ref="SM1")
    board.move(rows[6], S.ACCEPTED, at=board.now + 2 * MINUTE)
    taken = measure(board.conn, announcement.id, TARIFF)
    assert (taken.people, taken.reached, taken.median) == (6, 1, 2 * MINUTE)
    assert taken.channels[SMS] == Told(6, 1, 1, 0, 0, 1, 5 * CENTS)
    assert taken.channels[EMAIL].cost is None
    assert taken.zones == {None: 1}
    measures.keep(board.conn, taken, "1", board.now)
    assert measures.of(board.conn, announcement.id) == taken
    assert measures.load(board.conn, [announcement.id]) == {announcement.id: taken}


def test_only_what_ended_is_measured_and_again_where_its_counts_moved(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    assert measures.due(board.conn, board.now, 9) == []
    board.move(rows[0], S.ACCEPTED, ref="SM1")
    announcements.move(board.conn, announcement, Event.FINISH, board.now)
    ((number, stamp),) = measures.due(board.conn, board.now, 9)
    assert number == announcement.id
    assert measures.due(board.conn, board.now, 9, {number}) == []
    measures.keep(board.conn, measure(board.conn, number, TARIFF), stamp, board.now)
    assert measures.due(board.conn, board.now, 9) == []
    board.move(rows[0], S.DELIVERED)
    assert len(measures.due(board.conn, board.now, 9)) == 1
    late = board.now + measures.SETTLED + MINUTE
    assert measures.due(board.conn, late, 9) == []  # nobody will say anything any more


def test_what_was_stopped_is_measured_again_once_its_messages_were_swept(board: Any) -> None:
    announcement, rows = planned(board, SMS)
    board.move(rows[0], S.ACCEPTED, ref="SM1")
    announcements.move(board.conn, announcement, Event.CANCEL, board.now)
    ((number, stamp),) = measures.due(board.conn, board.now, 9)
    measures.keep(board.conn, measure(board.conn, number, TARIFF), stamp, board.now)
    for row in rows[1:]:
        board.move(row, S.CANCELLED)
    ((number, stamp),) = measures.due(board.conn, board.now, 9)
    assert measure(board.conn, number, TARIFF).channels[SMS].not_sent == 5


def test_of_erased_deliveries_the_counts_still_tell(board: Any) -> None:
    announcement, rows = planned(board, SMS, EMAIL)
    board.move(rows[0], S.DELIVERED, ref="SM1")
    board.conn.execute(update(run).values(retired=board.now, first_delivery=None))
    board.conn.execute(delete(delivery))
    taken = measure(board.conn, announcement.id, TARIFF)
    assert (taken.people, taken.reached, taken.median) == (6, 1, None)
    assert taken.channels[SMS].cost == 5 * CENTS


@pytest.mark.parametrize("source", ["note", "digest"])
def test_what_no_officer_wrote_is_not_measured(board: Any, source: str) -> None:
    announcement, _ = planned(board, SMS)
    announcements.move(board.conn, announcement, Event.FINISH, board.now)
    board.conn.execute(update(announcement_table).values(source=source))
    assert measures.due(board.conn, board.now, 9) == []


def test_the_towns_own_account_is_nobody(board: Any) -> None:
    announcement = board.publish(SMS, EMAIL)
    board.plan(announcement)
    rows = board.rows(announcement)
    its = select(delivery.c.subscriber).where(delivery.c.id == rows[0])
    own = board.conn.execute(its).scalar_one()
    directory.add_contact_point(board.conn, own, X, Recipient(crier.PUBLIC), board.now)
    for row in rows[:2]:
        board.move(row, S.DELIVERED, at=board.now)
    told = reach(board.conn, announcement)
    assert (told.people, told.reached) == (5, 1)
    assert watched(board.conn, announcement.id, board.now).people == 5
    assert sum(measure(board.conn, announcement.id, TARIFF).zones.values()) == 1


def test_a_currency_in_which_nothing_was_spent_is_not_told(board: Any) -> None:
    announcement = board.publish(SMS, X)
    board.plan(announcement)
    for row in board.rows(announcement):
        board.move(row, S.DELIVERED, at=board.now)
    told = report(board.conn, watched(board.conn, announcement.id, board.now), TARIFF)
    assert told is not None
    assert told.measure.channels[X].cost == 0
    assert list(told.costs) == ["EUR"]
