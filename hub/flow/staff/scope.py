# SPDX-License-Identifier: EUPL-1.2
"""Which announcements of their town an officer is shown: those under one of their themes."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.flow.accept.scrutiny import within
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from subscribers.catalogue import Catalogue, load_catalogue


@dataclass(frozen=True, slots=True)
class Scope:
    """One role of an officer, by themes; `keys` None is every theme of the town."""

    catalogue: Catalogue
    keys: frozenset[str] | None

    def sees(self, themes: Iterable[str]) -> bool:
        """Whether an announcement under these themes is theirs to see: one of them is enough."""
        return self.keys is None or not self.keys.isdisjoint(themes)

    def holds(self, themes: Iterable[str]) -> bool:
        """Whether all of an announcement is theirs to decide about."""
        return self.keys is None or self.keys.issuperset(themes)


def scope_of(conn: Connection, officer: Officer, role: Role) -> Scope:
    """What `role` lets an officer see in their own town; nothing where it is not theirs."""
    catalogue = load_catalogue(conn, officer.authority)
    if not officer.may(role):
        return Scope(catalogue, frozenset())
    principal = officer.principal(role)
    if principal.themes is None:
        return Scope(catalogue, None)
    known = catalogue.themes_by_key
    return Scope(catalogue, frozenset(key for key in known if within(principal, catalogue, key)))
