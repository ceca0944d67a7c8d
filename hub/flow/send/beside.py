# SPDX-License-Identifier: EUPL-1.2
"""Carries a message that is nobody's delivery by a road of the engine's: a letter to an officer, a
trial. It is counted nowhere; the hold, a pause, the provider's trouble and the drain stop it too.
"""

from channels.base import ChannelDown, Clock, Outcome, Recipient, Rendered, Retry, Withheld
from hub.flow.send.dispatch import Road
from hub.flow.send.slips import Slips


async def carry(
    road: Road, what: str, text: Rendered, to: Recipient, *, slips: Slips, clock: Clock
) -> Outcome | None:
    """One try; None where nothing may leave by this road now. `what` names the message.

    It stands in no queue behind a newsletter: it spends of the road's pace without waiting for it.
    Raises what the channel's `prepare` raises.
    """
    prepared = road.channel.prepare(text)
    if not road.open or not road.providers.takes(clock.monotonic()):
        return None
    passage = road.providers.admit(clock.monotonic())

    def gate() -> None:
        if not road.open or passage.closed is not None:
            raise Withheld

    slip = slips.beside(road.name, what, gate, passage.provider.name)
    try:
        outcome = await road.channel.send(prepared, to, slip)
    except Withheld:
        road.providers.stayed(passage)
        return None
    except ChannelDown as down:
        road.give_back_if(road.providers.down(passage, down, clock.monotonic()))
        return Retry(down.reason, after=down.after, code=down.code)
    except BaseException:
        road.providers.stayed(passage)
        raise
    road.give_back_if(road.providers.learn(passage, outcome, clock.monotonic()))
    return outcome
