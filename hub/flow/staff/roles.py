# SPDX-License-Identifier: EUPL-1.2
"""What an officer may do, and under which themes (UX.md section 2). Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final


class Role(StrEnum):
    """A permission; they add up."""

    READ = "read"  # see announcements and their figures
    WRITE = "write"  # write them, and ask for approval
    APPROVE = "approve"  # publish what somebody else wrote; pause, stop
    CONTACTS = "contacts"  # see citizens' addresses, each look written down; enrol people
    ADMIN = "admin"  # themes, places, texts, team, keys
    OPERATE = "operate"  # channels, queue, parked messages, health


Themes = tuple[str, ...] | None
"""Keys of themes, each with all below it; None is every theme."""
Grants = Mapping[Role, Themes]

BY_THEME: Final = (Role.READ, Role.WRITE, Role.APPROVE)
"""The roles that may be limited to some themes; the others concern the whole town."""
EVERYTHING: Final[Grants] = dict.fromkeys(Role)


def reading(grants: Grants) -> Themes:
    """The themes whose announcements may be seen: who writes or approves reads too."""
    scopes = [grants[role] for role in BY_THEME if role in grants]
    return _union(scopes)


def _union(scopes: Iterable[Themes]) -> Themes:
    found: dict[str, None] = {}
    for scope in scopes:
        if scope is None:
            return None
        found |= dict.fromkeys(scope)
    return tuple(found)


def kept(grants: Grants) -> dict[str, list[str] | None]:
    """As the ledger keeps them."""
    return {
        role.value: None if themes is None or role not in BY_THEME else list(themes)
        for role, themes in grants.items()
    }


def read_grants(found: Mapping[str, Any]) -> Grants:
    """As the ledger kept them; a role this version does not know is nobody's."""
    known = set(Role)
    return {
        Role(role): None if themes is None else tuple(themes)
        for role, themes in found.items()
        if role in known
    }
