# SPDX-License-Identifier: EUPL-1.2
"""Composes a digest: what one person had waiting, in one message, by title and link.

Names its templates may use, beside those of `templates.frame`: ``items`` (each with ``title text
url zones themes published expires language direction``), ``count`` (of all), ``others`` (how many
there was no room for).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from channels.base import (
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Rendered,
    SmsText,
    Text,
    TextLimit,
    Urgency,
)
from templates import filters, fit, gsm
from templates.characters import one_line, tidy
from templates.content import Content, Letterhead
from templates.frame import bracket, direction_of, drill_word, frame, list_id, list_name, topic
from templates.phrases import COLON, label, spoken
from templates.refusals import TooLong
from templates.render import Composed, Composer, declarative, inline

DIGESTED: Final = frozenset({Urgency.INFORMATION, Urgency.DRILL})
"""What may wait for a digest."""

SMS_PARTS: Final = 3
"""Longest digest on a telephone: what there is no room for is behind the last link."""

_TITLE: Final = 80
_SUMMARY: Final = 240
_CUT_IN_SMS: Final = "..."  # the typographer's ellipsis would make the whole SMS dearer


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One announcement a digest carries: its words in the reader's language, its own letterhead."""

    content: Content
    letterhead: Letterhead


def compose_digest(
    composer: Composer,
    channel: ChannelName,
    language: str,
    items: Sequence[DigestItem],
    letterhead: Letterhead,
) -> Composed:
    """The message for readers of `language`; `items` (at least one) stand in the order given.

    `letterhead` is the digest's own. Raises `TemplateFault` for a broken template.
    """
    words = _Words(composer, language, items, letterhead)
    text = words.text(channel)
    if isinstance(text, TooLong):
        return text
    return Rendered(channel, language, letterhead.key, text)


@dataclass(frozen=True, slots=True)
class _Words:
    composer: Composer
    language: str
    items: Sequence[DigestItem]
    letterhead: Letterhead

    def text(self, channel: ChannelName) -> Text | TooLong:
        limit = self.composer.limits[channel]
        match channel:
            case ChannelName.SMS:
                return self._sms(limit)
            case ChannelName.X:
                return self._post(limit)
            case ChannelName.EMAIL:
                return self._email()
            case ChannelName.WEBPUSH:
                return self._push(limit)
            case _:  # pragma: no cover
                assert_never(channel)

    def _sms(self, limit: TextLimit) -> SmsText | TooLong:
        """As many titles as fit `SMS_PARTS`; where not even one does, as long as an SMS may be."""
        short = replace(limit, max_parts=min(SMS_PARTS, limit.max_parts))
        body = ""
        for body in self._shorter_and_shorter("digest.sms.txt", sms=True):
            if fit.sms(body, short) is None:
                return SmsText(body)
        return fit.sms(body, limit) or SmsText(body)

    def _post(self, limit: TextLimit) -> PostText | TooLong:
        posts: tuple[str] | TooLong | None = None
        for text in self._shorter_and_shorter("digest.post.txt", sms=False):
            posts = fit.post(text, limit)
            if not isinstance(posts, TooLong):
                return PostText(posts)
        assert isinstance(posts, TooLong)
        return posts

    def _shorter_and_shorter(self, name: str, *, sms: bool) -> Iterator[str]:
        for shown in range(len(self.items), 0, -1):
            text = self._render(name, shown, sms=sms)
            if sms:
                text = text.replace(fit.ELLIPSIS, _CUT_IN_SMS)
                text = gsm.economical(text, self.letterhead.spelling)
            yield text

    def _email(self) -> EmailText:
        whole = len(self.items)
        town = replace(self.letterhead, themes=())  # a digest is of no one theme's list
        return EmailText(
            subject=one_line(self._render("digest.email.subject.txt", whole)),
            text=self._render("digest.email.txt", whole) + "\n",
            html=inline(self._render("digest.email.html", whole)),
            stop_url=self.letterhead.stop_url,
            list_id=list_id(town),
            list_name=list_name(town),
        )

    def _push(self, limit: TextLimit) -> PushText | TooLong:
        name = "digest.push.json"
        found = self.composer.catalogue.find(name, self.language)
        written = self._render(name, len(self.items))
        payload = filters.to_json(declarative(written, found))
        return fit.notification(payload, limit) or PushText(payload, topic(self.letterhead.chain))

    def _render(self, name: str, shown: int, *, sms: bool = False) -> str:
        found = self.composer.catalogue.find(name, self.language)
        content = Content(found.locale, "", "")  # the digest has no words but its items'
        context = {
            **frame(content, self.letterhead, found.locale, sms=sms),
            "items": [_item(each, found.locale, sms=sms) for each in self.items[:shown]],
            "count": len(self.items),
            "others": len(self.items) - shown,
        }
        return found.render(context)


def _item(item: DigestItem, locale: str, *, sms: bool) -> Mapping[str, object]:
    words, head = tidy(item.content), item.letterhead
    content = words if isinstance(words, Content) else item.content  # accepted once: it is tidy
    word = label(head.urgency, head.kind, locale, sms=sms)
    said = content.title or filters.compact(filters.plain(content.short or content.body))
    title = fit.shorten(said, _TITLE)
    title = f"{word}{COLON[spoken(locale)]}{title}" if word else title
    text = content.short or filters.compact(filters.plain(content.body))
    return {
        "title": bracket(title, drill_word(head, locale), locale),
        "text": fit.shorten(text, _SUMMARY),
        "url": head.page_url,
        "zones": [name for _, name in head.zones],
        "themes": [name for _, name in head.themes],
        "published": head.published,
        "expires": head.expires,
        "language": content.language,
        "direction": direction_of(content.language),
    }
