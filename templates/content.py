# SPDX-License-Identifier: EUPL-1.2
"""What an announcement says, in one language, and what surrounds it on every channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from channels.base import ChannelName, Urgency
from templates.gsm import Family


class Kind(StrEnum):
    """What an announcement is to the first one of its chain (CAP Alert, Update, Cancel)."""

    FIRST = "first"
    UPDATE = "update"
    CORRECTION = "correction"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True)
class Content:
    """The words of one language. `body` is Markdown; `short` replaces it where room is dear.

    `overrides` is a whole text for one channel, taken as written (UX.md 7.2 "Adapter le texte").
    """

    language: str
    title: str
    body: str
    short: str | None = None
    link: str | None = None
    overrides: Mapping[ChannelName, str] = field(default_factory=dict)


class NoteKind(StrEnum):
    """What the hub tells one person of its own accord, in answer to what they asked."""

    CODE = "code"  # to type on the page that asked for it
    CONFIRM = "confirm"  # a link: this address is mine
    SIGN_IN = "sign_in"  # a link: open my own pages
    TEST = "test"  # it works


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Everything around the words: who speaks, about what, where, until when, and the links.

    `page_url` is the announcement's public page (``https://…/a/7Kq2…``), `stop_url` the stop page
    holding `channels.base.STOP_TOKEN_MARK`, `short_stop_url` that of an SMS holding
    `SHORT_STOP_MARK`; `one_way` where nobody can answer STOP to an SMS, which then carries it.
    `themes` and `zones` are (key, name in this language).
    `key` names the announcement version, `chain` the first announcement of its chain.
    `post_link` and `thread` are the officer's choices for X (DESIGN.md section 4); `spelling`
    theirs for SMS: the families of costly characters it replaces (UX.md 7.2). `ancestors` are the
    first theme's parents, nearest first: where its templates are looked for next.
    """

    authority_key: str
    authority: str
    sender: str
    urgency: Urgency
    kind: Kind
    themes: tuple[tuple[str, str], ...]
    zones: tuple[tuple[str, str], ...]
    page_url: str
    stop_url: str
    short_stop_url: str
    home_url: str
    list_domain: str
    published: datetime
    expires: datetime | None
    timezone: str
    key: str
    chain: str
    post_link: bool = True
    thread: bool = False
    spelling: tuple[Family, ...] = ()
    one_way: bool = False
    ancestors: tuple[str, ...] = ()
