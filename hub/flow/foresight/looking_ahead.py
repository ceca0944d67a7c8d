# SPDX-License-Identifier: EUPL-1.2
"""What an announcement would become if it left now: people, exact texts, cost. Writes nothing.

By the functions that send it: the texts come from the press that prints them, the holds and
digests from the rule the gate asks (promise 5). Money is in millionths, never a float.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy import Connection

from channels.base import (
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Rendered,
    SmsText,
    Text,
    TextLimit,
)
from hub.announcement import Announcement
from hub.flow.foresight.audience_ahead import Audience, audience_of
from hub.flow.foresight.recalled import Recall
from hub.flow.send.budget import MILLION, Limits
from hub.flow.site import Press
from hub.ledger.spending import Spent, spent
from hub.ledger.stand_ins import every_channel
from hub.pricing import Prices, cost_of_one
from subscribers.catalogue import Catalogue
from templates import gsm
from templates.completeness import Element, completeness
from templates.content import Content, Letterhead
from templates.preview import PostFigures, Preview, PushFigures
from templates.refusals import Refusal
from templates.render import Composer

_BY_ROOM: Final = (ChannelName.SMS, ChannelName.X, ChannelName.WEBPUSH, ChannelName.EMAIL)
"""From where room is dearest: what that text says, the longer ones say too."""
_EVERYTHING: Final = 10**6
_ANY_LENGTH: Final = TextLimit("none", _EVERYTHING, _EVERYTHING, _EVERYTHING)


@dataclass(frozen=True, slots=True)
class Respelt:
    """What the SMS would be with these families of characters replaced too."""

    families: tuple[gsm.Family, ...]
    body: str
    segments: gsm.Segments
    cost: int | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """One text and how many copies leave. `refusal` says why it cannot; `preview` is then the
    whole of what is too long, or None. `cost` is None where no price is set.

    `cheaper` are the SMS's other spellings, a family each, then all of them together.
    """

    channel: ChannelName
    language: str
    copies: int
    preview: Preview | None
    refusal: Refusal | None
    cost: int | None
    currency: str
    cheaper: tuple[Respelt, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """The audience, and every text in every language."""

    audience: Audience
    leaving: tuple[Leaving, ...]

    @property
    def costs(self) -> Mapping[str, int]:
        """Millionths by currency, of what has a price."""
        sums: Counter[str] = Counter()
        for each in self.leaving:
            if each.cost is not None:
                sums[each.currency] += each.cost
        return dict(sums)

    @property
    def unpriced(self) -> tuple[ChannelName, ...]:
        """The channels whose price nobody set."""
        found = (each.channel for each in self.leaving if each.cost is None and not each.refusal)
        return tuple(dict.fromkeys(found))

    @property
    def refused(self) -> bool:
        """Whether some text cannot leave as it is."""
        return any(each.refusal is not None for each in self.leaving)


@dataclass(frozen=True, slots=True)
class Month:
    """What posts on X have cost this month, and what they may cost."""

    spent: Spent
    limits: Limits


def looking_ahead(
    conn: Connection,
    announcement: Announcement,
    catalogue: Catalogue,
    press: Press,
    *,
    prices: Mapping[ChannelName, Prices],
    now: datetime,
    recall: Recall | None = None,
) -> Ahead:
    """What `announcement` would become, sent at its own time or `now`; it need not be written
    anywhere yet. Its themes, zones and polygon are known to the catalogue. With `recall` its
    audience may have been counted a moment ago."""
    count = audience_of if recall is None else recall.audience_of
    audience = count(conn, announcement, catalogue, now)
    announcement = replace(announcement, channels=every_channel(conn, announcement))
    return Ahead(audience, texts_of(announcement, catalogue, press, prices, audience))


def texts_of(
    announcement: Announcement,
    catalogue: Catalogue,
    press: Press,
    prices: Mapping[ChannelName, Prices],
    audience: Audience | None = None,
) -> tuple[Leaving, ...]:
    """Every text as it would leave, with what its copies cost; without an `audience`, of none."""
    copies = {} if audience is None else audience.copies
    found = []
    for name in announcement.channels:
        for language, content in announcement.contents.items():
            head = press.head(announcement, catalogue, language)
            sheet = _Sheet(
                press, name, content, head, prices[name], copies.get((name, language), 0)
            )
            found.append(sheet.leaving())
    return tuple(found)


def completeness_of(ahead: Ahead, catalogue: Catalogue) -> Mapping[str, Mapping[Element, bool]]:
    """Which of the six things an alert says, by language, in its shortest text as it leaves."""
    places = [name for zone in catalogue.zones.values() for name in zone.names.values()]
    found: dict[str, Mapping[Element, bool]] = {}
    for each in sorted(ahead.leaving, key=lambda leaving: _BY_ROOM.index(leaving.channel)):
        if each.preview is not None and each.language not in found:
            said = _said(each.preview.rendered.text)
            found[each.language] = completeness(said, sender=catalogue.name, places=places)
    return found


def _said(text: Text) -> str:
    match text:
        case SmsText(body=body):
            return body
        case PostText(posts=posts):
            return "\n".join(posts)
        case EmailText():
            return f"{text.subject}\n{text.text}"
        case PushText():
            shown = json.loads(text.payload)["notification"]
            return f"{shown['title']}\n{shown.get('body', '')}\n{shown['navigate']}"
        case _:  # pragma: no cover
            assert_never(text)


def month_of(conn: Connection, limits: Limits | None, now: datetime) -> Month | None:
    """What X has cost this month; None where nothing bounds it."""
    if limits is None:
        return None
    return Month(spent(conn, ChannelName.X, limits.month(now)), limits)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One text on the press."""

    press: Press
    channel: ChannelName
    content: Content
    head: Letterhead
    prices: Prices
    copies: int

    def leaving(self) -> Leaving:
        """The text that leaves, or why it cannot."""
        found = self.press.composer.preview(self.channel, self.content, self.head)
        refusal = None if isinstance(found, Preview) else found
        shown = found if isinstance(found, Preview) else self._whole()
        cost, cheaper = None, list[Respelt]()
        if shown is not None and refusal is None:
            cost = self._cost(shown.rendered)
        if shown is not None and isinstance(shown.rendered.text, SmsText):
            cheaper = self._cheaper(shown.rendered.text.body)
        return Leaving(
            self.channel,
            self.content.language,
            self.copies,
            shown,
            refusal,
            cost,
            self.prices.currency,
            tuple(cheaper),
        )

    def _cost(self, rendered: Rendered) -> int | None:
        one = cost_of_one(rendered.text, self.prices)
        return None if one is None else round(one * MILLION) * self.copies

    @property
    def _loose(self) -> Composer:
        """Without limits."""
        words = self.press.composer.catalogue
        return Composer(words, dict.fromkeys(ChannelName, _ANY_LENGTH))

    def _whole(self) -> Preview | None:
        """What is too long, shown whole with its figures, so that one sees what to take out."""
        head = replace(self.head, thread=False)
        found = self._loose.preview(self.channel, self.content, head)
        if not isinstance(found, Preview):
            return None
        limit = self.press.composer.limits[self.channel].single
        match found.figures:
            case PostFigures() | PushFigures() as figures:
                return replace(found, figures=replace(figures, limit=limit))
            case _:
                return found

    def _cheaper(self, body: str) -> list[Respelt]:
        """The SMS with one family replaced, and with all of them."""
        families = gsm.families(body) if self.press.offers_spelling else ()
        choices: list[tuple[gsm.Family, ...]] = [(each,) for each in families]
        choices += [families] if len(families) > 1 else []
        return [self._respelt(chosen) for chosen in choices]

    def _respelt(self, chosen: tuple[gsm.Family, ...]) -> Respelt:
        spelling = tuple(each for each in gsm.Family if each in {*self.head.spelling, *chosen})
        head = replace(self.head, spelling=spelling)
        printed = self._loose.compose(ChannelName.SMS, self.content, head)
        assert isinstance(printed, Rendered)  # it is the text shown, in other letters
        assert isinstance(printed.text, SmsText)
        body = printed.text.body
        return Respelt(chosen, body, gsm.segments(body), self._cost(printed))
