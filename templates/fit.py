# SPDX-License-Identifier: EUPL-1.2
"""Does a text fit its channel? Counts as the channel counts; says what to remove, cuts nothing.

The one cut is a notification's (`shorten`): phones cut it anyway, so the preview shows where.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from channels.base import ChannelName, TextLimit
from templates import gsm
from templates.refusals import TooLong, Unit

# What is used for a channel that is not there to ask (previews before it is configured).
LIMITS: Mapping[ChannelName, TextLimit] = MappingProxyType(
    {
        ChannelName.SMS: TextLimit("septets", 160, 153, 6),
        ChannelName.X: TextLimit("weighted", 280, 280, 25),
        ChannelName.EMAIL: TextLimit("none", 0, 0, 1),
        ChannelName.WEBPUSH: TextLimit("bytes", 3993, 3993, 1),
    }
)
SUBJECT_ADVISED = 60
TITLE_SHOWN = 50
BODY_SHOWN = 120
ELLIPSIS = "…"

_WORD = re.compile(r"\S+\s*")
_SENTENCE_END = re.compile(r"[.!?…][\"'»”)]*\s*$|\n\s*$")
_LINK_WEIGHT = 23
_BLANKS = re.compile(r"(\s+)")
_INNER_DOT = re.compile(r"(?<=[^\s.])\.(?=[^\s.])")
_SEAM = re.compile("[-_]")
_LONG_LINK = re.compile(r"https?://[A-Za-z0-9.-]{1,100}[/?][\w/%.~+=&?;:,@!$*'-]{0,4000}")
_TANGLED = 2_000
_MOST_TANGLED = 30_000
"""Of a word and of a text, as `_tangle` counts: more is no text that anybody reads."""


def sms(text: str, limit: TextLimit) -> TooLong | None:
    """None when the text fits `limit.max_parts` segments.

    Otherwise `remove` is the number of characters standing after the last segment allowed.
    """
    split = gsm.parts(text)
    if len(split) <= limit.max_parts:
        return None
    over = sum(map(len, split[limit.max_parts :]))
    return TooLong(ChannelName.SMS, Unit.SEGMENTS, len(split), limit.max_parts, over)


def weight(text: str) -> int:
    """X's weighted length (twitter-text v3: a link is 23, most of Latin 1, the rest 2).

    Words are weighed one by one: no link, accent or emoji reaches over a blank. A word so full of
    dots that looking for links in it takes seconds weighs as if there were one at each dot: whoever
    sends the alerts would wait.
    """
    words = _BLANKS.split(text)
    tangled = sum(map(_tangle, words)) > _MOST_TANGLED
    return sum(_weight(word, roughly=tangled) for word in words)


def _tangle(word: str) -> int:
    """How long looking for links in it takes: its letters times its dots, more beyond ASCII."""
    dots = len(_INNER_DOT.findall(word))
    smooth = dots <= 2 and word.isascii() and not _SEAM.search(word)
    if not dots or smooth or _LONG_LINK.fullmatch(word):
        return 0
    return len(word) * dots * (1 if word.isascii() else 5)


@lru_cache(maxsize=8_192)
def _weight(word: str, *, roughly: bool) -> int:
    # Half a second to import, and most of what starts measures no post.
    from twitter_text import parse_tweet  # type: ignore[import-untyped]  # noqa: PLC0415

    if _tangle(word) > (0 if roughly else _TANGLED):
        dots = len(_INNER_DOT.findall(word))
        plain: int = parse_tweet(word.replace(".", "-")).weightedLength
        return plain + _LINK_WEIGHT * dots
    length: int = parse_tweet(word).weightedLength
    return length


def post(text: str, limit: TextLimit) -> tuple[str] | TooLong:
    """The text as one post, or how many weighted characters too many it has."""
    size = weight(text)
    if size <= limit.single:
        return (text,)
    return TooLong(ChannelName.X, Unit.WEIGHTED, size, limit.single, size - limit.single)


def thread(text: str, link: str | None, limit: TextLimit) -> tuple[str, ...] | TooLong:
    """The text as posts numbered `` 2/3``, split at sentences, else words; the link on the first.

    Without their numbers and the link, the posts joined by a space are the text, but for the
    blanks where it was split. A text of more than `limit.max_parts` posts, or with a word longer
    than a post, is `TooLong`.
    """
    split = _numbered(text, link, limit, digits=1)
    if not isinstance(split, TooLong) and len(split) > 9:
        split = _numbered(text, link, limit, digits=2)
    if isinstance(split, TooLong):
        return split
    if len(split) > limit.max_parts:
        over = sum(map(weight, split[limit.max_parts :]))
        return TooLong(ChannelName.X, Unit.POSTS, len(split), limit.max_parts, over)
    if link:
        split[0] = f"{split[0]} {link}"
    return tuple(f"{part} {number}/{len(split)}" for number, part in enumerate(split, 1))


def _numbered(text: str, link: str | None, limit: TextLimit, *, digits: int) -> list[str] | TooLong:
    room = limit.part - len(" /") - 2 * digits
    return _split(text, room - (1 + _LINK_WEIGHT if link else 0), room)


def _split(text: str, first: int, rest: int) -> list[str] | TooLong:
    words, split = _WORD.findall(text.strip()), list[str]()
    while words:
        room = rest if split else first
        count = _words_that_fit(words, room)
        if not count:
            size = weight(words[0].strip())
            return TooLong(ChannelName.X, Unit.WORD, size, room, size - room)
        if count < len(words):
            count = _last_sentence(words[:count]) or count
        split.append("".join(words[:count]).strip())
        words = words[count:]
    return split


def _words_that_fit(words: list[str], room: int) -> int:
    """Words are weighed one by one: no link, accent or emoji reaches over a blank."""
    used = 0
    for count, word in enumerate(words):
        if used + weight(word.rstrip()) > room:
            return count
        used += weight(word)
    return len(words)


def _last_sentence(words: list[str]) -> int:
    ends = (n for n in range(len(words), 0, -1) if _SENTENCE_END.search(words[n - 1]))
    return next(ends, 0)


def notification(payload: str, limit: TextLimit) -> TooLong | None:
    """None when the JSON text fits one encrypted record (RFC 8291 section 4), else its excess."""
    size = len(payload.encode())
    if size <= limit.single:
        return None
    return TooLong(ChannelName.WEBPUSH, Unit.BYTES, size, limit.single, size - limit.single)


def shorten(text: str, length: int) -> str:
    """The text cut to at most `length` characters, on a word, its last one an ellipsis."""
    if len(text) <= length:
        return text
    kept = text[:length]  # one more than may stay: a blank there means the word before is whole
    end = max(kept.rfind(" "), kept.rfind("\n"))
    if end > 0:
        return kept[:end].rstrip(" \n,;:-") + ELLIPSIS
    end = length - 1
    while end > 1 and _joins(text[end - 1], text[end]):
        end -= 1
    return text[:end] + ELLIPSIS


def _joins(before: str, after: str) -> bool:
    """Whether a cut between two characters would tear one sign apart (an accent, an emoji)."""
    skin_tone = "\U0001f3fb" <= after <= "\U0001f3ff"
    flag = "\U0001f1e6" <= after <= "\U0001f1ff"
    mark = unicodedata.category(after) in {"Mn", "Me", "Mc"}
    return before == "\u200d" or after == "\u200d" or mark or skin_tone or flag
