# SPDX-License-Identifier: EUPL-1.2
"""Who may publish what somebody wrote: another person, but for what the operator lets go alone."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from channels.base import Urgency
from hub.announcement import Announcement
from hub.flow.accept.principal import Principal
from hub.flow.accept.scrutiny import within
from hub.flow.staff import officers
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing.compositions import Composition
from hub.flow.writing.fields import RULE, Document, text, texts
from hub.ledger import announcements
from subscribers.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator decided. `undo` is how long what is published can be taken back, never
    what is urgent; `alone` are the themes under which nobody else needs to read; `training`: no
    message is real, so that anybody may approve their own."""

    undo: timedelta = timedelta(seconds=30)
    alone: frozenset[str] = frozenset()
    training: bool = False

    def delay(self, urgency: Urgency) -> timedelta:
        """How long an announcement of this urgency waits before it leaves."""
        return timedelta(0) if urgency is Urgency.URGENT else self.undo

    def lets_alone(self, catalogue: Catalogue, themes: Iterable[str]) -> bool:
        """Whether all of these themes, or one above each, need no second person."""
        known = catalogue.themes_by_key
        lineages = [
            {catalogue.themes[each].key for each in catalogue.theme_lineage([known[key].id])}
            for key in themes
            if key in known
        ]
        return bool(lineages) and all(not self.alone.isdisjoint(line) for line in lineages)

    def lets(self, officer: Officer, catalogue: Catalogue, themes: Sequence[str]) -> bool:
        """Whether this officer may publish their own under these themes."""
        free = self.training or self.lets_alone(catalogue, themes)
        return free and may_decide(officer, catalogue, themes)


class OwnAnnouncementError(Exception):
    """Nobody approves what they wrote, or changed: one of `others` may, by name."""

    def __init__(self, others: Sequence[str]) -> None:
        super().__init__("one's own announcement")
        self.others = tuple(others)


def wrote(composition: Composition | None, officer: Officer) -> bool:
    """Whether one word of it may be theirs. What a key or a source asked for is no officer's."""
    if composition is None:
        return False
    return officer.id in {composition.author, composition.changed_by, *composition.editors}


def writing(officer: Officer) -> Principal:
    """As the flow knows whoever writes: within the themes they may write or approve under."""
    scopes = [officer.principal(each).themes for each in (Role.WRITE, Role.APPROVE)]
    known = [each for each in scopes if each is not None]
    themes = None if len(known) < len(scopes) else tuple(key for each in known for key in each)
    return replace(officer.principal(Role.WRITE), themes=themes)


def may_decide(officer: Officer, catalogue: Catalogue, themes: Iterable[str]) -> bool:
    """Whether they approve under every one of these themes."""
    if not officer.may(Role.APPROVE):
        return False
    principal = officer.principal(Role.APPROVE)
    return all(within(principal, catalogue, key) for key in themes)


def reading(announcement: Announcement, composition: Composition | None) -> str:
    """What somebody read before they decide, in 64 hexadecimal digits: the announcement, with the
    files that go with it (each is named in the form with a digest of its own) and the rule by
    which it comes again."""
    read = announcements.digest_of(announcement)
    beside = [] if composition is None else _beside(composition.document)
    return hashlib.sha256("\n".join([read, *beside]).encode()).hexdigest() if beside else read


def _beside(document: Document) -> list[str]:
    """What is approved with an announcement and stands in no column of its own."""
    repeats = text(document, "when") == "repeat"
    rule = [f"{name}={document.get(name) or ''}" for name in RULE] if repeats else []
    return [*texts(document, "pieces"), *rule]


def others(
    conn: Connection,
    announcement: Announcement,
    composition: Composition | None,
    catalogue: Catalogue,
) -> Sequence[Officer]:
    """The officers who may approve it and did not write it, by name."""
    return [
        each
        for each in officers.of_authority(conn, announcement.authority)
        if may_decide(each, catalogue, announcement.themes) and not wrote(composition, each)
    ]
