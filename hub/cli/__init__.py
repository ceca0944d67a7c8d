# SPDX-License-Identifier: EUPL-1.2
"""The command line: one file a verb group, each with `register(app)`.

What a verb refuses it says in one sentence, by raising `hub.cli.options.Refusal`: it goes to
stderr without a traceback, and the exit code is 1.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

import typer

# Verbs whose room has another name. One missing here, or misspelt, costs the time to open every
# room (two seconds), no more.
_ROOM_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cancel": "approve",
        "drain": "channel",
        "import": "importing",
        "parked": "redrive",
        "pause": "approve",
        "resume": "approve",
    }
)


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """The command line with the one room these arguments ask for, or with all of them.

    A restarted daemon opens no room but its own: what it does not import it does not wait for.
    """
    app = typer.Typer(
        help="The municipal notification hub.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain lines: they are read in journals and by scripts
    )
    app.callback()(_hub)
    for room in _rooms(arguments[0] if arguments else ""):
        register = getattr(import_module(f"{__name__}.{room}"), "register", None)
        if register is not None:
            register(app)
    return app


def _hub() -> None:
    """Keeps verbs verbs, even while there is only one."""


def _rooms(verb: str) -> Sequence[str]:
    every = [room.name for room in iter_modules(__path__)]
    room = _ROOM_OF.get(verb, verb)
    # A room of the same name may hold another verb, or none: it must know the one that is asked.
    if room in every and hasattr(import_module(f"{__name__}.{room}"), "register"):
        return [room]
    return every
