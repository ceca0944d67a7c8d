# SPDX-License-Identifier: EUPL-1.2
"""What a town's settings equip it with: channels, stand-ins, keys and the press.

Apart from `hub.app`, which opens all of it: a verb of the command line needs no server to print.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from channels.base import ChannelName
from hub.flow.site import Press, Site
from hub.settings import Settings
from subscribers.proofs import Proofs
from templates.catalogue import Catalogue
from templates.fit import LIMITS
from templates.render import Composer


class UnusableError(Exception):
    """The settings are understood, but the hub cannot start with them; one sentence."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the one secret of `hub init` is turned into, a key for each purpose."""

    slips: bytes
    stops: bytes
    seal: bytes
    suppression: bytes
    proofs: bytes
    references: bytes

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """Raises `UnusableError` where there is no secret of 32 bytes."""
        given = settings.hub.secret
        try:
            secret = base64.b64decode(given.get_secret_value(), validate=True) if given else b""
        except ValueError:
            secret = b""
        if len(secret) < 32:
            raise UnusableError(
                "hub.secret must be 32 random bytes in base64; `hub init` makes it."
            )

        def key(purpose: bytes) -> bytes:
            return hmac.digest(secret, purpose, "sha256")

        return cls(
            slips=key(b"slips"),
            stops=key(b"stops"),
            seal=key(b"seal"),
            suppression=key(b"suppression"),
            proofs=key(b"proofs"),
            references=key(b"references"),
        )


def configured(settings: Settings) -> Mapping[ChannelName, Any]:
    """The channels that have a section, with it."""
    sections = {name: getattr(settings.channels, name.value) for name in ChannelName}
    return {name: section for name, section in sections.items() if section is not None}


def make_press(settings: Settings, proofs: Proofs | None = None) -> Press:
    """The words of this town, under its address, within what its channels take; with `proofs`
    also what it writes to one person."""
    words = Catalogue(settings.words.overlay, settings.hub.language)
    sms = settings.channels.sms
    limit = LIMITS[ChannelName.SMS]
    limits = {} if sms is None else {ChannelName.SMS: replace(limit, max_parts=sms.max_parts)}
    return Press(
        Composer(words, limits),
        Site(settings.hub.public_url),
        economical=settings.words.sms_transliteration == "always",
        offers_spelling=settings.words.sms_transliteration == "propose",
        one_way=sms is not None and sms.one_way,
        proofs=proofs,
    )


def stood_in(settings: Settings) -> Sequence[ChannelName]:
    """The channels that stand-ins carry; none where there is no sandbox."""
    chosen = settings.sandbox.channels if settings.sandbox.enabled else ()
    return [name for name in ChannelName if name in chosen]


def real(settings: Settings) -> Sequence[ChannelName]:
    """The channels that reach citizens: configured, and not stood in for."""
    fake = stood_in(settings)
    return [
        name
        for name in ChannelName
        if name not in fake and getattr(settings.channels, name.value) is not None
    ]
