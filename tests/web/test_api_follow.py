# SPDX-License-Identifier: EUPL-1.2
"""After acceptance: live counts, deliveries by page, approval, cancellation, and who may look."""

from collections import Counter
from datetime import timedelta

import pytest

from channels.base import Urgency
from hub.ledger import tables
from hub.web.desk import DESK
from hub.web.references import Kind


async def test_the_counts_shown_are_the_ledgers(door, news):
    key = await door.key()
    code = (await door.post(key, news)).json["id"]
    shown = await door.settled(key, code)
    runs = {run.id: run.channel for run in await door.rows(tables.run)}
    rows = await door.rows(tables.delivery)
    assert rows
    for channel in shown["channels"]:
        mine = [row for row in rows if runs[row.run] == channel["channel"]]
        assert channel["planned"] == len(mine)
        assert channel["states"] == Counter(row.state for row in mine)
        assert {(r["state"], r["reason"]): r["count"] for r in channel["reasons"]} == Counter(
            (row.state, row.reason) for row in mine if row.reason
        )
    assert {channel["channel"] for channel in shown["channels"]} == {"sms", "email", "x", "webpush"}


async def test_the_counts_stand_still_nowhere(door, news):
    key = await door.key()
    code = (await door.post(key, news | {"themes": ["eau", "alertes"]})).json["id"]
    seen = [await door.with_key(key, "GET", code) for _ in range(5)]
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in seen)
    sums = [sum(c["planned"] for c in answer.json["channels"]) for answer in seen]
    assert sums == sorted(sums)


async def test_head_answers_as_get_without_the_body(door, news):
    key = await door.key()
    code = (await door.post(key, news)).json["id"]
    for path in (code, f"{code}/deliveries"):
        answer = await door.with_key(key, "HEAD", path)
        assert (answer.status, answer.raw) == (200, b"")
    assert (await door.with_key(key, "HEAD", "zzzzzz")).status == 404


# --------------------------------------------------------------------------- who may look


@pytest.mark.parametrize("verb", ["", "/deliveries", "/cancel", "/approve"])
async def test_what_a_key_may_not_see_looks_like_what_does_not_exist(door, news, verb):
    mine = await door.key("a")
    code = (await door.post(mine, news | {"themes": ["eau"]})).json["id"]
    method = "POST" if verb in ("/cancel", "/approve") else "GET"
    others = {
        "another authority": await door.key("b", authority="autreville"),
        "another theme": await door.key("c", themes=("culture",)),
    }
    unknown = await door.with_key(mine, method, "zzzzzz" + verb)
    assert unknown.status == 404
    for who, key in others.items():
        hidden = await door.with_key(key, method, code + verb)
        assert _told(hidden) == _told(unknown), who
    assert (await door.with_key(others["another theme"], "GET", code)).status == 404
    (row,) = await door.rows(tables.announcement)
    assert row.cancelled_at is None


def _told(answer):
    return answer.status, answer.kind, {k: v for k, v in answer.json.items() if k != "instance"}


async def test_one_theme_in_reach_is_enough_to_look_and_not_to_act(door, news):
    mayor = await door.key("maire")
    code = (
        await door.post(
            await door.key("agent", may_publish=False), news | {"themes": ["eau", "culture"]}
        )
    ).json["id"]
    library = await door.key("médiathèque", themes=("culture",))
    assert (await door.with_key(library, "GET", code)).status == 200
    for verb in ("approve", "cancel"):
        refused = await door.with_key(library, "POST", f"{code}/{verb}")
        assert refused.status == 403
        assert "may_not_publish" in refused.codes()
    assert (await door.with_key(mayor, "POST", f"{code}/approve")).status == 202


async def test_what_lies_above_a_keys_urgency_is_not_its_to_stop(door, news):
    alert = await door.post(await door.key("maire"), news | {"urgency": "urgent"})
    agent = await door.key("agent", highest_urgency=Urgency.IMPORTANT)
    refused = await door.with_key(agent, "POST", f"{alert.json['id']}/cancel")
    assert refused.status == 403
    assert (await door.with_key(agent, "GET", alert.json["id"])).json["cancelled_at"] is None


# --------------------------------------------------------------------------- approve and cancel


async def test_approval_publishes_and_says_who_approved(door, news):
    code = (await door.post(await door.key("agent", may_publish=False), news)).json["id"]
    mayor = await door.key("maire")
    answer = await door.with_key(mayor, "POST", f"{code}/approve")
    assert (answer.status, answer.json["state"]) == (202, "running")
    (row,) = await door.rows(tables.announcement)
    assert (row.author, row.approved_by) == ("agent", "maire")
    shown = await door.settled(mayor, code)
    assert sum(channel["planned"] for channel in shown["channels"]) > 0


async def test_a_key_that_may_not_publish_cannot_approve_or_cancel_even_its_own(door, news):
    agent = await door.key("agent", may_publish=False)
    code = (await door.post(agent, news)).json["id"]
    for verb in ("approve", "cancel"):
        assert (await door.with_key(agent, "POST", f"{code}/{verb}")).status == 403
    (row,) = await door.rows(tables.announcement)
    assert row.state == "to_approve"


async def test_approval_of_what_is_over_is_refused(door, news):
    soon = (door.clock.now() + timedelta(minutes=5)).isoformat()
    agent, mayor = await door.key("agent", may_publish=False), await door.key("maire")
    code = (await door.post(agent, news | {"expires": soon})).json["id"]
    door.clock.leap(timedelta(minutes=6))
    answer = await door.with_key(mayor, "POST", f"{code}/approve")
    assert answer.status == 422
    assert "expired" in answer.codes()
    assert await door.rows(tables.run) == []


async def test_approval_before_its_time_schedules_and_after_it_publishes(door, news):
    agent, mayor = await door.key("agent", may_publish=False), await door.key("maire")
    later = (door.clock.now() + timedelta(hours=1)).isoformat()
    first, second = [
        (await door.post(agent, news | {"publish_at": later})).json["id"] for _ in range(2)
    ]
    answer = await door.with_key(mayor, "POST", f"{first}/approve")
    assert answer.json["state"] == "scheduled"
    door.clock.leap(timedelta(hours=2))
    answer = await door.with_key(mayor, "POST", f"{second}/approve")
    assert answer.json["state"] == "running"


async def test_a_cancelled_announcement_sends_nothing_more(door, news):
    key = await door.key()
    later = (door.clock.now() + timedelta(hours=1)).isoformat()
    code = (await door.post(key, news | {"publish_at": later})).json["id"]
    answer = await door.with_key(key, "POST", f"{code}/cancel")
    assert (answer.status, answer.json["state"]) == (200, "cancelled")
    door.clock.leap(timedelta(hours=2))
    await door.hub.engine.round()
    assert await door.rows(tables.run) == []
    assert door.sandbox.effects.last == 0


@pytest.mark.parametrize("verb", ["approve", "cancel"])
async def test_a_state_that_does_not_allow_it_is_a_conflict(door, news, verb):
    key = await door.key()
    code = (await door.post(key, news)).json["id"]
    if verb == "cancel":
        await door.with_key(key, "POST", f"{code}/cancel")
    answer = await door.with_key(key, "POST", f"{code}/{verb}")
    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert "L'état" in answer.json["detail_fr"]


# --------------------------------------------------------------------------- deliveries


async def test_deliveries_come_by_page_each_once_and_without_an_address(door, news):
    key = await door.key()
    code = (await door.post(key, news | {"themes": ["alertes", "eau"]})).json["id"]
    shown = await door.settled(key, code)
    seen, after = [], ""
    while after is not None:
        page = (await door.with_key(key, "GET", f"{code}/deliveries?limit=7&after={after}")).json
        assert len(page["deliveries"]) <= 7
        seen += page["deliveries"]
        after = page["next"]
    read = door.app[DESK].references.number
    ids = [read(Kind.MESSAGE, row["id"]) for row in seen]
    assert ids == sorted(set(ids))
    assert len(ids) == sum(channel["planned"] for channel in shown["channels"])
    assert set(seen[0]) == {
        *("id", "channel", "state", "reason", "round", "tries", "maybe_sent", "due", "at"),
        "fallback_of",
    }
    text = str(seen)
    assert "@" not in text
    assert "+33" not in text


async def test_deliveries_of_chosen_states_only(door, news):
    key = await door.key()
    code = (await door.post(key, news)).json["id"]
    await door.settled(key, code)
    found = (await door.with_key(key, "GET", f"{code}/deliveries?state=digest,parked")).json
    assert {row["state"] for row in found["deliveries"]} == {"digest"}
    assert found["next"] is None
    every = (await door.with_key(key, "GET", f"{code}/deliveries")).json["deliveries"]
    assert len(every) > len(found["deliveries"])


async def test_another_announcements_deliveries_are_not_among_them(door, news):
    key = await door.key()
    by_sms = news | {"channels": ["sms"]}
    one, two = [(await door.post(key, by_sms)).json["id"] for _ in range(2)]
    pages = []
    for code in (one, two):
        await door.settled(key, code)
        page = (await door.with_key(key, "GET", f"{code}/deliveries")).json["deliveries"]
        pages.append({row["id"] for row in page})
    assert all(pages)
    assert not pages[0] & pages[1]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "bad_limit"),
        ("limit=501", "bad_limit"),
        ("limit=-1", "bad_limit"),
        ("limit=ten", "bad_limit"),
        ("limit=", "bad_limit"),
        ("limit=%D9%A3", "bad_limit"),
        ("after=-1", "bad_after"),
        ("after=99999999999999999999", "bad_after"),
        ("after=12345678I", "bad_after"),
        ("after=1234567I", "bad_after"),
        ("after=1.5", "bad_after"),
        ("state=lost", "unknown_state"),
        ("state=ready,%FF", "unknown_state"),
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(shared, query, code):
    answer = await shared.with_key(shared.all, "GET", f"{shared.published}/deliveries?{query}")
    assert (answer.status, answer.json["code"]) == (400, code)
