# SPDX-License-Identifier: EUPL-1.2
"""The one place where somebody asks for a code or a link, and where they give it back.

Each costs the town and may pester a stranger, so all limits are here (DOMAIN.md section 5). They
are counted in the ledger, in the one transaction that writes: they hold for parallel requests and
across restarts. Whether an address is known changes neither what is counted nor the answer.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.citizens.notes import post
from hub.ledger.store import Ledger
from subscribers import challenges
from subscribers.challenges import MOST_TRIES, Asker, Challenge, Purpose
from subscribers.proofs import Proofs, challenge_of
from subscribers.suppression import address_hash, is_suppressed
from subscribers.suspension import is_unwelcome
from templates.content import NoteKind

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_LONGER: Final = (1, 2, 5)
"""How many pauses must pass before the second, the third and every later code of a day."""
_PREFIX: Final = 4  # last digits of a number: ten thousand of them are often one owner's

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class AskLimits:
    """What `[sign_ups]` of hub.toml says; `pause` in seconds."""

    pause: int
    contact_per_day: int
    origin_per_hour: int
    prefix_per_hour: int
    sms_per_day: int
    email_per_day: int


class Refusal(StrEnum):
    """Why no code is on its way."""

    TOO_SOON = "too_soon"  # the last one may still arrive
    TOO_MANY = "too_many"  # for this address, from here, or to numbers like this one
    BUDGET = "budget"  # the town's own limit for a day


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking. Refused: `until` is when it may be asked again. Else `until` is when a
    further one may be, and `challenge` is what the answer is given to."""

    refusal: Refusal | None
    until: datetime
    challenge: Challenge | None = None


class Verdict(StrEnum):
    """What an answer was."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"  # no guess is left
    EXPIRED = "expired"
    USED = "used"  # by an earlier answer, or a newer code took its place
    UNKNOWN = "unknown"  # no code or link of ours


@dataclass(frozen=True, slots=True)
class Answered:
    """`left` are the guesses that remain; `challenge` is there for all but UNKNOWN."""

    verdict: Verdict
    challenge: Challenge | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks for proofs and looks at the answers. `key` is the one that hashes addresses, `changed`
    wakes the engine."""

    ledger: Ledger
    clock: Clock
    changed: Callable[[], None]
    proofs: Proofs
    key: bytes
    limits: AskLimits

    async def transact(self, work: Callable[[Connection], Done]) -> Done:
        """Do `work`, which may `ask`, in one transaction, and send what it asked for.

        Raises `hub.ledger.database.LedgerFullError`."""
        done = await self.ledger.transact(work, hurry=True)
        self.changed()
        return done

    def asker(self, channel: ChannelName, address: str, origin: str) -> Asker:
        """Who asks: about a normalised address, from a block of addresses (see `hub.web.limiter`).
        Only keyed hashes of either are kept."""
        return Asker(
            contact_hash=address_hash(self.key, channel, address),
            origin=hmac.digest(self.key, f"origin:{origin}".encode(), "sha256").hex(),
            prefix=address[:-_PREFIX] if channel is ChannelName.SMS else "",
        )

    # ------------------------------------------------------------------ asking

    def ask(  # noqa: PLR0917 (what is asked, of whom, by whom)
        self,
        conn: Connection,
        authority: int,
        purpose: Purpose,
        kind: NoteKind,
        channel: ChannelName,
        asker: Asker,
        *,
        person: int | None = None,
        contact_point: int | None = None,
    ) -> Asked:
        """Write a challenge and put its message on its way, within the limits.

        Without `person` (nobody is known by this address) nothing leaves, and everything else is
        the same. So it is for an address on the do-not-contact list, or one whose holder
        complained. A newer code ends the one before it.
        """
        now = self.clock.now()
        refused = self._refused(conn, channel, asker, now)
        if refused is not None:
            return refused
        welcome = contact_point is not None and not (
            is_suppressed(conn, channel, asker.contact_hash, now)
            or is_unwelcome(conn, contact_point)
        )
        if contact_point is not None:
            challenges.end_others(conn, contact_point, purpose, now)
        written = challenges.write(
            *(conn, authority, purpose, channel, asker, now),
            subscriber=person,
            contact_point=contact_point,
            sent=welcome,
        )
        if welcome:
            post(conn, kind, written, now)
        again = self._pause_after(conn, asker, now)
        return Asked(None, now + again, written)

    def _refused(
        self, conn: Connection, channel: ChannelName, asker: Asker, now: datetime
    ) -> Asked | None:
        limits, day, hour = self.limits, now - _DAY, now - _HOUR
        contact = challenges.asked_since(conn, day, contact_hash=asker.contact_hash)
        if contact.times >= limits.contact_per_day:
            return Asked(Refusal.TOO_MANY, contact.first_of(now) + _DAY)
        if contact.last is not None:
            free = contact.last + self._pause_after(conn, asker, now)
            if free > now:
                return Asked(Refusal.TOO_SOON, free)
        origin = challenges.asked_since(conn, hour, origin=asker.origin)
        if origin.times >= limits.origin_per_hour:
            return Asked(Refusal.TOO_MANY, origin.first_of(now) + _HOUR)
        if asker.prefix:
            prefix = challenges.asked_since(conn, hour, prefix=asker.prefix)
            if prefix.times >= limits.prefix_per_hour:
                return Asked(Refusal.TOO_MANY, prefix.first_of(now) + _HOUR)
        return self._over_budget(conn, channel, now)

    def _over_budget(self, conn: Connection, channel: ChannelName, now: datetime) -> Asked | None:
        budgets = {
            ChannelName.SMS: self.limits.sms_per_day,
            ChannelName.EMAIL: self.limits.email_per_day,
        }
        if channel not in budgets:
            return None
        spent = challenges.asked_since(conn, now - _DAY, channel=channel, sent_only=True)
        if spent.times < budgets[channel]:
            return None
        return Asked(Refusal.BUDGET, spent.first_of(now) + _DAY)

    def _pause_after(self, conn: Connection, asker: Asker, now: datetime) -> timedelta:
        """How long after the latest code a next one may be asked for: longer each time."""
        times = challenges.asked_since(conn, now - _DAY, contact_hash=asker.contact_hash).times
        longer = _LONGER[min(max(times, 1), len(_LONGER)) - 1]
        return timedelta(seconds=self.limits.pause) * longer

    # ------------------------------------------------------------------ answering

    def answer_code(self, conn: Connection, number: int, given: str) -> Answered:
        """Look at a guess, counted before it is looked at. A right one is spent with it."""
        now = self.clock.now()
        tried = challenges.try_once(conn, number, now)
        if tried is None:
            return _why_not(challenges.load(conn, number), now)
        if not self.proofs.is_code(tried.id, tried.nonce, given):
            left = MOST_TRIES - tried.tries
            return Answered(Verdict.WRONG if left else Verdict.SPENT, tried, left)
        challenges.use(conn, tried.id, now)
        return Answered(Verdict.RIGHT, tried)

    def look(self, conn: Connection, token: str) -> Answered:
        """What a link is worth now, changing nothing: whoever fetches it, however often."""
        now, number = self.clock.now(), challenge_of(token)
        found = None if number is None else challenges.load(conn, number)
        if found is None or not self.proofs.is_link(found.id, found.nonce, token):
            return Answered(Verdict.UNKNOWN)
        if found.used_at is not None or found.expires <= now:
            return _why_not(found, now)
        return Answered(Verdict.RIGHT, found)

    def answer_link(self, conn: Connection, token: str) -> Answered:
        """Spend a link. Of two who do at once, one is told it is used."""
        looked = self.look(conn, token)
        if looked.verdict is not Verdict.RIGHT or looked.challenge is None:
            return looked
        if not challenges.use(conn, looked.challenge.id, self.clock.now()):
            return Answered(Verdict.USED, looked.challenge)
        return looked


def _why_not(found: Challenge | None, now: datetime) -> Answered:
    if found is None:
        return Answered(Verdict.UNKNOWN)
    if found.used_at is not None:
        return Answered(Verdict.USED, found)
    return Answered(Verdict.EXPIRED if found.expires <= now else Verdict.SPENT, found)
