# SPDX-License-Identifier: EUPL-1.2
"""Where the town stands on the web, and the letterhead its announcements leave under."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from channels.base import STOP_TOKEN_MARK, ChannelName, Rendered
from hub.announcement import Announcement
from subscribers.catalogue import Catalogue
from templates.content import Letterhead
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
    economical: bool = False,
) -> Letterhead:
    """Everything around the words, in one language."""
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
        home_url=f"{site.public_url}/",
        list_domain=site.domain,
        published=announcement.published or announcement.publish_at or announcement.created,
        expires=announcement.expires,
        timezone=catalogue.timezone,
        key=code,
        chain=announcement.first_code or code,
        post_link=announcement.post_link,
        economical=economical,
        ancestors=_ancestors(announcement, catalogue),
        thread=announcement.thread,
    )


def _ancestors(announcement: Announcement, catalogue: Catalogue) -> tuple[str, ...]:
    """The parents of its first theme, nearest first: their templates serve it too."""
    found: list[str] = []
    theme = catalogue.themes_by_key.get(announcement.themes[0])
    while theme is not None and theme.parent is not None:
        theme = catalogue.themes[theme.parent]
        found.append(theme.key)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Press:
    """Turns an announcement into the exact text of a channel. Previews and sends call the same.

    `economical`: the town always replaces the characters that make an SMS dearer.
    """

    composer: Composer
    site: Site
    economical: bool = False

    def print(
        self, announcement: Announcement, catalogue: Catalogue, channel: ChannelName, language: str
    ) -> Rendered | Refusal:
        """The text for a reader of `language`, in the nearest language it was written in."""
        content = choose(announcement.contents, language, catalogue.language)
        head = letterhead(
            announcement, catalogue, self.site, content.language, economical=self.economical
        )
        return self.composer.compose(channel, content, head)
