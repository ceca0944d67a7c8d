# SPDX-License-Identifier: EUPL-1.2
"""What surrounds the words of every message: the names templates may use, the drill's brackets.

Names: ``title text html link adapted`` (the words; `adapted` where the officer wrote this
channel's text), ``label drill colon`` (key words), ``sender authority themes zones`` (who, about
what, where), ``page_url stop_url home_url alerts_url`` (in an SMS
`stop_url` is the short one, which shows the announcement too; ``one_way`` where only it can stop),
``published expires timezone published_ms``,
``language direction`` (of the words), ``locale`` (of the template), ``urgency urgent kind``,
``key topic`` (of the announcement, and of its chain in web push).
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256

from channels.base import Urgency
from templates.characters import one_line
from templates.content import Content, Letterhead
from templates.phrases import COLON, DRILL, base, label, spoken

# Scripts written from right to left, by language (Unicode CLDR).
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


def frame(
    content: Content, letterhead: Letterhead, locale: str, *, sms: bool = False
) -> Mapping[str, object]:
    """The names every template may use, but for the words themselves."""
    return {
        "title": content.title,
        "link": content.link,
        "label": label(letterhead.urgency, letterhead.kind, locale, sms=sms),
        "drill": drill_word(letterhead, locale),
        "colon": COLON[spoken(locale)],
        "sender": letterhead.sender,
        "authority": letterhead.authority,
        "themes": [name for _, name in letterhead.themes],
        "zones": [name for _, name in letterhead.zones],
        "page_url": letterhead.page_url,
        "stop_url": letterhead.short_stop_url if sms else letterhead.stop_url,
        "one_way": letterhead.one_way,
        "home_url": letterhead.home_url,
        "alerts_url": f"{letterhead.home_url}mes-alertes",
        "published": letterhead.published,
        "published_ms": round(letterhead.published.timestamp() * 1000),
        "expires": letterhead.expires,
        "timezone": letterhead.timezone,
        "language": content.language,
        "direction": direction_of(content.language),
        "locale": locale,
        "urgency": letterhead.urgency.value,
        "urgent": letterhead.urgency is Urgency.URGENT,
        "kind": letterhead.kind.value,
        "key": letterhead.key,
        "topic": topic(letterhead.chain),
    }


def direction_of(language: str) -> str:
    """Which way a language is written, as HTML's `dir` says it."""
    return "rtl" if base(language) in _RIGHT_TO_LEFT else "ltr"


def drill_word(letterhead: Letterhead, locale: str) -> str:
    """EXERCICE in the template's language for a drill, else nothing."""
    return DRILL[spoken(locale)] if letterhead.urgency is Urgency.DRILL else ""


def bracket(text: str, word: str, locale: str) -> str:
    """The text starting and ending with a drill's word (UX.md section 5), whoever wrote it.

    An empty word leaves the text alone; a word that already stands there is not doubled.
    """
    if not word:
        return text
    if not re.match(rf"{word}\b", text):
        text = f"{word}{COLON[spoken(locale)]}{text}"
    return text if re.search(rf"\s{word}$", text) else f"{text} {word}"


def topic(chain: str) -> str:
    """The push topic of a chain of announcements: a later one replaces an earlier one that is
    still waiting. 32 characters of the base64url alphabet, the most RFC 8030 section 5.4 takes."""
    return urlsafe_b64encode(sha256(chain.encode()).digest())[:32].decode()


def list_id(letterhead: Letterhead) -> str:
    """The RFC 2919 list of the first theme, or of the authority where there is none."""
    key = letterhead.themes[0][0] if letterhead.themes else letterhead.authority_key
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", key).strip(".-")
    return f"{name}.{letterhead.list_domain}"


def list_name(letterhead: Letterhead) -> str:
    """The human name of that list, on one line: it goes into a header."""
    return one_line(letterhead.themes[0][1] if letterhead.themes else letterhead.authority)
