# SPDX-License-Identifier: EUPL-1.2
"""Where the town stands on the web, and the letterhead its announcements leave under."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, ChannelName, Rendered, Urgency
from hub.announcement import Announcement
from subscribers.catalogue import Catalogue
from subscribers.proofs import Proofs
from templates.content import Kind, Letterhead, NoteKind
from templates.digest import DigestItem, compose_digest
from templates.gsm import EVERY_FAMILY, Family
from templates.notes import NoteWords, compose_note
from templates.refusals import Refusal
from templates.render import Composer, choose

UNBORN_CODE = "xxxxxx"
"""Stands for a code not given yet: of equal length, so that what is counted is what leaves."""


@dataclass(frozen=True, slots=True)
class Site:
    """The public address of the hub, without a slash at the end."""

    public_url: str

    def page(self, code: str) -> str:
        """An announcement's public page."""
        return f"{self.public_url}/a/{code}"

    def stop(self, token: str) -> str:
        """A citizen's stop page, also the one-click address (RFC 8058)."""
        return f"{self.public_url}/stop/{token}"

    def confirm(self, token: str) -> str:
        """Where somebody says that an e-mail address is theirs."""
        return f"{self.public_url}/c/{token}"

    def sign_in(self, token: str) -> str:
        """Where somebody opens their own pages, once."""
        return f"{self.public_url}/l/{token}"

    def short_stop(self, token: str) -> str:
        """The one link of an SMS nobody can answer: the announcement first, then its stops."""
        return f"{self.public_url}/s/{token}"

    @property
    def domain(self) -> str:
        """The host alone: Message-IDs and List-Ids are made under it."""
        return urlsplit(self.public_url).hostname or "localhost"


def letterhead(
    announcement: Announcement,
    catalogue: Catalogue,
    site: Site,
    language: str,
    *,
    spelling: tuple[Family, ...] = (),
    one_way: bool = False,
) -> Letterhead:
    """Everything around the words, in one language. `spelling` is the SMS's."""
    themes, zones = catalogue.themes_by_key, catalogue.zones_by_key
    code = announcement.code or UNBORN_CODE
    return Letterhead(
        authority_key=catalogue.key,
        authority=catalogue.name,
        sender=catalogue.name,
        urgency=announcement.urgency,
        kind=announcement.kind,
        themes=tuple(
            (key, themes[key].name(language)) for key in announcement.themes if key in themes
        ),
        zones=tuple((key, zones[key].name(language)) for key in announcement.zones if key in zones),
        page_url=site.page(code),
        stop_url=site.stop(STOP_TOKEN_MARK),
        short_stop_url=site.short_stop(SHORT_STOP_MARK),
        home_url=f"{site.public_url}/",
        list_domain=site.domain,
        published=announcement.published or announcement.publish_at or announcement.created,
        expires=announcement.expires,
        timezone=catalogue.timezone,
        key=code,
        chain=announcement.first_code or code,
        post_link=announcement.post_link,
        spelling=spelling,
        one_way=one_way,
        ancestors=_ancestors(announcement, catalogue),
        thread=announcement.thread,
    )


def _ancestors(announcement: Announcement, catalogue: Catalogue) -> tuple[str, ...]:
    """The parents of its first theme, nearest first: their templates serve it too."""
    found: list[str] = []
    theme = catalogue.themes_by_key.get(next(iter(announcement.themes), ""))
    while theme is not None and theme.parent is not None:
        theme = catalogue.themes[theme.parent]
        found.append(theme.key)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Press:
    """Turns an announcement into the exact text of a channel. Previews and sends call the same.

    `economical`: the town always replaces the characters that make an SMS dearer; else each
    announcement says for itself, where `offers_spelling`. `one_way`: its SMS cannot be answered.
    `proofs` makes the codes and links of notes; None where none is printed.
    """

    composer: Composer
    site: Site
    proofs: Proofs | None = None
    economical: bool = False
    offers_spelling: bool = True
    one_way: bool = False

    def head(self, announcement: Announcement, catalogue: Catalogue, language: str) -> Letterhead:
        """What surrounds its words."""
        return letterhead(
            announcement,
            catalogue,
            self.site,
            language,
            spelling=EVERY_FAMILY if self.economical else announcement.spelling,
            one_way=self.one_way,
        )

    def print(
        self, announcement: Announcement, catalogue: Catalogue, channel: ChannelName, language: str
    ) -> Rendered | Refusal:
        """The text for a reader of `language`, in the nearest language it was written in."""
        content = choose(announcement.contents, language, catalogue.language)
        head = self.head(announcement, catalogue, content.language)
        return self.composer.compose(channel, content, head)

    def print_digest(
        self,
        digest: Announcement,
        items: Sequence[Announcement],
        catalogue: Catalogue,
        channel: ChannelName,
        language: str,
    ) -> Rendered | Refusal:
        """The message of a digest for a reader of `language`, with these announcements in it."""
        told = sorted(items, key=_digest_order)
        themes = tuple(dict.fromkeys(key for item in told for key in item.themes))
        own = self.head(replace(digest, themes=themes), catalogue, language)
        carried = []
        for item in told:
            content = choose(item.contents, language, catalogue.language)
            head = self.head(item, catalogue, content.language)
            carried.append(DigestItem(content, head))
        town = replace(own, page_url=own.home_url, kind=Kind.FIRST, ancestors=())
        return compose_digest(self.composer, channel, language, carried, town)

    def print_note(
        self, announcement: Announcement, catalogue: Catalogue, channel: ChannelName, language: str
    ) -> Rendered | Refusal:
        """What one person is told, with the code or link that only they are sent."""
        note, proofs = announcement.note, self.proofs
        assert note is not None
        assert proofs is not None
        words = NoteWords(
            note.kind,
            code=proofs.code(note.challenge, note.nonce),
            url=self._link(note.kind, proofs.link(note.challenge, note.nonce)),
            minutes=_minutes(announcement),
        )
        head = self.head(announcement, catalogue, language)
        return compose_note(self.composer, channel, language, words, head)

    def _link(self, kind: NoteKind, token: str) -> str:
        match kind:
            case NoteKind.CONFIRM:
                return self.site.confirm(token)
            case NoteKind.SIGN_IN:
                return self.site.sign_in(token)
            case NoteKind.CODE | NoteKind.TEST:
                return f"{self.site.public_url}/"


def _minutes(announcement: Announcement) -> int:
    """How long a note's code or link is good for, from when it was asked for."""
    assert announcement.expires is not None
    return (announcement.expires - announcement.created) // timedelta(minutes=1)


_IN_DIGEST: Final = (Urgency.INFORMATION, Urgency.DRILL)


def _digest_order(item: Announcement) -> tuple[int, datetime, int]:
    """What is real before what is exercised, then as it was published."""
    return _IN_DIGEST.index(item.urgency), item.published or item.created, item.id
