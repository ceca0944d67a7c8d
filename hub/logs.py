# SPDX-License-Identifier: EUPL-1.2
"""Logs that an operator can read and that carry nobody's address, token or message text.

Everything passes one masking step, ours and the libraries' alike: what a message says, the values
bound to it, and the text of exceptions. The mask errs on the side of hiding.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]
Level = Literal["debug", "info", "warning", "error"]

# Values under these names are personal or secret whatever they look like.
_HIDDEN_NAMES = {
    *("address", "authorization", "body", "cookie", "email", "endpoint", "handle", "html", "keys"),
    *("password", "phone", "recipient", "secret", "signature", "stop_token", "receipt_token"),
    *("subject", "text", "to", "token"),
}
_PERSONAL = re.compile(
    r"""
      (?P<url>https?://[^\s"'<>]+)
    | (?P<address>
          [^\s@<>"'(),:;=/\[\]]+ (?:@|%40) [^\s@<>"'(),:;=/\[\]&?]+   # e-mail
        | (?:\+|%2B|\b00) [1-9] (?:[\s.()-]?\d){7,14} \b              # E.164, or with 00
        | \b0[1-9] (?:[\s.-]?\d{2}){4} \b                             # as the French write it
      )
    | (?P<token>
          \b\d+\.\d+\.[A-Za-z0-9_-]{10,}                              # a receipt's token
        | (?<![A-Za-z0-9_-]) [A-Za-z0-9_-]{20,} (?![A-Za-z0-9_-])     # keys, MACs, links
      )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_URL = re.compile(r"(?P<origin>https?://)(?:[^/@\s]+@)?(?P<rest>.*)", re.DOTALL)
# A provider's message number says nothing about the person and is what its support asks for.
_PROVIDER_REFERENCE = re.compile(r"(?:SM|MM)[0-9a-f]{32}\Z")
# Push services put the device's whole address in the path.
_PUSH_HOSTS = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "notify.windows.com",
    "push.apple.com",
)


def mask(text: str) -> str:
    """`text` with every address and token in it replaced by ``[address]`` or ``[token]``."""
    return _PERSONAL.sub(_replacement, text)


def mask_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: masks every value of the event, however deep.

    Place it after exceptions are rendered to text and before the line is written.
    """
    return {name: _masked(name, value) for name, value in event.items()}


def set_up_logs(style: Format, level: Level, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (default: stderr).

    `style` is "json" (one object a line) or "console" (for eyes). Call once, at the start.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_personal,
            renderer,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a test, or `hub demo`, may set the logs up again
    )


def get_logger(room: str) -> structlog.stdlib.BoundLogger:
    """The logger of one room; pass ``__name__``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(room)
    return logger


def bound(**ids: int | str) -> AbstractContextManager[None]:
    """Within this block every line of the task carries these ids (run, delivery, request…)."""
    return structlog.contextvars.bound_contextvars(**ids)


def _replacement(found: re.Match[str]) -> str:
    if found["url"]:
        return _masked_url(found["url"])
    if found["address"]:
        return "[address]"
    return found[0] if not _is_token(found[0]) else "[token]"


def _is_token(word: str) -> bool:
    """Long words of letters alone are prose or names; tokens mix in digits or capitals."""
    if _PROVIDER_REFERENCE.match(word):
        return False
    return any(c.isdigit() for c in word) or (
        word != word.lower() and word != word.upper() and "_" not in word
    )


def _masked_url(url: str) -> str:
    parts = _URL.match(url)
    assert parts is not None, "the pattern that found it begins the same way"
    host, slash, path = parts["rest"].partition("/")
    if host.partition(":")[0].endswith(_PUSH_HOSTS):
        return f"{parts['origin']}{host}/[address]"
    return f"{parts['origin']}{host}{slash}{mask(path)}"


def _masked(name: str, value: Any) -> Any:
    if name.lower() in _HIDDEN_NAMES and value is not None:
        return "[hidden]"
    match value:
        case None | bool() | int() | float() | date() | timedelta():
            return value
        case Mapping():
            return {mask(str(k)): _masked(str(k), v) for k, v in value.items()}
        case str() | bytes() | PurePath():
            return mask(str(value))
        case Sequence() | set() | frozenset():
            return [_masked("", each) for each in value]
        case _:
            return mask(repr(value))
