# SPDX-License-Identifier: EUPL-1.2
"""The command line: one file a verb group, each with `register(app)`.

What a verb refuses it says in one sentence, by raising `hub.cli.options.Refusal`: it goes to
stderr without a traceback, and the exit code is 1.
"""

from importlib import import_module
from pkgutil import iter_modules

import typer

app = typer.Typer(
    help="The municipal notification hub.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain lines: they are read in journals and by scripts
)


@app.callback()
def _hub() -> None:
    """Keeps verbs verbs, even while there is only one."""


for _room in iter_modules(__path__):
    _register = getattr(import_module(f"{__name__}.{_room.name}"), "register", None)
    if _register is not None:
        _register(app)
