# SPDX-License-Identifier: EUPL-1.2
"""What an administrator typed about an officer: name, address, roles with their themes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import BY_THEME, Grants, Role
from hub.web.console.guard import Seat
from subscribers.addresses import AddressProblem, normalise_email
from subscribers.catalogue import Catalogue

_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was filled in; `wrong` is {field: what is wrong with it}."""

    name: str = ""
    email: str = ""
    grants: Grants = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    def with_fault(self, name: str, fault: str) -> "Typed":
        """The same with something wrong."""
        return replace(self, wrong={**self.wrong, name: fault})

    def limited_to(self, role: str, theme: str) -> bool:
        """Whether a role is limited to some themes, and this is one of them."""
        themes = self.grants.get(Role(role))
        return themes is not None and theme in themes


def typed_of(who: Officer) -> Typed:
    """The form as an officer's roles fill it."""
    return Typed(who.name, who.email, who.grants)


def read_typed(seat: Seat, catalogue: Catalogue, *, invited: bool) -> Typed:
    """The form of a seat. A role without themes is for every theme; name and address are asked
    for where somebody is invited."""
    wrong: dict[str, str] = {}
    name, email = seat.text("name").strip()[:_NAME], seat.text("email").strip()
    if invited:
        if not name:
            wrong["name"] = "missing"
        if isinstance(normalise_email(email), AddressProblem):
            wrong["email"] = "unusable" if email else "missing"
    ticked = set(seat.texts("role"))
    grants: dict[Role, tuple[str, ...] | None] = {}
    for role in Role:
        themes = tuple(k for k in seat.texts(f"themes-{role}") if k in catalogue.themes_by_key)
        if role in ticked:
            grants[role] = themes if themes and role in BY_THEME else None
        elif themes:
            wrong["roles"] = "unticked"
    if not grants:
        wrong["roles"] = "missing"
    return Typed(name, email, grants, wrong)
