# SPDX-License-Identifier: EUPL-1.2
"""A theme or a place put away while announcements under it are to come, leave, or go on."""

from datetime import timedelta

import pytest
from office_town import appoint, publishing

from channels.base import ChannelName
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import RefusedError
from hub.flow.accept.repeating import stop
from hub.flow.office import town
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_edit import Kind
from templates.content import Kind as AnnouncementKind

SMS = ChannelName.SMS

CLERK = Principal("cli", "clerk", 1, may_publish=True)


@pytest.fixture
async def hub(make_hub):
    made = await make_hub(SMS)
    await made.people(range(1, 4), SMS)
    return made


async def put_away(hub, key, into=None, kind=Kind.THEME):
    """By somebody who administers."""
    admin = await appoint(hub, "Petit", {Role.ADMIN: None})

    def write(conn):
        known = load_catalogue(conn, 1)
        away, there = kind.named(known, key), kind.named(known, into or "")
        town.put_away(conn, admin, kind, away, into=there, now=hub.clock.now())

    await hub.write(write)


async def test_whoever_was_alerted_is_told_that_it_is_over_although_the_theme_was_put_away(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    first = await hub.publish(urgency="urgent")
    await hub.ends(first)
    await put_away(hub, "eau")
    about = await hub.announcement(first)
    begun = await hub.write(
        lambda conn: compositions.follow(
            conn, morel, about, AnnouncementKind.ALL_CLEAR, hub.clock.now()
        )
    )
    asked = await publishing(hub).submit(begun.code, morel)
    await hub.ends(await publishing(hub).approve(asked.code, diallo))
    assert len(hub[SMS].sent) == 6


async def awaited(hub, key="eau"):
    """Whether some announcement is still to be told to whoever chose a theme."""

    def read(conn):
        known = load_catalogue(conn, 1)
        node = Kind.THEME.named(known, key)
        return town.is_awaited(conn, known, Kind.THEME, node, hub.clock.now())

    return await hub.ledger.read(read)


async def test_what_is_to_come_would_miss_whoever_was_moved(hub):
    """Why such a move is refused."""
    later = (hub.clock.now() + timedelta(hours=1)).isoformat()
    planned = await hub.publish(publish_at=later)
    assert (await awaited(hub), await awaited(hub, "cantine")) == (True, False)
    await put_away(hub, "eau", "cantine")
    hub.clock.leap(3601)
    await hub.ends(planned)
    assert not hub[SMS].sent


@pytest.mark.parametrize("ends", [False, True])
async def test_until_an_alert_is_over_its_people_are_awaited(hub, ends):
    first = await hub.publish(urgency="urgent")
    await hub.ends(first)
    assert await awaited(hub)
    kind = "all_clear" if ends else "update"
    await hub.ends(await hub.publish(urgency="urgent", kind=kind, about=first.code))
    assert await awaited(hub) is not ends


async def test_news_that_was_told_awaits_nobody_but_what_comes_again_does(hub):
    await hub.ends(await hub.publish())
    assert not await awaited(hub)
    weekly = {"every": "week", "at": "11:01"}
    again = await hub.publish(repeat=weekly)
    hub.clock.leap(120)
    await hub.ends(again)
    assert await awaited(hub)
    now = hub.clock.now()
    await hub.write(lambda conn: stop(conn, again.code, CLERK, now))
    assert not await awaited(hub)


async def test_nothing_new_is_written_under_what_was_put_away(hub):
    await put_away(hub, "eau")
    with pytest.raises(RefusedError):
        await hub.publish()
