# SPDX-License-Identifier: EUPL-1.2
"""A channel closed by hand, a ledger on hold, a channel that is configured no more."""

from dataclasses import replace

import pytest

from channels.base import Accepted, ChannelName, Reason, Urgency
from hub.flow.accept.problems import ForbiddenError
from hub.flow.redrive import Redriven, redrive
from hub.flow.send import switches
from hub.ledger import audit, hold

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL


def turn(verb, hub, clerk, *channels):
    now = hub.clock.now()
    return hub.write(lambda conn: verb(conn, channels, clerk, now))


async def test_a_paused_channel_lets_nothing_leave_and_the_others_go_on(make_hub, clerk):
    hub = await make_hub(SMS, EMAIL)
    await hub.people(range(1, 4), SMS, EMAIL)
    assert await turn(switches.pause, hub, clerk, SMS) == (SMS,)
    hub.engine.changed()
    await hub.until(lambda: hub.engine.roads[SMS].switched_off)
    announcement = await hub.publish(urgency="urgent")
    await hub.until(lambda: len(hub[EMAIL].sent) == 3)
    await hub.idle()
    assert hub[SMS].sent == []
    assert hub.engine.roads[SMS].closed_for is Reason.CHANNEL_PAUSED
    assert await turn(switches.resume, hub, clerk, SMS) == (SMS,)
    hub.engine.changed()
    await hub.ends(announcement)
    assert len(hub[SMS].sent) == 3


async def test_pausing_takes_effect_within_what_already_left(make_hub, gate, clerk):
    hub = await make_hub(SMS, window=10, connections=2)
    await hub.people(range(1, 31), SMS)

    async def answer(sent):
        await gate.wait()
        return Accepted(f"sms-{sent.delivery}")

    hub[SMS].answer = answer
    await hub.publish()
    await hub.until(lambda: len(hub[SMS].sent) == 2)
    await turn(switches.pause, hub, clerk, SMS)
    hub.engine.changed()
    await hub.until(lambda: hub.engine.roads[SMS].switched_off)
    gate.set()
    await hub.becomes(accepted=2, ready=28)
    held = {(row.tries, row.crashes, row.maybe) for row in await hub.rows()}
    assert held == {(0, 0, False)}


async def test_a_pause_outlives_the_process_and_is_journaled_once(make_hub, clerk):
    hub = await make_hub(SMS)
    await hub.people([1], SMS)
    await turn(switches.pause, hub, clerk, SMS)
    assert await turn(switches.pause, hub, clerk, SMS) == ()
    await hub.stop()
    await hub.start()
    await hub.publish()
    await hub.idle()
    assert hub[SMS].sent == []
    (line,) = await hub.ledger.read(lambda conn: audit.of_object(conn, "channel:sms"))
    assert (line["verb"], line["actor"]) == ("pause", "clerk")
    (switch,) = (await hub.ledger.read(switches.paused)).values()
    assert (switch.channel, switch.by) == (SMS, "clerk")


@pytest.mark.parametrize(
    "limits",
    [{"may_publish": False}, {"themes": ("eau",)}, {"highest_urgency": Urgency.IMPORTANT}],
)
async def test_whoever_is_limited_turns_no_switch(make_hub, clerk, limits):
    hub = await make_hub(SMS, started=False)
    for verb in (switches.pause, switches.resume):
        with pytest.raises(ForbiddenError):
            await turn(verb, hub, replace(clerk, **limits), SMS)
    assert await hub.ledger.read(switches.paused) == {}


async def test_a_restore_holds_every_channel_until_it_is_released(make_hub):
    hub = await make_hub(SMS, EMAIL)
    await hub.people([1], SMS, EMAIL)
    now = hub.clock.now()
    await hub.write(lambda conn: hold.begin(conn, now, now))
    hub.engine.changed()
    await hub.until(lambda: hub.engine.roads[SMS].switched_off is Reason.ON_HOLD)
    announcement = await hub.publish()
    await hub.idle()
    assert hub[SMS].sent == hub[EMAIL].sent == []
    await hub.write(lambda conn: hold.end(conn, now, "clerk"))
    hub.engine.changed()
    await hub.ends(announcement)


async def test_what_waits_for_a_channel_that_is_gone_is_parked_and_leaves_when_it_is_back(
    make_hub, clerk
):
    hub = await make_hub(SMS, EMAIL, started=False)
    await hub.people([1, 2], SMS, EMAIL)
    announcement = await hub.publish()
    gone = hub.channels.pop(SMS)
    await hub.start()
    await hub.becomes(accepted=2, parked=2)
    assert ("parked", "channel_not_configured") in await hub.reasons()
    await hub.ends(announcement)
    await hub.stop()
    hub.channels[SMS] = gone
    await hub.start()
    now = hub.clock.now()
    assert await hub.write(lambda conn: redrive(conn, clerk, now)) == Redriven(2, 0)
    hub.engine.changed()
    await hub.ends(announcement)
    assert await hub.states() == {"accepted": 4}
