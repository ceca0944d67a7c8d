# SPDX-License-Identifier: EUPL-1.2
"""Why a text cannot leave on a channel, as values; `phrases` says them to people."""

from dataclasses import dataclass
from enum import StrEnum

from channels.base import ChannelName


class Unit(StrEnum):
    """What a limit counts."""

    SEGMENTS = "segments"
    WEIGHTED = "weighted"
    WORD = "word"  # one word alone is too long for a post; weighted too
    POSTS = "posts"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class TooLong:
    """`size` units where `limit` fit. `remove` is what must go: characters of an SMS, weighted
    characters of a post, bytes of a notification. Nothing is ever cut to make it fit."""

    channel: ChannelName
    unit: Unit
    size: int
    limit: int
    remove: int


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to say: `field` (``title`` or ``body``) comes to no text on this channel."""

    channel: ChannelName
    field: str


@dataclass(frozen=True, slots=True)
class Unwritable:
    """`field` holds what no message may carry, at `position` (from 0).

    `what` is a code point such as ``U+0007``, ``mark`` for the personal stop link's place, or
    ``scheme`` for a link that is not to the web.
    """

    field: str
    what: str
    position: int


Refusal = TooLong | Empty | Unwritable
