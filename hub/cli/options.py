# SPDX-License-Identifier: EUPL-1.2
"""The options that several verbs share, and the settings read the same way by all of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.settings import Settings, SettingsError, load_settings

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
CONFIG = Path("hub.toml")


UNWRITABLE = "The data folder cannot be written: see its owner, its rights and its disk."


class Refusal(Exception):
    """What the command line cannot do, in one sentence for the operator; `main` prints it."""


def read_settings(
    config: Path, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """The settings, or a refusal with one line for each problem."""
    try:
        return load_settings(config, overrides=overrides)
    except SettingsError as refused:
        raise Refusal(str(refused)) from None
