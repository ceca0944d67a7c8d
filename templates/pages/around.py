# SPDX-License-Identifier: EUPL-1.2
"""What stands around every page: where the reader is, how they want it to look, what is urgent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from channels.base import ChannelName

_ROOMS: Final = {
    "/annonces": ("/annonces", "/a/"),
    "/abonnement": ("/abonnement", "/c/"),
    "/mes-alertes": ("/mes-alertes", "/l/", "/stop/", "/s/"),
    "/aide": ("/aide",),
}
"""Which pages belong to a word of the menu."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An urgent announcement that is still valid, for the status bar; `title` is in `language`."""

    title: str
    url: str
    language: str


@dataclass(frozen=True, slots=True)
class Mixed:
    """A sandbox beside the real thing: which channels are stood in for, and which reach people."""

    stand_ins: Sequence[ChannelName]
    real: Sequence[ChannelName]


@dataclass(frozen=True, slots=True)
class Around:
    """`path` and `query` as the reader asked; `look` is "light", "dark" or "" (as the device).

    `stylesheet` and `logo` are addresses, "" where the town has none of its own. `portal` is False
    where the pages beside this one do not exist (a page shown without its hub).
    """

    path: str = "/"
    query: Sequence[tuple[str, str]] = ()
    look: str = ""
    public_url: str = ""
    stylesheet: str = ""
    logo: str = ""
    accessibility: str = "not"
    contact: str = ""
    alerts: Sequence[Alert] = ()
    portal: bool = True

    @property
    def here(self) -> str:
        """The menu's word this page belongs to, by its address; "" for none."""
        if self.path == "/":
            return "/"
        return next((r for r, paths in _ROOMS.items() if self.path.startswith(paths)), "")

    @property
    def back(self) -> str:
        """This very page, but for a language asked by its address: that one is kept already."""
        return _address(self.path, [each for each in self.query if each[0] != "lang"])

    def in_language(self, language: str) -> str:
        """The same page, with the same filters, in another language."""
        rest = [each for each in self.query if each[0] != "lang"]
        return _address(self.path, [*rest, ("lang", language)])

    def canonical(self, language: str) -> str:
        """The whole public address of this page in a language, without filters."""
        return f"{self.public_url}{_address(self.path, [('lang', language)])}"


def _address(path: str, query: Sequence[tuple[str, str]]) -> str:
    """One slash in front: what begins with two, browsers read as another site."""
    path = f"/{path.lstrip('/')}"
    return quote(path, safe="/:@!$&'()*+,;=~-._") + (f"?{urlencode(query)}" if query else "")
