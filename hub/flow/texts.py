# SPDX-License-Identifier: EUPL-1.2
"""The texts of a run, compiled once for each language its readers speak."""

from dataclasses import dataclass, field

from channels.base import Channel, ChannelName, Prepared, Rendered
from hub.announcement import Announcement
from hub.flow.site import Press
from subscribers.catalogue import Catalogue
from templates.render import choose


class UnprintableError(Exception):
    """A text that was accepted does not print any more (a template was changed meanwhile)."""


@dataclass(slots=True)
class Texts:
    """What one announcement says on one channel. `of` is asked for every message."""

    announcement: Announcement
    catalogue: Catalogue
    press: Press
    channel: Channel
    _ready: dict[str, Prepared] = field(default_factory=dict)

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
