# SPDX-License-Identifier: EUPL-1.2
"""The way in: accepted once, kept, published by those who may, stopped by those who may."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.base import ChannelName, Reason
from hub.announcement import UnlawfulMoveError
from hub.flow.accept.intake import UnknownAnnouncementError
from hub.flow.accept.problems import ConflictError, ForbiddenError, RefusedError
from hub.flow.accept.submission import parse
from hub.flow.send.texts import UnprintableError
from hub.ledger import audit

SMS, EMAIL, X = ChannelName.SMS, ChannelName.EMAIL, ChannelName.X
ASKED = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["eau"]}


@pytest.fixture
async def hub(make_hub):
    """Three people, nothing running."""
    made = await make_hub(SMS, started=False)
    await made.people([1, 2, 3], SMS)
    return made


async def test_a_key_used_twice_is_one_announcement(hub, clerk):
    first = await hub.intake.accept(parse(ASKED), clerk, key="k")
    again = await hub.intake.accept(parse(ASKED), clerk, key="k")
    assert (first.repeated, again.repeated) == (False, True)
    assert first.announcement.code == again.announcement.code


async def test_a_key_used_for_something_else_is_refused(hub, clerk):
    await hub.intake.accept(parse(ASKED), clerk, key="k")
    with pytest.raises(ConflictError):
        await hub.intake.accept(parse(ASKED | {"title": "Autre"}), clerk, key="k")


async def test_two_doors_that_post_one_event_at_once_make_one_announcement(hub, clerk):
    asked = [hub.intake.accept(parse(ASKED), clerk, key="k") for _ in range(5)]
    found = await asyncio.gather(*asked)
    assert len({each.announcement.id for each in found}) == 1
    assert [each.repeated for each in found].count(False) == 1


async def test_two_sources_may_use_the_same_key(hub, clerk):
    other = replace(clerk, source="api:9")
    codes = {
        (await hub.intake.accept(parse(ASKED), who, key="k")).announcement.code
        for who in (clerk, other)
    }
    assert len(codes) == 2


async def test_who_may_not_publish_submits_and_another_approves(hub, clerk):
    reporter = replace(clerk, may_publish=False, name="reporter")
    asked = await hub.publish(reporter)
    assert asked.state == "to_approve"
    with pytest.raises(ForbiddenError):
        await hub.intake.approve(asked.code, reporter)
    await hub.start()
    assert (await hub.intake.approve(asked.code, clerk)).state == "running"
    await hub.ends(asked)
    assert len(hub[SMS].sent) == 3
    journal = await hub.ledger.read(
        lambda conn: audit.of_object(conn, f"announcement:{asked.code}")
    )
    assert [(line["actor"], line["verb"]) for line in journal] == [
        ("reporter", "submit"),
        ("clerk", "approve"),
    ]


async def test_approved_too_late_is_refused(hub, clerk):
    until = (hub.clock.now() + timedelta(hours=1)).isoformat()
    asked = await hub.publish(replace(clerk, may_publish=False), expires=until)
    hub.clock.leap(3601)
    with pytest.raises(RefusedError):
        await hub.intake.approve(asked.code, clerk)


async def test_what_is_scheduled_leaves_when_its_time_comes(hub, clerk):
    at = (hub.clock.now() + timedelta(hours=2)).isoformat()
    announcement = await hub.publish(publish_at=at)
    assert announcement.state == "scheduled"
    await hub.start()
    await hub.idle(5)
    assert hub[SMS].sent == []
    hub.clock.leap(7201)
    await hub.ends(announcement)
    assert len(hub[SMS].sent) == 3


async def test_one_scheduled_announcement_that_breaks_holds_up_no_upkeep(hub, monkeypatch, logs):
    at = (hub.clock.now() + timedelta(hours=2)).isoformat()
    await hub.publish(publish_at=at)
    await hub.start()
    hub.clock.leap(7201)

    def broken(*more):
        raise LookupError

    monkeypatch.setattr("hub.flow.upkeep.publish", broken)
    await hub.ends(await hub.publish())
    assert "upkeep.bug" in {line["event"] for line in logs}


async def test_nobody_stops_what_is_anothers_or_does_not_exist(hub, clerk):
    asked = await hub.publish()
    for code, who in (("nobody", clerk), (asked.code, replace(clerk, authority=2))):
        with pytest.raises(UnknownAnnouncementError):
            await hub.intake.cancel(code, who)
    with pytest.raises(UnlawfulMoveError):
        await hub.intake.resume(asked.code, clerk)


async def test_every_refused_field_is_named_at_once(hub, clerk):
    with pytest.raises(RefusedError) as refused:
        parse({"title": "", "themes": []})
    assert {problem.pointer for problem in refused.value.problems} == {"/title", "/body", "/themes"}


async def test_a_text_that_prints_no_more_costs_no_message_and_ends_before_a_human(
    hub, monkeypatch
):
    announcement = await hub.publish()

    def unprintable(self, language):
        raise UnprintableError(language)

    monkeypatch.setattr("hub.flow.send.texts.Texts._prepare", unprintable)
    await hub.start()
    for _ in range(60):
        await hub.idle(2)
        hub.clock.leap(400)
        if (await hub.announcement(announcement)).state == "finished":
            break
    assert await hub.reasons() == {("parked", Reason.INTERNAL): 3}
    assert hub[SMS].sent == []
