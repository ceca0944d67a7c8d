# SPDX-License-Identifier: EUPL-1.2
"""`hub parked`, `redrive`, `channel`, `drain`, `cancel`: each says what it did, and is noted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState as S

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
Rows = Callable[..., list[tuple[Any, ...]]]
Announced = Callable[..., str]
BECAME = {
    (SMS, 0): (S.ACCEPTED, None),
    (SMS, 1): (S.FAILED, Reason.PROVIDER_ERROR),
    (SMS, 2): (S.PARKED, Reason.OUTCOME_UNKNOWN),
    (EMAIL, 0): (S.PARKED, Reason.BUDGET),
}


@pytest.fixture
def code(announced: Announced, daemon: Any) -> str:
    """An announcement with one taken, one failed, two parked, others waiting."""
    published = announced()
    daemon(published, BECAME)
    return published


def journal(rows: Rows) -> list[tuple[Any, ...]]:
    return rows("SELECT verb, object FROM audit WHERE verb != 'publish' ORDER BY id")


def test_parked_shows_what_waits_for_a_human_and_why(hub: Any, code: str) -> None:
    out = hub("parked").out
    assert f"{code}  SMS" in out
    assert "outcome_unknown" in out
    assert "budget" in out
    found = json.loads(hub("parked", "--json").out)
    assert [(each["id"], each["channel"], each["reason"], each["count"]) for each in found] == [
        (code, "sms", "outcome_unknown", 1),
        (code, "email", "budget", 1),
    ]
    assert all(each["sentence"].endswith(".") for each in found)


def test_parked_names_each_message_for_whoever_decides_one_by_one(
    hub: Any, code: str, rows: Rows
) -> None:
    parked = rows("SELECT id FROM delivery WHERE state = 'parked' ORDER BY id")
    found = json.loads(hub("parked", "--ids", "--json").out)
    assert [(each["delivery"],) for each in found] == parked
    assert hub("parked", "--ids").out.startswith(f"{parked[0][0]}  {code}  ")


def test_with_nothing_parked_it_says_so(hub: Any, announced: Announced) -> None:
    announced()
    assert hub("parked").out == hub("parked", "--ids").out == "None is parked.\n"


@pytest.mark.parametrize(
    ("options", "moved"),
    [
        (("{code}",), {"outcome_unknown", "budget"}),
        (("--all",), {"outcome_unknown", "budget"}),
        (("--reason", "budget"), {"budget"}),
        (("--reason", "provider_error"), {"provider_error"}),
        (("{code}", "--failed"), {"outcome_unknown", "budget", "provider_error"}),
    ],
)
def test_redrive_takes_all_those_of_a_reason_or_what_failed_too(
    hub: Any, code: str, rows: Rows, options: tuple[str, ...], moved: set[str]
) -> None:
    of = "SELECT id FROM delivery WHERE reason = :r"
    wanted = sorted(row for reason in moved for row in rows(of, r=reason))
    told = json.loads(hub("redrive", *(o.format(code=code) for o in options), "--json").out)
    assert told["rows"] == len(moved)
    assert sorted(rows("SELECT id FROM delivery WHERE reason = 'redriven'")) == wanted
    assert journal(rows)[-1][0] == "redrive"


@pytest.mark.parametrize(
    "typed",
    [("redrive", "--delivery", "9" * 30), ("redrive", "\udcff"), ("repeat", "stop", "\udcff")],
)
def test_what_no_ledger_can_hold_is_refused_in_a_sentence(
    hub: Any, town: Path, typed: tuple[str, ...]
) -> None:
    ended = hub(*typed)
    assert ended.code
    assert "Traceback" not in ended.err
    assert ended.err.startswith(("hub: What was typed", "Usage:"))


def test_redrive_takes_one_alone(hub: Any, code: str, rows: Rows) -> None:
    [(number,)] = rows("SELECT id FROM delivery WHERE state = 'failed'")
    out = hub("redrive", "--delivery", str(number)).out
    assert out.startswith("1 parked or failed message on the way again")
    assert rows("SELECT id FROM delivery WHERE reason = 'redriven'") == [(number,)]
    assert rows("SELECT state FROM announcement") == [("running",)]


def test_what_failed_cannot_be_given_up_again(hub: Any, code: str) -> None:
    ended = hub("redrive", code, "--failed", "--abandon")
    assert (ended.code, ended.err) == (
        1,
        "hub: What failed has ended already: --abandon is for what is parked.\n",
    )


def test_a_channel_is_paused_and_resumed_and_the_journal_says_by_whom(hub: Any, rows: Rows) -> None:
    assert hub("channel", "pause", "sms").out == "sms is paused: nothing leaves there.\n"
    assert hub("channel", "pause", "sms").out == "sms was paused already.\n"
    told = {each["channel"]: each for each in json.loads(hub("channel", "status", "--json").out)}
    assert told["sms"]["paused_by"]
    assert told["email"]["paused_at"] is None
    assert "paused by" in hub("channel", "status").out
    assert hub("channel", "resume", "sms").out == "sms is open again.\n"
    assert hub("channel", "resume", "sms").out == "sms was not paused.\n"
    assert journal(rows)[-2:] == [("pause", "channel:sms"), ("resume", "channel:sms")]


def test_drain_pauses_all_and_one_verb_undoes_it(hub: Any, rows: Rows) -> None:
    hub("channel", "pause", "x")
    told = json.loads(hub("drain", "--json").out)
    assert told == {"paused": ["sms", "email", "webpush"]}
    assert len(rows("SELECT * FROM channel_switch")) == 4
    assert "open again" in hub("channel", "resume", "--all").out
    assert rows("SELECT * FROM channel_switch") == []


def test_a_channel_must_be_named_or_all_of_them(hub: Any, town: Any) -> None:
    for options in ((), ("sms", "--all")):
        ended = hub("channel", "pause", *options)
        assert (ended.code, ended.err) == (1, "hub: Name one channel, or give --all.\n")


def test_a_cancellation_says_what_had_already_left(hub: Any, code: str, rows: Rows) -> None:
    [(waiting,)] = rows("SELECT count(*) FROM delivery WHERE state IN ('ready', 'parked')")
    out = hub("cancel", code).out
    assert out == f"{code} is cancelled: 1 already left, {waiting} stopped.\n"


def test_what_x_has_cost_this_month_is_told_before_publishing(hub: Any, town: Path) -> None:
    keys = ["consumer_key", "consumer_secret", "access_token", "access_token_secret"]
    with (town / "hub.toml").open("a") as file:
        file.write("[channels.x]\nmonthly_posts = 100\nmonthly_budget = 20.0\n")
        file.writelines(f'{key} = "not a real one"\n' for key in keys)
    asked = ("--title", "Coupure", "--body", "Demain.", "--theme", "coupures", "--dry-run")
    told = "X this month: 0 of 100 posts, 0.00 of 20.0 USD."
    assert told in hub("announce", *asked).out.splitlines()
    month = json.loads(hub("announce", *asked, "--json").out)["month"]
    assert month["spent"] == {"posts": 0, "cost": 0}
