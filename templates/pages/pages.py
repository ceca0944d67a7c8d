# SPDX-License-Identifier: EUPL-1.2
"""The door's way to a page: a template's name, a language and what it shows, to HTML.

What a page needs stands in the comment at the top of its template (`{# Needs: … #}`); a missing
name raises, so a blank never reaches a citizen. What every page needs stands in ``base.html``.
"""

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from channels.base import ChannelName, Urgency
from templates.pages import amounts, moments, previewing
from templates.pages.around import Around
from templates.pages.wording import LANGUAGES, ShownState, offered, state_label, translations

STATIC_FOLDER: Final = Path(__file__).parent / "static"
"""What the web door serves under ``/static/``."""

ERROR_STATUSES: Final = frozenset({400, 403, 404, 409, 410, 413, 429, 500, 503})
"""The HTTP statuses with words of their own; others borrow those of 400 or 500."""


class StopChoice(StrEnum):
    """What a citizen may stop in one click: the form's field `choice`."""

    THEME = "theme"
    CHANNEL = "channel"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """One message as it reached a phone. `until` is the hour a held one waits for.

    `parts` counts those of an SMS, `weight` is a post's by X's rules (0: neither), `letter` the
    address of an e-mail's own page. `plain`: the phone shows plain letters in place of some.
    """

    channel: ChannelName
    at: datetime
    sender: str
    text: str
    state: ShownState
    subject: str = ""
    until: datetime | None = None
    parts: int = 0
    weight: int = 0
    letter: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class PhoneSwitch:
    """Something about a phone that can be switched: `name` is off, full or limit, `url` where its
    form goes, `on` how it stands."""

    name: str
    url: str
    on: bool


@dataclass(frozen=True, slots=True)
class Phone:
    """A persona's phone; `about` says in a few words who they are and what they chose.

    `public` marks the town's own timeline on X, which everybody reads. `answers` is where the
    phone's box posts an SMS to the town; empty where it cannot be answered. `url` is its own page,
    `plain` whether it showed plain letters in place of some.
    """

    name: str
    about: str
    messages: Sequence[PhoneMessage]
    public: bool = False
    answers: str = ""
    url: str = ""
    switches: Sequence[PhoneSwitch] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far one channel is, in deliveries: of `total`, `waiting` are not settled yet."""

    channel: ChannelName
    total: int
    handed_over: int
    received: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class AnnouncementProgress:
    """An announcement on its way, one run a channel; `url` is its public page."""

    title: str
    url: str
    urgency: Urgency
    runs: Sequence[RunProgress]

    @property
    def finished(self) -> bool:
        """Nothing waits any more on any channel."""
        return not any(run.waiting for run in self.runs)


def page(name: str, language: str, *, timezone: str = "Europe/Paris", **context: object) -> str:
    """One page of HTML.

    `name` is a template of this folder, `language` one of `LANGUAGES` (French for any other),
    `timezone` the town's IANA zone in which every moment is shown, `context` what the template's
    first comment lists. Raises `jinja2.UndefinedError` where a name is missing, `ValueError` for a
    moment without a zone and `zoneinfo.ZoneInfoNotFoundError` for an unknown one.
    """
    spoken = offered(language)
    alone = {"home_url": "/", "sandbox": False, "around": Around(path="", portal=False)}
    names: dict[str, object] = {**alone, **context}
    template = _environment(spoken).get_template(name)
    return template.render(names, language=spoken, timezone=ZoneInfo(timezone))


_MADE: Final[OrderedDict[bytes, str]] = OrderedDict()
_MOST_MADE: Final = 100  # pages; a long one takes a hundred kilobytes


def crowded_page(
    name: str, language: str, *, timezone: str = "Europe/Paris", **context: object
) -> str:
    """`page`, for what a crowd comes for after an alert: what says the same is made once.

    For what anybody may read: it stays in memory until a hundred others were asked for. What the
    page shows is in `context` and compared whole, so that nobody reads an older one.
    """
    asked = pickle.dumps((name, offered(language), timezone, sorted(context.items())))
    key = hashlib.sha256(asked).digest()
    if key not in _MADE:
        _MADE[key] = page(name, language, timezone=timezone, **context)
    _MADE.move_to_end(key)
    if len(_MADE) > _MOST_MADE:
        _MADE.popitem(last=False)
    return _MADE[key]


def every_page() -> Sequence[tuple[str, str]]:
    """The languages and the templates of this folder, each template in each language."""
    folder = Path(__file__).parent
    names = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.html"))
    return [(language, name) for language in LANGUAGES for name in names]


def compile_page(language: str, name: str) -> None:
    """Have a template ready: reading it for the first time takes a visitor up to a third of a
    second, and everybody else with them. Raises `jinja2.TemplateError` where it is broken."""
    _environment(language).get_template(name)


@cache
def asset(name: str) -> str:
    """The address of a file of `STATIC_FOLDER`. It changes with the content, so browsers may keep
    what they fetched for ever. Raises `FileNotFoundError` where there is no such file."""
    digest = hashlib.sha256((STATIC_FOLDER / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The extension adds this method to the environment when it is loaded.
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        translations(language), newstyle=True
    )
    environment.filters.update(
        full_moment=_full_moment,
        short_moment=_short_moment,
        phone_moment=_phone_moment,
        hour=_hour,
        day_in_words=lambda day: moments.day_name(day, language),
        month_in_words=lambda day: moments.month_name(day.year, day.month, language),
        state_of=_state_of,
        newest_first=_newest_first,
        listed=", ".join,  # no "et": themes hold one ("Eau et coupures")
        number=lambda count: format_decimal(count, locale=language),
        money=lambda millionths, *more: amounts.money(millionths, language, *more),
        unit_price=lambda millionths, *more: amounts.unit_price(millionths, language, *more),
        share=lambda part, whole: amounts.share(part, whole, language),
        wait=lambda lasted: amounts.wait(lasted, language),
        **previewing.FILTERS,
    )
    environment.globals.update(asset=asset, ERROR_STATUSES=ERROR_STATUSES)
    return environment


def _time(moment: datetime, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="minutes"), words
    )


def _local(context: Context, moment: datetime) -> datetime:
    return moments.in_zone(moment, context["timezone"])


@pass_context
def _full_moment(context: Context, moment: datetime) -> Markup:
    local = _local(context, moment)
    return _time(local, moments.full(local, context["language"]))


@pass_context
def _short_moment(context: Context, moment: datetime) -> Markup:
    local = _local(context, moment)
    return _time(local, moments.short(local, context["language"]))


@pass_context
def _phone_moment(context: Context, moment: datetime, now: datetime) -> Markup:
    """As phones show it: the hour today, the whole date before."""
    local = _local(context, moment)
    today = local.date() == _local(context, now).date()
    words = (moments.clock if today else moments.short)(local, context["language"])
    return _time(local, words)


@pass_context
def _hour(context: Context, moment: datetime) -> Markup:
    local = _local(context, moment)
    return _time(local, moments.clock(local, context["language"]))


@pass_context
def _state_of(context: Context, message: PhoneMessage) -> str:
    until = None if message.until is None else _local(context, message.until)
    return state_label(message.state, context["language"], until)


def _newest_first(phones: Iterable[Phone]) -> list[tuple[Phone, PhoneMessage]]:
    """Every message with its phone, as one list."""
    messages = [(phone, message) for phone in phones for message in phone.messages]
    return sorted(messages, key=lambda row: row[1].at, reverse=True)
