# SPDX-License-Identifier: EUPL-1.2
"""The fields of what an officer is writing, kept as they were typed: valid or not, none is lost."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from channels.base import ChannelName
from subscribers.catalogue import Authority

Document = Mapping[str, Any]
"""The form by field: a string, or a list of strings under the names of `LISTS`."""

LISTS: Final = ("themes", "zones", "channels", "weekdays", "spelling")
QUESTIONS: Final = ("six_source", "six_what", "six_where", "six_when", "six_do", "six_check")
"""What an alert must say (UX.md 7.2): who speaks, what, where, since when, what to do, where to
check. They build the text where `shape` is "six"."""
FIXED: Final = ("kind", "about", "pieces")
"""What an announcement is to another was settled when it was begun, and its files have a page of
their own: no form changes them."""
RULE: Final = ("every", "interval", "weekdays", "repeat_at", "starts", "until", "valid_hours")
"""By which an announcement comes again, where `when` is "repeat"."""
_SINGLE: Final = (
    *("shape", "level", "title", "body", "short", "link"),
    *QUESTIONS,
    *("whole", "polygon", "circle_at", "circle_metres"),
    *("post_link", "thread"),
    *("when", "date", "time", "again"),
    *("expires_date", "expires_time", "expires_again"),
    *("every", "interval", "repeat_at", "starts", "until", "valid_hours"),
    *("approval", "asked"),
)
_SPOKEN: Final = re.compile(
    r"(?:title|body|short)_[a-z]{2,3}"
    rf"|override_(?:{'|'.join(ChannelName)})(?:_[a-z]{{2,3}})?"
)
_TRANSLATED: Final = re.compile(r"(?:title|body|short|override_[a-z]+)_([a-z]{2,3})")


def is_field(name: str) -> bool:
    """Whether a form's field is one of an announcement's."""
    return name in _SINGLE or name in LISTS or bool(_SPOKEN.fullmatch(name))


def gathered(pairs: Iterable[tuple[str, str]], before: Document) -> dict[str, Any]:
    """What a form sent, as the document that is kept; of other fields, those of the page's own,
    nothing. What no form may change is taken from the document `before`."""
    found: dict[str, Any] = {name: [] for name in LISTS}
    for name, value in pairs:
        if not is_field(name):
            continue
        written = value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        if name in LISTS:  # one button may choose several (every family of characters)
            found[name] += written.split() if name == "spelling" else [written] if written else []
        else:
            found.setdefault(name, written)
    return found | {name: before[name] for name in FIXED if name in before}


def digest_of(document: Document) -> str:
    """Of all that was typed and of the files beside it, in 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def blank(authority: Authority, channels: Iterable[str], **given: Any) -> dict[str, Any]:
    """An announcement nobody has written yet: for information, at once, on every channel."""
    empty: dict[str, Any] = {name: [] for name in LISTS}
    return empty | {
        "shape": "free",
        "level": "information",
        "title": "",
        "body": "",
        "six_source": authority.name,
        "channels": [str(name) for name in channels],
        "post_link": "1",
        "when": "now",
        "approval": "ask",
        **given,
    }


def text(document: Document, name: str) -> str:
    """One field, without the space around it; "" where the form had none."""
    given = document.get(name, "")
    return given.strip() if isinstance(given, str) else ""


def texts(document: Document, name: str) -> list[str]:
    """A field of several values."""
    given = document.get(name, ())
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def other_languages(document: Document) -> tuple[str, ...]:
    """The languages in which something was written beside the first, in order."""
    found = {
        match[1]
        for name, value in document.items()
        if (match := _TRANSLATED.fullmatch(name)) and isinstance(value, str) and value.strip()
        if match[1] not in tuple(ChannelName)
    }
    return tuple(sorted(found))
