# SPDX-License-Identifier: EUPL-1.2
"""Secrets that a person hands in: tried against the settings, kept as a file, never read back."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError

LONGEST: Final = 4_096
_PRIVATE: Final = 0o600


class UnfitSecretError(Exception):
    """It is not what this setting takes; the next start would refuse it."""


def secrets_of(section: BaseModel, prefix: str) -> Mapping[str, bool]:
    """{name as its file spells it: whether it is set}, of a section and those within it."""
    found: dict[str, bool] = {}
    for name in type(section).model_fields:
        value, path = getattr(section, name), f"{prefix}__{name}"
        if isinstance(value, SecretStr):
            found[path] = bool(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found |= secrets_of(value, path)
    return found


def plain_of(section: BaseModel, prefix: str = "") -> Mapping[str, object]:
    """{dotted name: value} of all that is no secret."""
    found: dict[str, object] = {}
    for name in type(section).model_fields:
        value, path = getattr(section, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            found |= plain_of(value, f"{path}.")
        elif not isinstance(value, SecretStr):
            found[path] = value
    return found


def tried(section: BaseModel, prefix: str, given: Mapping[str, str]) -> None:
    """See whether the section takes these secrets. Raises `UnfitSecretError` with the name."""
    for name, text in given.items():
        if len(text) > LONGEST or not text.isprintable() or text != text.strip():
            raise UnfitSecretError(name)
        inside, _, last = name.removeprefix(f"{prefix}__").rpartition("__")
        holder = getattr(section, inside) if inside else section
        try:
            type(holder).model_validate({**dict(holder), last: text})
        except ValidationError:  # it quotes what it was given: nothing of it is passed on
            raise UnfitSecretError(name) from None


def write_secret(folder: Path, name: str, text: str) -> None:
    """Put the file in place whole or not at all, readable by us alone. Raises `OSError`."""
    folder.mkdir(mode=0o700, exist_ok=True)
    beside = folder / f".{name}.new"  # a name with a full stop is not read as a secret
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / name)
