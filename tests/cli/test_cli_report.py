# SPDX-License-Identifier: EUPL-1.2
"""`hub report` accounts for every message; `hub redrive` leaves the decision to a human."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState as S

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
Rows = Callable[..., list[tuple[Any, ...]]]
Announced = Callable[..., str]
BECAME = {
    (SMS, 0): (S.DELIVERED, None),
    (SMS, 1): (S.FAILED, Reason.NO_SUCH_ADDRESS),
    (EMAIL, 1): (S.ACCEPTED, None),
    (EMAIL, 0): (S.PARKED, Reason.OUTCOME_UNKNOWN),
}


def test_every_message_planned_is_in_exactly_one_column(
    hub: Any, announced: Announced, daemon: Any
) -> None:
    code = announced()
    daemon(code, BECAME)
    found = json.loads(hub("report", code, "--json").out)
    for each in found["channels"]:
        columns = ("handed_over", "waiting", "parked", "failed", "not_sent")
        assert each["planned"] == sum(each[name] for name in columns)
        assert each["planned"] == sum(outcome["count"] for outcome in each["outcomes"])
    sms, email, push = found["channels"]
    assert (sms["planned"], sms["received"], sms["failed"], sms["not_sent"]) == (3, 1, 1, 1)
    assert (email["planned"], email["handed_over"], email["received"]) == (3, 1, 0)
    assert (email["parked"], email["waiting"]) == (1, 1)
    assert push["planned"] == 0
    assert (found["people"], found["people_reached"]) == (5, 2)


def test_a_report_says_why_in_the_language_asked_for(
    hub: Any, announced: Announced, daemon: Any
) -> None:
    code = announced()
    daemon(code, BECAME)
    english = hub("report", code, "--language", "en").out
    assert "6 planned = 2 handed over + 1 waiting + 1 parked + 1 failed + 1 not sent" in english
    assert "Not delivered." in english
    assert f"hub redrive {code} --abandon" in english
    french = hub("report", code).out
    assert "6 prévus = 2 remis + 1 en attente + 1 à décider + 1 échecs + 1 non envoyés" in french
    assert "2 personnes sur 5 jointes" in french
    assert "+336" not in french + english
    assert "example.org" not in french + english


def test_a_report_before_anything_left_says_so(hub: Any, announced: Announced) -> None:
    draft = hub("report", announced("--draft"), "--language", "en").out
    assert draft.endswith("Not published yet.\n")
    started = hub("report", announced(), "--language", "en").out
    assert "SMS: more is still being planned." in started
    assert "Running for " in started


def test_a_report_before_anybody_is_reached_counts_people_all_the_same(
    hub: Any, announced: Announced, daemon: Any
) -> None:
    code = announced()
    daemon(code, {})
    assert "None of 5 people reached yet." in hub("report", code, "--language", "en").out
    assert json.loads(hub("report", code, "--json").out)["median_seconds"] is None


def test_a_cancelled_announcement_has_an_end(hub: Any, announced: Announced) -> None:
    code = announced()
    hub("cancel", code)
    assert "Finished " in hub("report", code, "--language", "en").out


# --------------------------------------------------------------------------- redrive


def test_a_redriven_message_is_ready_again_and_its_reader_is_spared_no_truth(
    hub: Any, announced: Announced, daemon: Any, rows: Rows
) -> None:
    code = announced()
    daemon(code, BECAME)
    ended = hub("redrive", code)
    assert ended.out == ("1 parked message on the way again; 1 of them may already have left.\n")
    again = "SELECT state FROM delivery WHERE reason = 'redriven'"
    assert rows(again) == [("doubt",)]  # the provider is asked first, where it can be
    assert rows("SELECT verb FROM audit ORDER BY id DESC LIMIT 1") == [("redrive",)]


def test_an_abandoned_message_ends_as_failed(
    hub: Any, announced: Announced, daemon: Any, rows: Rows
) -> None:
    code = announced()
    daemon(code, BECAME)
    ended = hub("redrive", "--all", "--abandon")
    assert ended.out == "1 parked message given up; 1 of them may already have left.\n"
    assert rows("SELECT count(*) FROM delivery WHERE state = 'parked'") == [(0,)]
    assert rows("SELECT reason FROM delivery WHERE state = 'failed' ORDER BY id") == [
        ("no_such_address",),
        ("outcome_unknown",),
    ]


def test_with_nothing_parked_nothing_is_written(hub: Any, announced: Announced, rows: Rows) -> None:
    announced()
    before = rows("SELECT count(*) FROM audit")
    assert hub("redrive", "--all").out == "None is parked.\n"
    assert rows("SELECT count(*) FROM audit") == before


def test_redrive_wants_one_announcement_or_all_of_them(hub: Any, town: Path) -> None:
    for options in ((), ("7Kq2mX", "--all")):
        ended = hub("redrive", *options)
        assert (ended.code, ended.err) == (
            1,
            "hub: Name one announcement, a reason or a delivery, or give --all.\n",
        )
    assert "may have left already" in " ".join(hub("redrive", "--help").out.split())
