# SPDX-License-Identifier: EUPL-1.2
"""What an operator may do from any door: send parked messages again, close and open channels."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.accept.intake import in_charge_of, visible
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ForbiddenError, Problem
from hub.flow.keep import restoring
from hub.flow.redrive import Choice, Redriven, redrive
from hub.flow.send import switches
from hub.flow.send.switches import Switch
from hub.ledger import hold
from hub.ledger.store import Ledger

_ALL_OF_THEM = Problem(
    "",
    "may_not_operate",
    "Cette clé ne peut pas décider de toutes les annonces : nommez-en une.",
    "This key may not decide about every announcement: name one.",
)


@dataclass(frozen=True, slots=True)
class Operating:
    """`changed` wakes the flow after each commit."""

    ledger: Ledger
    clock: Clock
    changed: Callable[[], None]

    async def redrive(self, choice: Choice, principal: Principal) -> Redriven:
        """Send again, or give up, what the choice says.

        Raises `UnknownAnnouncementError`, and `ForbiddenError` where this principal may not publish
        what it would send.
        """

        def write(conn: Connection) -> Redriven:
            if choice.code is not None:
                in_charge_of(conn, choice.code, principal)
            elif not principal.may_operate:
                raise ForbiddenError([_ALL_OF_THEM])
            return redrive(conn, principal, self.clock.now(), choice)

        moved = await self.ledger.transact(write, hurry=True)
        self.changed()
        return moved

    async def sees(self, codes: Collection[str], principal: Principal) -> frozenset[str]:
        """Which of these announcements are this principal's to look at."""

        def read(conn: Connection) -> frozenset[str]:
            return frozenset(c for c in set(codes) if visible(conn, c, principal) is not None)

        return await self.ledger.read(read)

    async def pause(
        self, channels: Collection[ChannelName], principal: Principal
    ) -> tuple[ChannelName, ...]:
        """See `hub.flow.send.switches.pause`."""
        return await self._turn(switches.pause, channels, principal)

    async def resume(
        self, channels: Collection[ChannelName], principal: Principal
    ) -> tuple[ChannelName, ...]:
        """See `hub.flow.send.switches.resume`."""
        return await self._turn(switches.resume, channels, principal)

    async def release(self, principal: Principal, *, send_again: bool) -> int | None:
        """Let a restored hub send again: what had been accepted before the restore is set aside
        first. How many of it go on their way with `send_again`; None where nothing is on hold.

        Raises `ForbiddenError` where this principal may not decide for everybody.
        """
        if not principal.may_operate:
            raise ForbiddenError([_ALL_OF_THEM])
        held = await self.ledger.read(hold.current)
        if held is None:
            return None
        # a page a transaction: what is accepted meanwhile does not wait for all of them
        while await self.ledger.transact(
            lambda conn: restoring.park_page(conn, held, self.clock.now())
        ):
            pass
        again = await self.ledger.transact(
            lambda conn: restoring.release(
                conn, principal, self.clock.now(), send_again=send_again
            ),
            hurry=True,
        )
        self.changed()
        return again

    async def paused(self) -> Mapping[ChannelName, Switch]:
        """The channels that were paused."""
        return await self.ledger.read(switches.paused)

    async def _turn(
        self,
        turn: Callable[..., tuple[ChannelName, ...]],
        channels: Collection[ChannelName],
        principal: Principal,
    ) -> tuple[ChannelName, ...]:
        now = self.clock.now()
        turned = await self.ledger.transact(
            lambda conn: turn(conn, channels, principal, now), hurry=True
        )
        self.changed()
        return turned
