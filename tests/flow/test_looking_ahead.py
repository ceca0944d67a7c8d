# SPDX-License-Identifier: EUPL-1.2
"""What an announcement would become is known before it leaves: people, texts, cost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from channels.base import ChannelName, SmsText, Urgency
from hub.announcement import Announcement, State
from hub.delivery import DeliveryState
from hub.flow.foresight.looking_ahead import completeness_of, looking_ahead, month_of, texts_of
from hub.flow.foresight.recalled import Recall
from hub.flow.foresight.small_numbers import Teller, told
from hub.flow.send.budget import Limits
from hub.flow.site import Press, Site
from hub.ledger import spending
from hub.ledger.tables import delivery
from hub.pricing import Prices
from subscribers import tables
from subscribers.catalogue import load_catalogue
from templates.catalogue import Catalogue
from templates.completeness import Element
from templates.content import Content, Kind
from templates.gsm import EVERY_FAMILY, Encoding, Family
from templates.preview import PostFigures
from templates.refusals import Empty, TooLong, Unit
from templates.render import Composer

SMS, EMAIL, X, PUSH = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X, ChannelName.WEBPUSH
PRESS = Press(Composer(Catalogue()), Site("https://sms.example.org"))
PRICES = {
    SMS: Prices(0.045, 0.045, "EUR"),
    EMAIL: Prices(0.0, 0.0, "EUR"),
    X: Prices(0.015, 0.2, "USD"),
    PUSH: Prices(0.0, 0.0, "EUR"),
}
SAMPLE = (
    "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, "
    "pour réparer une fuite. Faites une réserve et fermez bien tous vos robinets"
)


def writing(book, *channels, **changes):
    """What an officer is writing: it has its code and is in no table."""
    words = Content("fr", "Coupure d’eau", "Jeudi 26/11 dès 8 h.")
    return Announcement(
        **{
            "id": 0,
            "code": "7Kq2ab",
            "authority": 1,
            "kind": Kind.FIRST,
            "urgency": Urgency.INFORMATION,
            "state": State.DRAFT,
            "contents": {"fr": words},
            "themes": ("eau",),
            "channels": channels,
            "created": book.now,
        }
        | changes
    )


def ahead(book, announcement, press=PRESS):
    catalogue = load_catalogue(book.conn, 1)
    return looking_ahead(book.conn, announcement, catalogue, press, prices=PRICES, now=book.now)


def sample(book, *channels):
    overrides = dict.fromkeys((SMS, X), SAMPLE)
    words = {"fr": Content("fr", "Coupure d’eau", "Jeudi.", overrides=overrides)}
    return writing(book, *channels, contents=words)


def change(book, number, **values):
    table = tables.subscriber
    book.conn.execute(update(table).where(table.c.id == number).values(**values))


# --------------------------------------------------------------------------- texts and cost


def test_the_sample_of_the_console_costs_what_the_console_says(book):
    book.people(book.conn, range(1, 743), SMS)
    found = ahead(book, sample(book, SMS, X))
    sms, post = found.leaving
    assert len(sms.preview.rendered.text.body) == 201
    segments = sms.preview.figures.segments
    assert (segments.encoding, segments.count) == (Encoding.UCS2, 3)
    assert (sms.copies, sms.cost, sms.currency) == (742, 100_170_000, "EUR")
    [other] = sms.cheaper
    assert other.families == (Family.APOSTROPHES,)
    assert (other.segments.encoding, other.segments.count) == (Encoding.GSM7, 2)
    assert other.cost == 66_780_000
    assert post.preview.figures.weights == (192,)
    assert found.costs == {"EUR": 100_170_000, "USD": 0}


def test_another_spelling_is_the_very_text_that_leaves_once_it_is_chosen(book):
    words = {"fr": Content("fr", "Été à Laÿ…", "L’œuvre « à\u00a0voir » – fenêtre.")}
    drafted = writing(book, SMS, contents=words)
    [sms] = ahead(book, drafted).leaving
    assert [other.families for other in sms.cheaper][-1] == EVERY_FAMILY
    for other in sms.cheaper:
        [chosen] = ahead(book, replace(drafted, spelling=other.families)).leaving
        assert chosen.preview.rendered.text == SmsText(other.body)
        assert chosen.preview.figures.segments == other.segments
    assert chosen.cheaper == ()


@pytest.mark.parametrize("town", [{"economical": True}, {"offers_spelling": False}])
def test_where_the_town_decides_no_spelling_is_offered(book, town):
    [sms] = ahead(book, sample(book, SMS), replace(PRESS, **town)).leaving
    assert sms.cheaper == ()
    assert ("’" in sms.preview.rendered.text.body) is not town.get("economical", False)


def test_what_is_too_long_is_shown_whole_and_says_by_how_much(book):
    words = {"fr": Content("fr", "Titre", "Une phrase. " * 90)}
    sms, post = ahead(book, writing(book, SMS, X, contents=words)).leaving
    assert sms.refusal.unit is Unit.SEGMENTS
    assert sms.preview.figures.segments.count == sms.refusal.size > sms.refusal.limit == 6
    assert isinstance(post.refusal, TooLong)
    assert post.preview.figures == PostFigures((post.refusal.size,), 280)
    assert (sms.cost, post.cost) == (None, None)


def test_a_dear_text_that_is_too_long_is_offered_the_spelling_that_makes_it_fit(book):
    words = {"fr": Content("fr", "L’eau", "Une phrase. " * 50)}
    [sms] = ahead(book, writing(book, SMS, contents=words)).leaving
    assert sms.refusal is not None
    assert sms.cheaper[0].segments.count <= sms.refusal.limit


def test_a_blank_text_is_refused_and_shows_nothing(book):
    words = {"fr": Content("fr", "", "")}
    [sms] = ahead(book, writing(book, SMS, contents=words)).leaving
    assert (sms.refusal, sms.preview, sms.cheaper) == (Empty(SMS, "title"), None, ())


def test_texts_alone_need_no_town_to_ask(book):
    [sms] = texts_of(sample(book, SMS), load_catalogue(book.conn, 1), PRESS, PRICES)
    assert (sms.copies, sms.cost) == (0, 0)


def test_the_links_are_those_of_the_code_it_will_have(book):
    [sms] = ahead(book, writing(book, SMS)).leaving
    assert sms.preview.rendered.text.body.endswith("https://sms.example.org/a/7Kq2ab")


def test_a_thread_costs_each_of_its_posts(book):
    book.people(book.conn, [1], X)
    words = {"fr": Content("fr", "Titre", "Une phrase de dix mots pour remplir la place. " * 12)}
    drafted = writing(book, X, contents=words, thread=True, urgency=Urgency.IMPORTANT)
    [post] = ahead(book, drafted).leaving
    count = len(post.preview.rendered.text.posts)
    assert count > 1
    assert post.cost == 200_000 + (count - 1) * 15_000


def test_a_channel_without_a_price_is_named(book):
    found = ahead(book, writing(book, SMS, EMAIL, PUSH))
    assert found.unpriced == (EMAIL, PUSH)


def test_what_the_month_has_cost_on_x_is_told_where_it_is_bounded(book):
    spending.spend(book.conn, X, "2026-11", 1, 200_000)
    assert month_of(book.conn, None, book.now) is None
    limits = Limits(100, 10.0, 0.015, 0.2, "Europe/Paris")
    assert month_of(book.conn, limits, book.now).spent == spending.Spent(1, 200_000)


def test_six_things_are_looked_for_in_the_shortest_text_as_it_leaves(book):
    found = ahead(book, writing(book, SMS, EMAIL))
    said = completeness_of(found, load_catalogue(book.conn, 1))["fr"]
    unsaid = {Element.PLACE, Element.ACTION}
    assert said == {element: element not in unsaid for element in Element}
    only = completeness_of(ahead(book, writing(book, PUSH)), load_catalogue(book.conn, 1))
    assert only["fr"][Element.LINK]


# --------------------------------------------------------------------------- people


def test_people_are_told_apart_by_what_they_chose(book):
    quiet = {"quiet_start": 0, "quiet_end": 1439, "urgent_breaks_quiet": True}
    book.people(book.conn, [1], SMS, EMAIL)
    book.people(book.conn, [2], SMS, **quiet)
    book.people(book.conn, [3], SMS, cadence="daily")
    book.people(book.conn, [4], SMS, paused_until=book.now + timedelta(days=1))
    found = ahead(book, writing(book, SMS, EMAIL)).audience
    sms, email = found.going
    assert (sms.leaving, sms.held, sms.digested, sms.paused) == (1, 1, 1, 1)
    assert (sms.messages, sms.not_reached, email.messages) == (3, 1, 1)
    assert (found.people, found.held, found.digested) == (3, 1, 1)
    assert found.copies == {(SMS, "fr"): 2, (EMAIL, "fr"): 1}
    urgent = ahead(book, writing(book, SMS, urgency=Urgency.URGENT)).audience.going[0]
    assert (urgent.leaving, urgent.held, urgent.digested, urgent.paused) == (4, 0, 0, 0)


def test_what_leaves_later_is_foreseen_for_its_own_hour(book):
    book.people(book.conn, [1], SMS, quiet_start=22 * 60, quiet_end=7 * 60)
    book.people(book.conn, [2], SMS, paused_until=book.now + timedelta(hours=6))
    tonight = book.now.replace(hour=22)
    found = ahead(book, writing(book, SMS, publish_at=tonight)).audience
    assert (found.at, found.going[0].held, found.going[0].paused) == (tonight, 1, 0)


def test_an_address_that_is_shared_is_paid_once(book):
    book.people(book.conn, [1, 2], SMS)
    same = tables.contact_point
    book.conn.execute(update(same).values(address="+33639980001"))
    found = ahead(book, writing(book, SMS, urgency=Urgency.IMPORTANT))
    assert (found.audience.people, found.audience.going[0].same_address) == (2, 1)
    assert found.leaving[0].copies == 1


def test_each_reads_the_nearest_language_and_is_counted_there(book):
    book.people(book.conn, [1, 2], SMS)
    change(book, 2, language="en")
    words = {"fr": Content("fr", "Eau", "Jeudi."), "en": Content("en", "Water", "Thursday.")}
    both = ahead(book, writing(book, SMS, contents=words))
    assert [each.copies for each in both.leaving] == [1, 1]
    french = ahead(book, writing(book, SMS))
    assert french.audience.copies == {(SMS, "fr"): 2}


def test_another_town_is_never_counted(book):
    book.people(book.conn, [1], SMS)
    book.people(book.conn, [2, 3], SMS, authority=2)
    assert ahead(book, writing(book, SMS)).audience.people == 1


def test_what_follows_is_foreseen_for_those_who_got_the_first(book):
    book.people(book.conn, [1, 2, 3, 4], SMS)
    first, (run,) = book.publish(SMS, urgency="important")
    book.plan(run)
    failed = delivery.c.subscriber == 1
    book.conn.execute(update(delivery).where(failed).values(state=DeliveryState.FAILED))
    theirs = tables.subscription
    book.conn.execute(theirs.delete().where(theirs.c.subscriber == 2))
    book.people(book.conn, [5], SMS)
    follow_up = {"kind": Kind.UPDATE, "first": first.id, "first_code": first.code}
    found = ahead(book, writing(book, SMS, urgency=Urgency.IMPORTANT, **follow_up)).audience
    assert (found.people, found.going[0].leaving) == (2, 2)


# --------------------------------------------------------------------------- small numbers


@pytest.mark.parametrize(
    ("count", "exactly", "shown"),
    [(0, False, 0), (1, False, None), (4, False, None), (5, False, 5), (1, True, 1), (4, True, 4)],
)
def test_a_count_that_points_at_somebody_is_not_told(count, exactly, shown):
    assert told(count, exactly=exactly) == shown
    assert Teller(exactly).count(count) == shown


def test_the_cost_of_a_hidden_count_is_told_as_the_most_it_may_be():
    assert Teller(exactly=False).cost(90_000, 2) == 180_000
    assert Teller(exactly=True).cost(90_000, 2) == 90_000
    assert Teller(exactly=False).cost(450_000, 10) == 450_000


def test_the_towns_own_post_is_nobodys():
    assert Teller(exactly=False).count(1, X) == 1
    assert Teller(exactly=False).count(2, X) is None
    assert Teller(exactly=False).cost(200_000, 1, X) == 200_000


class Hand:
    """A clock a test sets."""

    seconds = 0.0

    def monotonic(self):
        return self.seconds


def test_between_two_keys_the_people_are_not_counted_again(book):
    catalogue, clock = load_catalogue(book.conn, 1), Hand()
    recall = Recall(clock)

    def people(announcement):
        return looking_ahead(
            book.conn,
            announcement,
            catalogue,
            PRESS,
            prices=PRICES,
            now=book.now,
            recall=recall,
        ).audience.people

    book.people(book.conn, [1], SMS)
    assert people(writing(book, SMS)) == 1
    book.people(book.conn, [2], SMS)
    other = {"fr": Content("fr", "Eau", "Vendredi.")}
    assert people(writing(book, SMS, contents=other)) == 1
    assert people(writing(book, SMS, themes=("cantine",))) == 0
    assert people(writing(book, SMS, urgency=Urgency.URGENT)) == 2
    clock.seconds = 3.0
    assert people(writing(book, SMS)) == 2
    for minute in range(100):
        later = book.now + timedelta(minutes=minute)
        people(writing(book, SMS, publish_at=later))
    assert len(recall._found) <= 100
