# SPDX-License-Identifier: EUPL-1.2
"""Somebody proves an account on X: they send the town's account a code that their page shows.

X lets the town write only to who wrote first, so the same message is the proof and the permission
(DOMAIN.md 0.1). X's list is asked only while somebody's code is open.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from channels.base import ChannelDown, ChannelName, Inbound, Recipient
from hub.flow.citizens.asking import Asked, Asking, Verdict
from hub.flow.companion import Companion
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.database import LedgerFullError
from subscribers import challenges, consent, directory, subscriptions, suppression
from subscribers.catalogue import load_catalogue
from subscribers.challenges import Challenge, Purpose
from subscribers.consent_text import CONSENT_VERSION
from subscribers.directory import ContactPoint
from subscribers.preferences import Cadence
from templates.content import NoteKind

log = structlog.get_logger(__name__)

SOURCE: Final = "x"
"""How this consent was given, as the proof says it."""
X: Final = ChannelName.X
EVERY: Final = 90.0
"""Seconds between two looks at X's list: it may be asked 15 times in 15 minutes."""
_CODE: Final = re.compile(r"(?<!\d)(\d{1,15})\s?-\s?(\d{6})(?!\d)")
_REMEMBERED: Final = 10_000


class MessageReader(Protocol):
    """The road by which people write to the town's account."""

    async def written(self, since: datetime) -> Sequence[Inbound]:
        """What they wrote, oldest first. Raises `ChannelDown`."""
        ...


@dataclass(frozen=True, slots=True)
class Linking:
    """How far somebody's account on X is: `code` to send until `until`, where one is open."""

    linked: bool
    code: str = ""
    until: datetime | None = None


@dataclass(slots=True)
class XCodes(Companion):
    """Shows codes and matches what is written. `authority` is the town's number."""

    name = "x codes"
    asking: Asking
    wishes: Wishes
    authority: int
    reader: MessageReader
    every: float = EVERY
    _seen: "OrderedDict[str, None]" = field(default_factory=OrderedDict, init=False)

    async def work(self) -> None:
        while True:
            await self.asking.clock.sleep(self.every)
            try:
                await self.look()
            except (ChannelDown, LedgerFullError) as refused:  # X's trouble, or the disk's
                log.warning("x.codes", why=type(refused).__name__)
            except Exception:  # the next look is another one
                log.exception("x.codes.bug")

    async def look(self) -> int:
        """Match what was written with the codes that are open. Returns how many accounts were
        proved. Raises `ChannelDown`, `LedgerFullError`."""
        ledger, now = self.asking.ledger, self.asking.clock.now()
        since = await ledger.read(lambda conn: challenges.oldest_open(conn, X, now))
        if since is None:
            return 0
        proved = 0
        for said in await self.reader.written(since):
            found = None if said.id in self._seen else _CODE.search(said.body)
            self._remember(said.id)
            if found is not None:
                number, code = int(found[1]), found[2]
                proved += await self._match(said.sender, number, code)
        return proved

    def _remember(self, message: str) -> None:
        """A wrong guess is counted once, however long X lists it."""
        self._seen[message] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def _match(self, account: str, number: int, code: str) -> bool:
        def write(conn: Connection) -> int | None:
            asked = challenges.load(conn, number)
            if asked is None or not self._is_ours(asked):
                return None
            if self.asking.answer_code(conn, number, code).verdict is not Verdict.RIGHT:
                return None
            return self._link(conn, asked, account)

        person = await self.asking.transact(write)
        if person is None:
            return False
        # after the commit: whatever was read of them before it is then stale
        self.wishes.changed(person, self.asking.clock.monotonic())
        return True

    def _is_ours(self, asked: Challenge) -> bool:
        ours = (asked.authority, asked.channel, asked.purpose)
        return ours == (self.authority, X, Purpose.CONFIRM)

    def _link(self, conn: Connection, asked: Challenge, account: str) -> int | None:
        """The account is theirs: all they are told of comes there too."""
        person, now = asked.subscriber, self.asking.clock.now()
        if person is None:
            return None
        for former in _accounts(conn, person):
            if former.address != account:
                directory.remove_contact_point(conn, former.id)
        directory.verify(
            conn, directory.add_contact_point(conn, person, X, Recipient(account), now), now
        )
        suppression.lift(conn, X, suppression.address_hash(self.asking.key, X, account))
        themes = {theme for theme, _, _ in subscriptions.subscriptions_of(conn, person)}
        catalogue = load_catalogue(conn, self.authority)
        subscriptions.subscribe(conn, person, themes, X, cadence=Cadence.NOW, catalogue=catalogue)
        consent.record(
            conn,
            person,
            source=SOURCE,
            text_version=CONSENT_VERSION,
            given_at=asked.created,
            now=now,
        )
        whom, told = f"subscriber:{person}", {"channel": X.value}
        audit.record(conn, now, "citizen", "confirm", whom, authority=self.authority, detail=told)
        return person

    # ------------------------------------------------------------------ for their page

    async def ask(self, person: int, origin: str) -> Asked:
        """Open a code for somebody, within the limits. Raises `LedgerFullError`."""

        def write(conn: Connection) -> Asked:
            asker = self.asking.asker(X, f"person:{person}", origin)
            kind = NoteKind.CODE  # nothing is sent: they write to us
            return self.asking.ask(
                *(conn, self.authority, Purpose.CONFIRM, kind, X, asker), person=person
            )

        return await self.asking.transact(write)

    async def linking(self, person: int) -> Linking:
        """What somebody's page shows."""
        now = self.asking.clock.now()

        def read(conn: Connection) -> Linking:
            linked = bool(_accounts(conn, person))
            asked = challenges.latest_open(conn, person, X, now)
            if asked is None:
                return Linking(linked)
            code = self.asking.proofs.code(asked.id, asked.nonce)
            return Linking(linked, f"{asked.id}-{code}", asked.expires)

        return await self.asking.ledger.read(read)


def _accounts(conn: Connection, person: int) -> list[ContactPoint]:
    points = directory.contact_points(conn, person)
    return [point for point in points if point.channel is X and point.verified_at is not None]
