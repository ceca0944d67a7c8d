# SPDX-License-Identifier: EUPL-1.2
"""Finds the template of a message: the town's own before the packaged, its theme before default."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import TracebackType

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from channels.base import ChannelName
from templates import filters, fit
from templates.phrases import DEFAULT_LANGUAGE, base

PACKAGED = Path(__file__).parent / "messages"
DEFAULT_THEME = "default"
NAMES: Mapping[str, ChannelName] = {
    "sms.txt": ChannelName.SMS,
    "post.txt": ChannelName.X,
    "email.subject.txt": ChannelName.EMAIL,
    "email.txt": ChannelName.EMAIL,
    "email.html": ChannelName.EMAIL,
    "push.json": ChannelName.WEBPUSH,
}
DIGESTS: Mapping[str, ChannelName] = {f"digest.{name}": each for name, each in NAMES.items()}
_EXPRESSION_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class TemplateFault(Exception):
    """A template that is missing or broken: `file`, `line` (0 where unknown) and `what` is wrong.

    Never holds a message's text.
    """

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}{f':{line}' if line else ''}: {what}")
        self.file = file
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class Found:
    """A template and the language of its fixed words."""

    locale: str
    template: Template

    def render(self, context: Mapping[str, object]) -> str:
        """The text, without blanks around it. Raises `TemplateFault`."""
        try:
            return self.template.render(context).strip()
        except TemplateSyntaxError as error:  # of a template this one extends or includes
            raise syntax_fault(error) from None
        except TemplateError as error:
            raise self.fault(str(error), _line(error.__traceback__, self.file)) from None
        except _EXPRESSION_ERRORS as error:
            # What a wrong expression raises; its own words could quote the message.
            line = _line(error.__traceback__, self.file)
            raise self.fault(f"this expression raises {type(error).__name__}", line) from None

    @property
    def file(self) -> str:
        return self.template.filename or str(self.template.name)

    def fault(self, what: str, line: int = 0) -> TemplateFault:
        """What is wrong with this template, to be raised."""
        return TemplateFault(self.file, line, what)


class Catalogue:
    """The templates of one authority: listed when it is made, each compiled at its first use.

    Searched: ``<locale>/<theme>/<name>`` in `overlay` (the town's own folder), then in the packaged
    ones; every theme given, then ``default``; the language wanted, the authority's, then French.
    Officers write templates, so Jinja's sandbox reads them; an unknown variable is an error.
    `files` names them all, as ``<locale>/<theme>/<name>``.
    """

    def __init__(
        self,
        overlay: Path | None = None,
        language: str = DEFAULT_LANGUAGE,
        packaged: Path = PACKAGED,
    ) -> None:
        self.language = language
        folders = [folder for folder in (overlay, packaged) if folder is not None]
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.filters.update(
            compact=filters.compact,
            html=filters.html,
            json=filters.to_json,
            long_date=filters.long_date,
            number=filters.plain_number,
            plain=filters.plain,
            sentence=filters.sentence_end,
            short_date=filters.short_date,
            short_range=filters.short_range,
            shown=fit.shorten,
            table_date=filters.table_date,
        )
        self.files = frozenset(self._environment.list_templates())

    def find(self, name: str, language: str, themes: tuple[str, ...] = ()) -> Found:
        """The template called `name` (of `NAMES` or `DIGESTS`) nearest to a language and themes.

        `themes` are keys, most specific first. Raises `TemplateFault` where there is none, or
        where the nearest does not compile.
        """
        for locale, theme in product(self._locales(language), _folders(themes)):
            if (file := f"{locale}/{theme}/{name}") in self.files:
                try:
                    return Found(locale, self._environment.get_template(file))
                except TemplateSyntaxError as error:
                    raise syntax_fault(error) from None
        raise missing(DEFAULT_LANGUAGE, name)

    def layout(self, name: str, locale: str) -> Found:
        """A layout: a file at the top that the house writes itself, whatever the language. Raises
        `TemplateFault` where the town's own does not compile."""
        try:
            return Found(locale, self._environment.get_template(name))
        except TemplateSyntaxError as error:
            raise syntax_fault(error) from None

    def _locales(self, language: str) -> Iterator[str]:
        wanted = (language, base(language), self.language, DEFAULT_LANGUAGE)
        yield from dict.fromkeys(each for each in wanted if _KEY.fullmatch(each))


def missing(locale: str, name: str) -> TemplateFault:
    """The fault of a template that is not there, in one line for the operator."""
    file = f"messages/{locale}/{DEFAULT_THEME}/{name}"
    channel = {**NAMES, **DIGESTS}[name]
    return TemplateFault(file, 0, f"missing: no {channel} text in language '{locale}'")


def syntax_fault(error: TemplateSyntaxError) -> TemplateFault:
    """The fault of a template that does not compile."""
    return TemplateFault(error.filename or str(error.name), error.lineno, str(error.message))


def _folders(themes: Iterable[str]) -> Iterator[str]:
    yield from (theme for theme in themes if _KEY.fullmatch(theme))
    yield DEFAULT_THEME


def _line(trace: TracebackType | None, file: str) -> int:
    """The last line of a template that an error passed through (Jinja maps them for us)."""
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
