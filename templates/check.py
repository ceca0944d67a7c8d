# SPDX-License-Identifier: EUPL-1.2
"""Tries every template on sample words, so that a broken one is found by `hub check`, not by an
alert at two in the morning."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import assert_never

from channels.base import (
    SHORT_STOP_MARK,
    STOP_TOKEN_MARK,
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Rendered,
    SmsText,
    Urgency,
)
from templates import gsm
from templates.catalogue import DEFAULT_THEME, DIGESTS, NAMES, Catalogue, TemplateFault, missing
from templates.content import Content, Kind, Letterhead
from templates.digest import DIGESTED, DigestItem, compose_digest
from templates.frame import drill_word
from templates.phrases import DEFAULT_LANGUAGE, sentence
from templates.refusals import TooLong
from templates.render import Composed, Composer

_LANGUAGES = (DEFAULT_LANGUAGE, "en")  # what the hub itself speaks: complete, whatever a town adds
_SENT = datetime(2026, 11, 25, 8, tzinfo=UTC)
_LETTERHEAD = Letterhead(
    authority_key="valmont",
    authority="Ville de Valmont-sur-Orne",
    sender="Valmont",
    urgency=Urgency.INFORMATION,
    kind=Kind.FIRST,
    themes=(),
    zones=(("tanneries", "Tanneries"),),
    page_url="https://alerte.example.org/a/7Kq2",
    stop_url=f"https://alerte.example.org/stop/{STOP_TOKEN_MARK}",
    short_stop_url=f"https://alerte.example.org/s/{SHORT_STOP_MARK}",
    home_url="https://alerte.example.org/",
    list_domain="alerte.example.org",
    published=_SENT,
    expires=_SENT + timedelta(days=1),
    timezone="Europe/Paris",
    key="sample",
    chain="sample",
)


def problems(catalogue: Catalogue, *, one_way: bool = False) -> tuple[TemplateFault, ...]:
    """Everything wrong with the templates of an authority, each once, each one line as text.

    Missing: a message without a default template in a language some template speaks. Unread: a
    file no message uses. Broken: whatever the samples reveal, for each urgency and kind; with
    `one_way`, an SMS without its stop link too.
    """
    letterhead = replace(_LETTERHEAD, one_way=one_way)
    found = [*_missing(catalogue), *_unread(catalogue)]
    folders = {_folder(file) for file in catalogue.files if _read(file)}
    for locale, theme in sorted(folders):
        found += _broken(catalogue, locale, theme, letterhead)
    for locale in sorted({locale for locale, _ in folders}):
        found += _broken_digest(catalogue, locale, letterhead)
    return tuple({str(fault): fault for fault in found}.values())


def _read(file: str) -> bool:
    if file.count("/") != 2:
        return False
    _, theme, name = file.split("/")
    return name in NAMES or (name in DIGESTS and theme == DEFAULT_THEME)


def _folder(file: str) -> tuple[str, str]:
    locale, theme, _ = file.split("/")
    return locale, theme


def _missing(catalogue: Catalogue) -> Iterator[TemplateFault]:
    files = catalogue.files
    spoken = {*_LANGUAGES, catalogue.language, *(_folder(each)[0] for each in files if _read(each))}
    for locale, name in product(sorted(spoken), NAMES):
        if f"{locale}/{DEFAULT_THEME}/{name}" not in files:
            yield missing(locale, name)
    for locale, name in product(_LANGUAGES, DIGESTS):  # others may do with French digests
        if f"{locale}/{DEFAULT_THEME}/{name}" not in files:
            yield missing(locale, name)


def _unread(catalogue: Catalogue) -> Iterator[TemplateFault]:
    for file in sorted(catalogue.files):
        if file.count("/") and not _read(file):  # at the top lie layouts that others extend
            expected = ", ".join(NAMES)
            yield TemplateFault(
                file, 0, f"no message reads this file: write <language>/<theme>/<one of {expected}>"
            )


def _broken(
    catalogue: Catalogue, locale: str, theme: str, town: Letterhead
) -> Iterator[TemplateFault]:
    themes = () if theme == DEFAULT_THEME else ((theme, "Sample theme"),)
    composer = Composer(catalogue)
    for channel, (content, sample) in product(ChannelName, _samples(locale, town)):
        letterhead = replace(sample, themes=themes)
        try:
            composed = composer.compose(channel, content, letterhead)
        except TemplateFault as fault:
            yield fault
            continue
        for name, what in _defects(composed, letterhead, locale):
            yield catalogue.find(name, locale, (theme,)).fault(what)


def _broken_digest(catalogue: Catalogue, locale: str, town: Letterhead) -> Iterator[TemplateFault]:
    """A digest of one, and one of everything that can wait for it."""
    items = [
        DigestItem(content, sample)
        for content, sample in _samples(locale, town)
        if sample.urgency in DIGESTED
    ]
    composer = Composer(catalogue)
    for channel, carried in product(ChannelName, (items[:1], items)):
        name = next(name for name, each in DIGESTS.items() if each is channel)
        try:
            composed = compose_digest(composer, channel, locale, carried, town)
        except TemplateFault as fault:
            yield fault
            continue
        for _, what in _defects(composed, town, locale):
            yield catalogue.find(name, locale).fault(what)


def _samples(locale: str, town: Letterhead) -> Iterator[tuple[Content, Letterhead]]:
    """Every urgency and kind, then every urgency with nothing that may be left out."""
    content = Content(locale, "Sample", "Sample words.", link="https://example.org/more")
    for urgency, kind in product(Urgency, Kind):
        yield content, replace(town, urgency=urgency, kind=kind)
    bare = replace(town, zones=(), expires=None)
    for urgency in Urgency:
        yield replace(content, link=None), replace(bare, urgency=urgency)


def _defects(composed: Composed, letterhead: Letterhead, locale: str) -> Iterator[tuple[str, str]]:
    """The files and faults that a composed sample shows."""
    if not isinstance(composed, Rendered):
        assert isinstance(composed, TooLong)  # the sample words are neither blank nor unwritable
        name = next(name for name, each in NAMES.items() if each is composed.channel)
        yield name, sentence(composed, "en")
        return
    match composed.text:
        case SmsText(body):
            for each in gsm.costly(body):
                code = f"U+{ord(each.character):04X}"
                yield "sms.txt", f"{each.character} ({code}) makes every SMS dearer (UCS-2)"
            if letterhead.one_way and letterhead.short_stop_url not in body:
                yield "sms.txt", "no stop link, and nobody can answer: write {{ stop_url }}"
        case EmailText():
            yield from _letter_defects(composed.text, letterhead, locale)
        case PushText(payload):
            if letterhead.stop_url not in payload:
                yield "push.json", "no stop link: write {{ stop_url | json }}"
        case PostText():
            pass
        case _:  # pragma: no cover
            assert_never(composed.text)


def _letter_defects(
    letter: EmailText, letterhead: Letterhead, locale: str
) -> Iterator[tuple[str, str]]:
    for name, page in (("email.txt", letter.text), ("email.html", letter.html)):
        if letterhead.stop_url not in page:
            yield name, "no stop link: write {{ stop_url }}"
    drill = drill_word(letterhead, locale)
    if drill and letter.html.partition("<body")[2].count(drill) < 2:
        yield "email.html", "a drill must start and end with {{ drill }}"
