# SPDX-License-Identifier: EUPL-1.2
"""Reads the settings and, when they are wrong, says where, what, and what was probably meant.

Strongest first: what the command line hands in, the environment (HUB__SECTION__KEY), the secrets
folder (one file a key, named section__key), hub.toml. This is the only reader of the environment.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, assert_never

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from hub.settings import names
from hub.settings.names import Name, dotted
from hub.settings.sections import Settings

PREFIX = "HUB__"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings; never holds the value that was wrong.

    `key` is dotted (``server.port``), `source` is where it was read (``hub.toml line 12``);
    `nearest` and `example` are spelt as that source spells them.
    """

    key: str
    source: str
    wrong: str
    nearest: str | None = None
    example: str | None = None

    def __str__(self) -> str:
        subject = f"{self.key} " if self.key else ""
        meant = f" Did you mean {self.nearest}?" if self.nearest else ""
        shown = f" Example: {self.example}" if self.example else ""
        return f"{self.source}: {subject}{self.wrong}.{meant}{shown}"


class SettingsError(Exception):
    """The settings cannot be used. `problems` has all of them; the text is one line for each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class _Kind(Enum):
    """The three places settings are written in."""

    ENVIRONMENT = "environment variable"
    SECRETS = "secret file"
    FILE = "settings file"

    def spell(self, name: Name) -> str:
        """One setting as this place writes its name."""
        match self:
            case _Kind.ENVIRONMENT:
                return PREFIX + "__".join(map(str, name)).upper()
            case _Kind.SECRETS:
                return "__".join(map(str, name))
            case _Kind.FILE:
                return dotted(name)
            case _:
                assert_never(self)

    def example(self, name: Name) -> str | None:
        """One setting as this place writes it with a value; None where there is none to show."""
        value = names.example(name)
        match self:
            case _ if value is None:
                return None
            case _Kind.FILE:
                return f"{name[-1]} = {value}"
            case _:
                return self.spell(name) + "=" + value.strip('"')


@dataclass(frozen=True, slots=True)
class _Source:
    """The values of one place, nested by section, and where each of them stands in it."""

    kind: _Kind
    values: Mapping[str, Any]
    places: Mapping[Name, str]

    def place(self, key: Name) -> str | None:
        """Where this source sets `key`, or a part of it; None where it has no word on it."""
        for depth in range(len(key), 0, -1):
            if key[:depth] in self.places:
                return self.places[key[:depth]]
        return next((p for name, p in self.places.items() if name[: len(key)] == key), None)


class _Strings(EnvSettingsSource):
    """pydantic-settings' reading of HUB__A__B=text, from names and values handed in."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._variables.items()}


def load_settings(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """The settings of `path` (None: no file), the secrets folder, `environ` and `overrides`.

    Relative paths start from the folder of `path`, or where the program runs without one. Raises
    `SettingsError` with every problem found: a missing file, an unknown name anywhere, a value
    that does not fit.
    """
    problems: list[Problem] = []
    file = [_read_file(path)] if path else []
    folder = path.absolute().parent if path else Path.cwd()
    variables = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX)}
    environment = _read_strings(_Kind.ENVIRONMENT, variables, problems)

    def together(*sources: _Source) -> dict[str, Any]:
        weakest_first = [{"hub": {"data": "data"}}, *(s.values for s in reversed(sources))]
        return names.anchored(_merged(*weakest_first, overrides or {}), folder)

    others = together(environment, *file)
    secrets = _read_secrets(others["hub"], problems)
    _keep_off(secrets.values, others.get("channels", {}))
    sources = [environment, secrets, *file]
    try:
        settings = Settings(**together(*sources))
    except ValidationError as refused:
        problems += [_problem(error, sources) for error in refused.errors(include_url=False)]
    if problems:
        raise SettingsError(problems)
    return settings


def _keep_off(secrets: Mapping[str, Any], configured: Any) -> None:
    """A secret lying ready does not switch its channel on: hub.toml or the environment does."""
    channels = secrets.get("channels", {})
    for name in [name for name in channels if name not in configured]:
        del channels[name]
    for name, section in channels.items():  # nor its second provider
        if "backup" in section and "backup" not in (configured[name] or {}):
            del section["backup"]


def _merged(*weakest_first: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for values in weakest_first:
        for key, value in values.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
            merged[key] = _merged(merged[key], value) if both else value
    return merged


def _read_file(path: Path) -> _Source:
    try:
        text = path.read_text("utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        wrong = "there is no such file; `hub init` writes one, or name yours with --config"
    except tomllib.TOMLDecodeError as refused:
        wrong = f"is not TOML: {str(refused)[:1].lower()}{str(refused)[1:]}"
    except UnicodeDecodeError:
        wrong = "is not UTF-8 text"
    except OSError as refused:
        wrong = f"cannot be read: {refused.strerror}"
    else:
        places = {name: f"{path.name} line {at}" for name, at in names.lines_of(text).items()}
        return _Source(_Kind.FILE, values, places)
    raise SettingsError([Problem("", str(path), wrong)])


def _read_secrets(hub: Any, problems: list[Problem]) -> _Source:
    """The files of the secrets folder; `hub` is that section as the other sources give it."""
    hub = hub if isinstance(hub, Mapping) else {}
    folder = Path(str(hub.get("secrets") or Path(str(hub.get("data", "data")), "secrets")))
    texts: dict[str, str] = {}
    try:
        files = sorted(folder.iterdir())
    except OSError as refused:
        if hub.get("secrets"):  # asked for by name; the default one need not exist
            wrong = f"cannot be read: {refused.strerror}"
            problems.append(Problem("hub.secrets", str(folder), wrong))
        files = []
    for file in files:
        if file.name.startswith("."):  # Kubernetes keeps its own bookkeeping there
            continue
        try:
            texts[file.name] = file.read_text("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            problems.append(Problem("", f"secret file {file.name}", "is not UTF-8 text"))
        except OSError as refused:
            wrong = f"cannot be read: {refused.strerror}"
            problems.append(Problem("", f"secret file {file.name}", wrong))
    return _read_strings(_Kind.SECRETS, texts, problems)


def _read_strings(kind: _Kind, texts: Mapping[str, str], problems: list[Problem]) -> _Source:
    """Known names go to pydantic-settings, which would pass over an unknown section in silence."""
    known: dict[str, str] = {}
    places: dict[Name, str] = {}
    for written, text in texts.items():
        bare = written.lower().removeprefix(PREFIX.lower() if kind is _Kind.ENVIRONMENT else "")
        name: Name = tuple(bare.split("__"))
        place = f"{kind.value} {written}"
        if unknown := names.first_unknown(name):
            problems.append(_unknown(unknown, kind, place))
        elif names.takes_json(name) and not _is_json(text):
            example = kind.example(name)
            problems.append(Problem(dotted(name), place, "should be JSON", None, example))
        else:
            known[PREFIX + bare] = text
            places[name] = place
    return _Source(kind, _Strings(known)(), places)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _unknown(name: Name, kind: _Kind, place: str) -> Problem:
    meant = names.nearest(name)
    if meant is None:
        known = ", ".join(names.fields_in(name[:-1]))
        return Problem(dotted(name), place, f"is not a setting; known are {known}")
    spelt, example = kind.spell(meant), kind.example(meant)
    return Problem(dotted(name), place, "is not a setting", spelt, example)


def _problem(error: ErrorDetails, sources: list[_Source]) -> Problem:
    key: Name = error["loc"]
    found = ((source.kind, place) for source in sources if (place := source.place(key)))
    kind, place = next(found, (_Kind.FILE, "settings"))
    if error["type"] == "extra_forbidden":
        return _unknown(key, kind, place)
    return Problem(dotted(key), place, _wrong(error, kind), None, kind.example(key))


def _wrong(error: ErrorDetails, kind: _Kind) -> str:
    """Pydantic's sentence after our subject. A validator of our own may quote what it was given,
    so of a secret only its standard sentences are passed on."""
    if error["type"] == "missing":
        return "is missing"
    if error["type"] in ("value_error", "assertion_error"):
        secret = kind is _Kind.SECRETS or names.is_secret(error["loc"])
        return "is not what it should be" if secret else error["msg"].partition(", ")[2]
    return re.sub(r"^\w+ (?=should )", "", error["msg"])
