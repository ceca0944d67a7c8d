# SPDX-License-Identifier: EUPL-1.2
"""The texts of a run, compiled once for each language its readers speak."""

from dataclasses import dataclass, field
from typing import Final

from channels.base import Channel, ChannelName, Prepared, Rendered
from hub.announcement import Announcement
from hub.flow.site import Press
from subscribers.catalogue import Catalogue
from templates.render import choose


class UnprintableError(Exception):
    """A text that was accepted does not print any more (a template was changed meanwhile)."""


Carried = tuple[Announcement, ...]
"""What one digest message tells of."""

_KEPT: Final = 256
"""Digest texts kept ready: neighbours in a run mostly have the same things waiting."""


@dataclass(slots=True)
class Texts:
    """What one announcement says on one channel. `of` is asked for every message."""

    announcement: Announcement
    catalogue: Catalogue
    press: Press
    channel: Channel
    _ready: dict[str, Prepared] = field(default_factory=dict)

    def to(self, language: str, carried: Carried) -> Prepared:
        """The same for everybody: nothing is `carried`."""
        del carried
        return self.of(language)

    def of(self, language: str) -> Prepared:
        """The compiled text for a reader of `language`. Raises `UnprintableError`."""
        ready = self._ready.get(language)
        if ready is None:
            ready = self._ready[language] = self._prepare(language)
        return ready

    def _prepare(self, language: str) -> Prepared:
        written = choose(self.announcement.contents, language, self.catalogue.language).language
        if written != language:
            return self.of(written)  # compiled once, whatever the reader asked for
        name: ChannelName = self.channel.name
        printed = self.press.print(self.announcement, self.catalogue, name, language)
        if not isinstance(printed, Rendered):
            raise UnprintableError(f"{self.announcement.code} {name} {language}")
        return self.channel.prepare(printed)


@dataclass(slots=True)
class DigestTexts:
    """What the digests of one day say on one channel: by what they carry, and the language.

    `announcement` is the day's own, of which nobody reads a word.
    """

    announcement: Announcement
    catalogue: Catalogue
    press: Press
    channel: Channel
    _ready: dict[tuple[str, tuple[int, ...]], Prepared] = field(default_factory=dict)

    def to(self, language: str, carried: Carried) -> Prepared:
        """The compiled text of a digest of `carried`. Raises `UnprintableError`."""
        key = language, tuple(each.id for each in carried)
        ready = self._ready.get(key)
        if ready is None:
            if len(self._ready) >= _KEPT:
                self._ready.clear()
            ready = self._ready[key] = self._prepare(language, carried)
        return ready

    def _prepare(self, language: str, carried: Carried) -> Prepared:
        name: ChannelName = self.channel.name
        day = self.announcement
        printed = self.press.print_digest(day, carried, self.catalogue, name, language)
        if not isinstance(printed, Rendered):
            raise UnprintableError(f"{day.code} {name} {language}")
        return self.channel.prepare(printed)


@dataclass(slots=True)
class NoteTexts:
    """What the hub tells one person on one channel. Their own: made when it leaves, not kept."""

    announcement: Announcement
    catalogue: Catalogue
    press: Press
    channel: Channel

    def to(self, language: str, carried: Carried) -> Prepared:
        """The compiled text in their language. Raises `UnprintableError`."""
        del carried
        name: ChannelName = self.channel.name
        printed = self.press.print_note(self.announcement, self.catalogue, name, language)
        if not isinstance(printed, Rendered):
            raise UnprintableError(f"{self.announcement.code} {name} {language}")
        return self.channel.prepare(printed)
