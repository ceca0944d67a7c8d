# SPDX-License-Identifier: EUPL-1.2
"""What the sandbox's pages stand on: whose phones are shown, and the levers behind them."""

import hashlib
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from aiohttp import web

from channels.base import ChannelName
from hub.clock import PlayedClock
from hub.sandbox.effects import Effects
from hub.sandbox.faults import Faults
from hub.web.bodies import read_form
from hub.web.portal.masking import masked
from hub.web.showing import see_other

Address = tuple[ChannelName, str]
TIMELINE: Final[Address] = (ChannelName.X, "public")
_STRANGERS: Final = 4
_LOOKED_THROUGH: Final = 500  # messages
SWITCHES: Final[Mapping[str, tuple[ChannelName, ...]]] = {
    "off": (ChannelName.SMS, ChannelName.WEBPUSH),
    "full": (ChannelName.EMAIL,),
}
"""What a person's own things can do: a phone that is off, a mailbox that is full."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whose phone is shown: `about` by language, `addresses` on each channel (of a push
    device, its name). `basic`: a phone that shows plain letters only. `slug` is what stands in
    its address where the name is not to."""

    name: str
    about: Mapping[str, str]
    addresses: frozenset[Address] = field(repr=False)
    basic: bool = False
    slug: str = ""

    @property
    def key(self) -> str:
        """The name as it stands in an address: "M. Petit, 81" is ``m-petit``."""
        if self.slug:
            return self.slug
        plain = unicodedata.normalize("NFKD", self.name.partition(",")[0])
        return re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower()).strip(
            "-"
        )

    def at(self, channel: ChannelName) -> list[str]:
        """Their addresses on a channel."""
        return sorted(address for name, address in self.addresses if name is channel)


@dataclass(frozen=True, slots=True)
class Phones:
    """The personas, and the record of what reached them. `inbound` takes their SMS to the town
    (from, to, body); None where the town cannot be answered."""

    effects: Effects
    personas: Sequence[Persona]
    inbound: Callable[[str, str, str], Awaitable[int | None]] | None = None


@dataclass(slots=True)
class Stage:
    """The levers. `clock` may be put forward, None where it may not; `alone`: no channel is real.

    `cleared` is the number of the last message that was put out of sight. `takes` remembers, by
    script, what was played of it; a restart forgets it, as it does what the phones show.
    """

    faults: Faults
    stand_ins: Sequence[ChannelName]
    clock: PlayedClock | None
    alone: bool
    cleared: int = 0
    takes: dict[str, "Take"] = field(default_factory=dict)


@dataclass(slots=True)
class Take:
    """One playing of a script: a name that no other has, and the codes published so far."""

    name: str
    drill: bool
    codes: list[str] = field(default_factory=list)


PHONES: web.AppKey[Phones] = web.AppKey("phones", Phones)
STAGE: web.AppKey[Stage] = web.AppKey("stage", Stage)


def phones_of(request: web.Request) -> Phones:
    """The phones of the application a request came to."""
    return request.config_dict[PHONES]


def stage_of(request: web.Request) -> Stage:
    """Its levers."""
    return request.config_dict[STAGE]


def personas_of(phones: Phones) -> Sequence[Persona]:
    """Whose phones are shown: the personas, or where a town has none whoever got a message last,
    by their masked address."""
    if phones.personas:
        return phones.personas
    latest = phones.effects.select(since=max(0, phones.effects.last - _LOOKED_THROUGH))
    found = dict.fromkeys((e.channel, e.to) for e in reversed(latest) if e.to != TIMELINE[1])
    return [_stranger(*address) for address in islice(found, _STRANGERS)]


def _stranger(channel: ChannelName, address: str) -> Persona:
    slug = f"n-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
    return Persona(masked(channel, address), {}, frozenset({(channel, address)}), slug=slug)


def persona_at(request: web.Request) -> Persona:
    """Who the address names. Raises 404."""
    key = request.match_info["persona"]
    found = [each for each in personas_of(phones_of(request)) if each.key == key]
    if not found:
        raise web.HTTPNotFound
    return found[0]


async def form_and_back(request: web.Request) -> tuple[Mapping[str, str], web.Response]:
    """The form's fields, and the way back to the page of this room it was sent from."""
    form = await read_form(request)
    back = form.get("back", "")
    ours = re.fullmatch(r"/sandbox(/[a-z0-9/-]*)?(\?vue=[a-z]+)?", back)
    return form, see_other(back if ours else "/sandbox")
