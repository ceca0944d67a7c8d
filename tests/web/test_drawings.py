# SPDX-License-Identifier: EUPL-1.2
"""An announcement's curve says what was received where receipts come, else what left."""

from datetime import timedelta

from channels.base import ChannelName
from hub.reports.curve import EMPTY, Curve
from hub.web.console.following.drawings import delivery_curve
from templates.pages.charts import Steps

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
AFTER = (timedelta(seconds=10), timedelta(seconds=40), timedelta(seconds=161))


def test_each_channel_is_a_line_named_for_what_it_counts() -> None:
    found = Curve(AFTER, {SMS: (3, 4, 4), EMAIL: (1_000, 1_001, 1_002)}, {SMS: (0, 2, 4)})
    drawn = delivery_curve(found, "fr")
    assert [each.label for each in drawn.series] == ["SMS, reçus", "E-mail, remis"]
    assert [each.values for each in drawn.series] == [(0, 0, 2, 4), (0, 1_000, 1_001, 1_002)]
    assert drawn.labels[-1].replace("\u00a0", " ") == "2 min 41 s"
    assert drawn.series[1].words[1].replace("\u202f", " ") == "1 000"
    assert drawn.path(drawn.series[0]).startswith("M0 1000L333 1000L666 ")


def test_whoever_was_reached_a_day_later_does_not_flatten_the_first_minutes() -> None:
    minutes = tuple(timedelta(minutes=n) for n in (1, 2, 3))
    evenly = delivery_curve(Curve(minutes, {SMS: (1, 2, 3)}, {}), "fr")
    assert evenly.end.replace("\u00a0", " ") == "3 min"
    late = Curve((*minutes, timedelta(days=1)), {SMS: (1, 2, 3, 4)}, {})
    assert delivery_curve(late, "fr").end.replace("\u00a0", " ") == "3 min … 1 j"


def test_nothing_left_yet_is_an_empty_drawing() -> None:
    assert delivery_curve(EMPTY, "en") == Steps((), ())
    assert delivery_curve(EMPTY, "en").is_empty
