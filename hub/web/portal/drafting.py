# SPDX-License-Identifier: EUPL-1.2
"""The draft of whoever is subscribing in this browser: found by a cookie, kept by the ledger."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import Counter
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.web import cookies
from hub.web.desk import desk
from subscribers import drafts
from subscribers.drafts import COOKIE, LIFETIME, PERSON

log = structlog.get_logger(__name__)

MACHINES: Final = Counter(
    "hub_sign_ups_turned_away", "Sign-ups that looked like a machine's.", registry=None
)
_MOST_FIELDS: Final = 1_000
TRAP: Final = "remarque"
"""A field nobody sees: what fills it is no person. No browser has a word ready for it."""
STAMP: Final = "stamp"
"""When the form was shown, signed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A code or a link that was asked for: the challenge's number, at which normalised address,
    from when another may be asked for."""

    number: int
    address: str = field(repr=False)
    again: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """What was answered so far.

    `fields` as the forms sent them; once handed in, `person` is who was written down (None of a
    machine), `proofs` what was asked of them, and `device` says that notifications on this device
    were chosen; `follows` that the town's account on X was.
    """

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    person: int | None = None
    proofs: Mapping[ChannelName, Proof] = field(default_factory=dict)
    handed_in: bool = False
    device: bool = False
    follows: bool = False

    def document(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        proofs = {
            str(name): [proof.number, proof.address, proof.again.isoformat()]
            for name, proof in self.proofs.items()
        }
        return {
            "fields": dict(self.fields),
            PERSON: self.person,
            "proofs": proofs,
            "handed_in": self.handed_in,
            "device": self.device,
            "follows": self.follows,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Draft":
        """As it was kept."""
        proofs = {
            ChannelName(name): Proof(number, address, datetime.fromisoformat(again))
            for name, (number, address, again) in document["proofs"].items()
        }
        return cls(
            fields=document["fields"],
            person=document[PERSON],
            proofs=proofs,
            handed_in=document["handed_in"],
            device=document["device"],
            follows=document["follows"],
        )

    def with_fields(self, given: Mapping[str, str]) -> "Draft":
        """The same with these fields in the place of those before: the latest, where they are more
        than a page has."""
        return replace(self, fields=dict(list(given.items())[-_MOST_FIELDS:]))


async def draft_of(request: web.Request) -> Draft | None:
    """The draft of this browser; None where it has none, or it is over."""
    hub, token = desk(request), cookies.read(request, COOKIE)
    if token is None:
        return None
    now = hub.clock.now()
    found = await hub.ledger.read(lambda conn: drafts.find(conn, hub.authority, token, now))
    return None if found is None else Draft.of(found)


async def keep(request: web.Request, response: web.StreamResponse, draft: Draft) -> None:
    """Keep it for half an hour from now. Raises `LedgerFullError`."""
    hub, token, now = desk(request), cookies.read(request, COOKIE), desk(request).clock.now()

    def write(conn: Connection) -> str:
        return drafts.keep(conn, hub.authority, token, draft.document(), now)

    kept = await hub.ledger.transact(write, hurry=True)
    cookies.keep(request, response, COOKIE, kept, int(LIFETIME.total_seconds()))


async def forget(request: web.Request, response: web.StreamResponse) -> None:
    """Forget the draft of this browser, if it has one. Raises `LedgerFullError`."""
    hub, token = desk(request), cookies.read(request, COOKIE)
    if token is not None:
        await hub.ledger.transact(lambda conn: drafts.close(conn, hub.authority, token), hurry=True)
        cookies.drop(request, response, COOKIE)


def finished(draft: Draft) -> Draft:
    """The same without anything that was typed: others may come to this browser."""
    proofs = {name: replace(proof, address="") for name, proof in draft.proofs.items()}
    return replace(draft, fields={}, proofs=proofs)


# --------------------------------------------------------------------------- machines


def stamp(request: web.Request) -> str:
    """For the hidden field `STAMP` of a form: when it was shown, so that none is filled faster
    than a hand can (DOMAIN.md section 5)."""
    shown = desk(request).clock.now().isoformat(timespec="milliseconds")
    return f"{shown}|{_sign(request, shown)}"


def is_machine(request: web.Request, form: Mapping[str, str]) -> bool:
    """Whether a form was filled as no person does: in no time, or where nobody sees."""
    hub = desk(request)
    shown, _, signature = form.get(STAMP, "").partition("|")
    genuine = hmac.compare_digest(
        signature.encode("utf-8", "replace"), _sign(request, shown).encode()
    )
    if form.get(TRAP) or not genuine:
        return True
    seconds = (hub.clock.now() - datetime.fromisoformat(shown)).total_seconds()
    return 0 <= seconds < hub.settings.sign_ups.fill_seconds  # before: the clock was set back


def count_machine() -> None:
    """One more was turned away: its answer looks as everybody's, so this is how it is known."""
    MACHINES.inc()
    log.info("sign_up.machine")


def _sign(request: web.Request, shown: str) -> str:
    key = desk(request).asking.key
    return hmac.digest(key, f"form:{shown}".encode("utf-8", "replace"), "sha256").hex()[:32]
