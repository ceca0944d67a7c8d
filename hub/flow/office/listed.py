# SPDX-License-Identifier: EUPL-1.2
"""Everything a town's officers have written or received, newest first: what they are writing, and
announcements in every state. Another town's, and other themes', are never read nor counted."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection, select

from channels.base import Urgency
from hub.announcement import State
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import Scope, scope_of
from hub.flow.writing import compositions, fields
from hub.flow.writing.compositions import Composition
from hub.ledger.announcements import UNSEEN
from hub.ledger.tables import announcement as table
from subscribers.catalogue import Catalogue
from templates.content import Kind

PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader chose; "" for all. `theme` is a key, with all below it."""

    state: State | None = None
    urgency: Urgency | None = None
    theme: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line. `titles` by language, empty for what has no name yet; `at` is when it was
    published, else last touched; `written` marks what an officer is writing."""

    code: str
    titles: Mapping[str, str]
    state: State
    urgency: Urgency
    kind: Kind
    themes: tuple[str, ...]
    at: datetime
    author: str
    written: bool = False
    published: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of them, of `total` in all; `empty` where the town has none at all."""

    lines: tuple[Listed, ...]
    total: int
    page: int
    empty: bool
    catalogue: Catalogue

    @property
    def pages(self) -> int:
        """How many there are, one at least."""
        return max(-(-self.total // PAGE), 1)


class Card(Protocol):
    """A published announcement as a memory of them holds it (`hub.reports.published`)."""

    @property
    def code(self) -> str: ...
    @property
    def titles(self) -> Mapping[str, str]: ...
    @property
    def urgency(self) -> Urgency: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def themes(self) -> tuple[str, ...]: ...
    @property
    def published(self) -> datetime: ...


def listing(
    conn: Connection, officer: Officer, known: Mapping[int, Card], asked: Asked, page: int
) -> Listing:
    """What this officer may see of what was asked for. `known` are the published announcements of
    their town by number: kept in memory, a search over ten years of them takes milliseconds."""
    scope = scope_of(conn, officer, Role.READ)
    lines = [*_announced(conn, officer.authority, known, scope), *_drafts(conn, officer)]
    lines.sort(key=lambda each: (each.at, each.code), reverse=True)
    themes = _below(asked.theme, scope.catalogue)
    wanted = [each for each in lines if _meets(each, asked, themes)]
    last = max(-(-len(wanted) // PAGE), 1)
    shown = min(max(page, 1), last)
    chosen = wanted[(shown - 1) * PAGE : shown * PAGE]
    return Listing(tuple(chosen), len(wanted), shown, not lines, scope.catalogue)


def _announced(
    conn: Connection, authority: int, known: Mapping[int, Card], scope: Scope
) -> Iterable[Listed]:
    """Those of the memory with the state they have now, then those that were never published. A
    draft of an officer's own stands among what is being written."""
    theirs = (table.c.authority == authority, table.c.source.not_in(UNSEEN))
    now = select(table.c.id, table.c.state, table.c.author).where(
        *theirs, table.c.published.is_not(None)
    )
    for row in conn.execute(now):
        card = known.get(row.id)
        if card is not None and scope.sees(card.themes):
            yield Listed(
                card.code,
                card.titles,
                State(row.state),
                card.urgency,
                card.kind,
                card.themes,
                card.published,
                row.author,
                published=True,
            )
    rest = select(table).where(*theirs, table.c.published.is_(None))
    for row in conn.execute(rest):
        ours = row.state == State.DRAFT and row.source.startswith("officer:")
        if not ours and scope.sees(row.document["themes"]):
            yield Listed(
                row.code,
                {name: said["title"] for name, said in row.document["contents"].items()},
                State(row.state),
                Urgency(row.urgency),
                Kind(row.kind),
                tuple(row.document["themes"]),
                row.created,
                row.author,
            )


def _drafts(conn: Connection, officer: Officer) -> Sequence[Listed]:
    found, _ = compositions.of_authority(conn, officer, size=500)
    names = compositions.names_of(conn, [each.author for each in found])
    return [_draft(each, names.get(each.author, "")) for each in found]


def _draft(each: Composition, author: str) -> Listed:
    level, kind = fields.text(each.document, "level"), fields.text(each.document, "kind")
    return Listed(
        each.code,
        {"fr": each.title} if each.title else {},
        State.DRAFT,
        Urgency(level) if level in tuple(Urgency) else Urgency.INFORMATION,
        Kind(kind) if kind in tuple(Kind) else Kind.FIRST,
        tuple(fields.texts(each.document, "themes")),
        each.changed,
        author,
        written=True,
    )


def _meets(each: Listed, asked: Asked, themes: frozenset[str]) -> bool:
    if asked.state is not None and each.state is not asked.state:
        return False
    if asked.urgency is not None and each.urgency is not asked.urgency:
        return False
    if asked.theme and themes.isdisjoint(each.themes):
        return False
    words = " ".join([*each.titles.values(), each.code])
    return not asked.text or _plain(asked.text) in _plain(words)


def _below(key: str, catalogue: Catalogue) -> frozenset[str]:
    """A theme and all that are narrower; nothing for one the town does not have."""
    theme = catalogue.themes_by_key.get(key)
    if theme is None:
        return frozenset()
    return frozenset(
        each.key
        for each in catalogue.themes.values()
        if theme.id in catalogue.theme_lineage([each.id])
    )


def _plain(text: str) -> str:
    """Without accents or capitals, as somebody in a hurry types."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parted if not unicodedata.combining(each))
