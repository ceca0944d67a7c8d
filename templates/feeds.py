# SPDX-License-Identifier: EUPL-1.2
"""Announcements for feed readers and other sites: Atom (RFC 4287) and JSON Feed 1.1."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

ATOM_TYPE: Final = "application/atom+xml"
JSON_TYPE: Final = "application/feed+json"

_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_JSON_FEED: Final = "https://jsonfeed.org/version/1.1"
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What XML 1.0 section 2.2 has no way to write; intake refuses most of it already.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One announcement; `id` is a URI that never changes, `html` its words, `summary` plain.

    `categories` are (key, name).
    """

    id: str
    url: str
    title: str
    language: str
    summary: str
    html: str
    published: datetime
    updated: datetime
    categories: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """`url` is the feed's own address, `home_url` the page that shows the same."""

    id: str
    title: str
    language: str
    author: str
    url: str
    home_url: str
    entries: Sequence[Entry] = ()

    @property
    def updated(self) -> datetime:
        """When its newest entry last changed; long ago where it has none (RFC 4287 wants one)."""
        return max((entry.updated for entry in self.entries), default=_NEVER)


def tag_uri(domain: str, day: str, path: str) -> str:
    """An identifier for ever, also where the address changes (RFC 4151). `day` is ISO 8601."""
    return f"tag:{domain},{day}:{path}"


def atom(feed: Feed) -> bytes:
    """The feed as an Atom document in UTF-8."""
    root = Element("feed", {"xmlns": _ATOM, _LANG: feed.language})
    _said(root, "id", feed.id)
    _said(root, "title", feed.title)
    _said(root, "updated", _moment(feed.updated))
    SubElement(root, "link", rel="self", type=ATOM_TYPE, href=feed.url)
    SubElement(root, "link", rel="alternate", type="text/html", href=feed.home_url)
    _said(SubElement(root, "author"), "name", feed.author)
    for entry in feed.entries:
        _entry(root, entry)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(root: Element, entry: Entry) -> None:
    node = SubElement(root, "entry", {_LANG: entry.language})
    _said(node, "id", entry.id)
    _said(node, "title", entry.title)
    _said(node, "published", _moment(entry.published))
    _said(node, "updated", _moment(entry.updated))
    SubElement(node, "link", rel="alternate", type="text/html", href=entry.url)
    for key, name in entry.categories:
        SubElement(node, "category", term=key, label=_written(name))
    _said(node, "summary", entry.summary)
    _said(node, "content", entry.html).set("type", "html")


def _said(parent: Element, name: str, words: str) -> Element:
    node = SubElement(parent, name)
    node.text = _written(words)
    return node


def _written(words: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", words)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def json_feed(feed: Feed) -> bytes:
    """The feed as a JSON Feed document (https://www.jsonfeed.org/version/1.1/)."""
    document: dict[str, Any] = {
        "version": _JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.home_url,
        "feed_url": feed.url,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "language": entry.language,
        "summary": entry.summary,
        "content_html": entry.html,
        "date_published": _moment(entry.published),
        "date_modified": _moment(entry.updated),
        "tags": [name for _, name in entry.categories],
    }
