# SPDX-License-Identifier: EUPL-1.2
"""`hub` and `python -m hub`: the command line."""

import sys
from collections.abc import Sequence

import typer

from hub.cli import app_for
from hub.cli.options import Refusal


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (default: what the process was given); ends with its exit code."""
    asked = sys.argv[1:] if arguments is None else arguments
    try:
        app_for(asked)(args=asked, prog_name="hub")
    except Refusal as refused:
        typer.echo(f"hub: {refused}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
