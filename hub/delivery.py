# SPDX-License-Identifier: EUPL-1.2
"""The states of a delivery and the moves between them (ENGINE.md section 3). Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """Where one message to one contact point stands."""

    READY = "ready"
    RESERVED = "reserved"
    DOUBT = "doubt"
    DIGEST = "digest"
    PARKED = "parked"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


S = DeliveryState

FINAL: Final = frozenset({S.ACCEPTED, S.DELIVERED, S.FAILED, S.SKIPPED, S.EXPIRED, S.CANCELLED})
"""One of these, once, is every delivery's end; `parked` waits for a human and is told apart."""

PENDING: Final = frozenset({S.READY, S.RESERVED, S.DOUBT})
"""The engine still has work to do."""

REACHED: Final = frozenset({S.ACCEPTED, S.DELIVERED})

_ENDS: Final = frozenset({S.FAILED, S.SKIPPED, S.EXPIRED, S.CANCELLED})

LAWFUL: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    S.READY: frozenset({S.RESERVED, S.PARKED, S.CANCELLED, S.EXPIRED}) | REACHED,
    S.RESERVED: frozenset({S.READY, S.DOUBT, S.PARKED, S.DIGEST}) | REACHED | _ENDS,
    S.DOUBT: frozenset({S.READY, S.PARKED}) | REACHED | _ENDS,
    S.DIGEST: frozenset({S.PARKED, S.CANCELLED, S.EXPIRED, S.SKIPPED, S.FAILED}) | REACHED,
    S.PARKED: frozenset({S.READY, S.DOUBT, S.DIGEST, S.DELIVERED, S.ACCEPTED, S.FAILED}),
    S.ACCEPTED: frozenset({S.DELIVERED, S.FAILED, S.DOUBT, S.DIGEST}),
    S.FAILED: frozenset({S.READY, S.DIGEST, S.DELIVERED, S.ACCEPTED}),
    S.CANCELLED: frozenset({S.DELIVERED, S.ACCEPTED}),
    S.EXPIRED: frozenset({S.DELIVERED, S.ACCEPTED}),
    S.SKIPPED: frozenset({S.READY, S.DELIVERED, S.ACCEPTED}),  # see hub.ledger.twins
    S.DELIVERED: frozenset(),
}
"""From -> to. Late evidence that a copy left lifts a negative end; nothing lowers a good one, but
that a look-up took another row's copy for this one's."""


def lawful(old: DeliveryState, new: DeliveryState) -> bool:
    """Whether a row may go from `old` to `new`."""
    return new in LAWFUL[old]
