# SPDX-License-Identifier: EUPL-1.2
"""Composes an announcement's exact text for one channel, once for all its readers."""

import json
from collections.abc import Mapping
from typing import NamedTuple, assert_never

import css_inline

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
from templates.catalogue import Catalogue, Found
from templates.characters import one_line, tidy
from templates.content import Content, Letterhead
from templates.frame import bracket, drill_word, frame, list_id, list_name, topic
from templates.phrases import DEFAULT_LANGUAGE
from templates.preview import (
    EmailFigures,
    Figures,
    PostFigures,
    Preview,
    PushFigures,
    sms_figures,
)
from templates.refusals import Empty, Refusal, TooLong, Unwritable

Composed = Rendered | Refusal

# A style sheet is never fetched: a town's template could otherwise make us call anybody.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


class _Cut(NamedTuple):
    """Words as a phone shows them, beside the whole of them."""

    shown: str
    whole: str


class Composer:
    """Composes with the templates of one authority; `limits` are its channels' own."""

    def __init__(
        self, catalogue: Catalogue, limits: Mapping[ChannelName, TextLimit] = fit.LIMITS
    ) -> None:
        self.catalogue = catalogue
        self.limits: Mapping[ChannelName, TextLimit] = {**fit.LIMITS, **limits}

    def compose(self, channel: ChannelName, content: Content, letterhead: Letterhead) -> Composed:
        """The text that leaves, or why none can. Raises `TemplateFault` for a broken template."""
        words = tidy(content)
        if isinstance(words, Unwritable):
            return words
        if empty := _empty(channel, words):
            return empty
        text = self._text(channel, words, letterhead)
        if isinstance(text, TooLong):
            return text
        return Rendered(channel, words.language, letterhead.key, text)

    def preview(
        self, channel: ChannelName, content: Content, letterhead: Letterhead
    ) -> Preview | Refusal:
        """The very text `compose` gives, with its figures; or the same refusal."""
        rendered = self.compose(channel, content, letterhead)
        if not isinstance(rendered, Rendered):
            return rendered
        return Preview(rendered, self._figures(rendered.text, content, letterhead))

    def _text(self, channel: ChannelName, words: Content, letterhead: Letterhead) -> Text | TooLong:
        match channel:
            case ChannelName.SMS:
                return self._sms(words, letterhead)
            case ChannelName.X:
                return self._post(words, letterhead)
            case ChannelName.EMAIL:
                return self._email(words, letterhead)
            case ChannelName.WEBPUSH:
                return self._push(words, letterhead)
            case _:  # pragma: no cover
                assert_never(channel)

    def _sms(self, words: Content, letterhead: Letterhead) -> SmsText | TooLong:
        found = self._find("sms.txt", words, letterhead)
        context = frame(words, letterhead, found.locale, sms=True)
        body = found.render({**context, **_brief(ChannelName.SMS, words)})
        body = bracket(body, drill_word(letterhead, found.locale), found.locale)
        body = gsm.economical(body, letterhead.spelling) if letterhead.spelling else body
        return fit.sms(body, self.limits[ChannelName.SMS]) or SmsText(body)

    def _post(self, words: Content, letterhead: Letterhead) -> PostText | TooLong:
        found = self._find("post.txt", words, letterhead)
        context = frame(words, letterhead, found.locale)
        text = found.render({**context, **_brief(ChannelName.X, words)})
        link = letterhead.page_url if letterhead.post_link else None
        limit = self.limits[ChannelName.X]
        whole = f"{text} {link}" if link else text
        posts = fit.post(bracket(whole, drill_word(letterhead, found.locale), found.locale), limit)
        # Each post of a thread is read alone, and shared alone: a drill's would frighten.
        if isinstance(posts, TooLong) and letterhead.thread and not _is_drill(letterhead):
            parts = fit.thread(text, link, limit)
            return parts if isinstance(parts, TooLong) else PostText(parts)
        return posts if isinstance(posts, TooLong) else PostText(posts)

    def _email(self, words: Content, letterhead: Letterhead) -> EmailText:
        subject = self._find("email.subject.txt", words, letterhead)
        text = self._find("email.txt", words, letterhead)
        page = self._find("email.html", words, letterhead)
        drill = drill_word(letterhead, subject.locale)
        context = frame(words, letterhead, subject.locale)
        markdown = words.overrides.get(ChannelName.EMAIL, words.body)
        plain = {"text": filters.plain(markdown), "adapted": ChannelName.EMAIL in words.overrides}
        line = one_line(subject.render({**context, **plain}))
        letter = text.render({**frame(words, letterhead, text.locale), **plain})
        html = page.render(
            {**frame(words, letterhead, page.locale), **plain, "html": filters.html(markdown)}
        )
        return EmailText(
            subject=bracket(line, drill, subject.locale),
            text=bracket(letter, drill, subject.locale) + "\n",
            html=inline(html),
            stop_url=letterhead.stop_url,
            list_id=list_id(letterhead),
            list_name=list_name(letterhead),
        )

    def _push(self, words: Content, letterhead: Letterhead) -> PushText | TooLong:
        found = self._find("push.json", words, letterhead)
        title, body = self._shown(words, letterhead)
        context = frame(words, letterhead, found.locale)
        written = found.render({**context, "title": title.shown, "text": body.shown})
        payload = filters.to_json(declarative(written, found))
        return fit.notification(payload, self.limits[ChannelName.WEBPUSH]) or PushText(
            payload, topic(letterhead.chain)
        )

    def _shown(self, words: Content, letterhead: Letterhead) -> tuple[_Cut, _Cut]:
        """A notification's title and body. A drill's word stays on both when they are cut."""
        locale = self._find("push.json", words, letterhead).locale
        context = frame(words, letterhead, locale)
        drill = drill_word(letterhead, locale)
        label, colon = str(context["label"]), str(context["colon"])
        title = colon.join(filter(None, (drill, label, words.title)))
        override = words.overrides.get(ChannelName.WEBPUSH)
        body = override or words.short or filters.compact(filters.plain(words.body))
        room = fit.BODY_SHOWN - (len(bracket("", drill, locale)) if drill else 0)
        shown = bracket(fit.shorten(body, room), drill, locale)
        return (
            _Cut(fit.shorten(title, fit.TITLE_SHOWN), title),
            _Cut(shown, bracket(body, drill, locale)),
        )

    def _figures(self, text: Text, content: Content, letterhead: Letterhead) -> Figures:
        match text:
            case SmsText():
                return sms_figures(text)
            case PostText():
                limit = self.limits[ChannelName.X].single
                return PostFigures(tuple(map(fit.weight, text.posts)), limit)
            case EmailText():
                return EmailFigures(len(text.subject))
            case PushText():
                words = tidy(content)
                assert isinstance(words, Content)  # compose has just written these words
                title, body = self._shown(words, letterhead)
                notification = json.loads(text.payload)["notification"]
                return PushFigures(
                    title=notification["title"],
                    body=notification.get("body", ""),
                    title_cut=title.shown != title.whole,
                    body_cut=body.shown != body.whole,
                    bytes=len(text.payload.encode()),
                    limit=self.limits[ChannelName.WEBPUSH].single,
                )
            case _:  # pragma: no cover
                assert_never(text)

    def _find(self, name: str, words: Content, letterhead: Letterhead) -> Found:
        themes = tuple(key for key, _ in letterhead.themes)
        nearest = (*themes[:1], *letterhead.ancestors, *themes[1:])
        return self.catalogue.find(name, words.language, nearest)


def choose(
    contents: Mapping[str, Content], wanted: str, default: str = DEFAULT_LANGUAGE
) -> Content:
    """The words for a citizen: in their language, else the authority's, else French, else the
    first there are. `contents` is by language and never empty."""
    languages = (wanted, default, DEFAULT_LANGUAGE)
    return next(
        (contents[each] for each in languages if each in contents),
        next(iter(contents.values())),
    )


def _is_drill(letterhead: Letterhead) -> bool:
    return letterhead.urgency is Urgency.DRILL


def _brief(channel: ChannelName, words: Content) -> Mapping[str, object]:
    """The words where room is dear: the officer's own for this channel, the short text, or all."""
    if channel in words.overrides:
        return {"text": words.overrides[channel], "adapted": True}
    whole = f"{filters.sentence_end(words.title)} {filters.compact(filters.plain(words.body))}"
    return {"text": words.short or whole, "adapted": False}


def _empty(channel: ChannelName, words: Content) -> Empty | None:
    """A missing title where one is shown, or Markdown that renders to no words."""
    shown_apart = channel in {ChannelName.EMAIL, ChannelName.WEBPUSH}
    own = channel is not ChannelName.EMAIL and (channel in words.overrides or words.short)
    if not words.title and (shown_apart or not own):
        return Empty(channel, "title")
    if own or filters.plain(words.overrides.get(channel, words.body)):
        return None
    return Empty(channel, "body")


def inline(html: str) -> str:
    """The page with its style sheet written onto its elements."""
    return _INLINER.inline(html)


def declarative(written: str, found: Found) -> dict[str, object]:
    """The JSON a push template wrote, once it holds what a declarative message must: without
    these a browser hands it to nobody (W3C Push API, declarative push message)."""
    try:
        message = json.loads(written)
    except json.JSONDecodeError as error:
        raise found.fault(f"not JSON: {error.msg}", error.lineno) from None
    if not isinstance(message, dict) or message.get("web_push") != 8030:
        raise found.fault('not a declarative push message: "web_push" must be 8030')
    shown = message.get("notification")
    if not isinstance(shown, dict) or not all(
        isinstance(shown.get(name), str) and shown[name] for name in ("title", "navigate")
    ):
        raise found.fault('"notification" needs a "title" and a "navigate" address')
    return message
