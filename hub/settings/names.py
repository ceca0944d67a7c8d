# SPDX-License-Identifier: EUPL-1.2
"""The names of the settings: which exist, which was probably meant, and what one looks like."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from hub.settings.sections import Settings

Name = tuple[str | int, ...]  # ("server", "port"); a number is a place in a list

_HEADER = re.compile(r"\s*\[{1,2}\s*(?P<table>[^\]#]+?)\s*\]")
_ASSIGNMENT = re.compile(r"""\s*(?P<key>[\w."'-]+)\s*=""")


def dotted(name: Name) -> str:
    """``("server", "port")`` as ``server.port``."""
    return ".".join(map(str, name))


def fields_in(name: Name) -> Mapping[str, FieldInfo]:
    """The settings directly inside `name`; none when it is a value, or unknown."""
    fields: Mapping[str, FieldInfo] = Settings.model_fields
    for part in name:
        field = fields.get(str(part))
        fields = _inside(field) if field is not None else {}
    return fields


def field_of(name: Name) -> FieldInfo | None:
    """The declaration of one setting or section; None when there is no such name."""
    return fields_in(name[:-1]).get(str(name[-1]))


def every_name(within: Name = ()) -> Iterator[Name]:
    """All sections and settings, a section before what it holds."""
    for part in fields_in(within):
        yield (*within, part)
        yield from every_name((*within, part))


def first_unknown(name: Name) -> Name | None:
    """The shortest beginning of `name` that is no setting; None when all of it is known."""
    for depth in range(1, len(name) + 1):
        if field_of(name[:depth]) is None:
            return name[:depth]
    return None


def nearest(name: Name) -> Name | None:
    """The setting probably meant: a sibling spelt almost so, its namesake, or any spelt so."""
    last = str(name[-1])
    siblings = get_close_matches(last, fields_in(name[:-1]), n=1, cutoff=0.6)
    if siblings:
        return (*name[:-1], siblings[0])
    everywhere = {dotted(each): each for each in every_name()}
    namesake = next((each for each in everywhere.values() if each[-1] == last), None)
    alike = get_close_matches(dotted(name), everywhere, n=1, cutoff=0.6)
    return namesake or (everywhere[alike[0]] if alike else None)


def example(name: Name) -> str | None:
    """A value that fits, as TOML (``8080``, ``"fr"``); None for sections and unknown names."""
    field = field_of(name)
    if field is None or _inside(field):
        return None
    if is_secret(name):
        return '"(secret)"'
    value = field.examples[0] if field.examples else field.get_default(call_default_factory=False)
    shown = isinstance(value, str | int | float | list | tuple | Path)
    return json.dumps(value, default=str, ensure_ascii=False) if shown else None


def takes_json(name: Name) -> bool:
    """Whether a variable or secret file holds this setting as JSON: a section or a list."""
    field = field_of(name)
    return field is not None and (bool(_inside(field)) or _is(field, list, tuple))


def is_secret(name: Name) -> bool:
    """Whether the value of this setting must never be shown."""
    field = field_of(name)
    return field is not None and _is(field, SecretStr)


def anchored(values: Mapping[str, Any], folder: Path, within: Name = ()) -> dict[str, Any]:
    """The same nested values, with relative paths made to start from `folder`."""
    fields = fields_in(within)
    return {
        key: _anchored(value, fields.get(key), folder, (*within, key))
        for key, value in values.items()
    }


def lines_of(text: str) -> dict[Name, int]:
    """Where each key and table of a TOML text first stands (lines count from 1)."""
    lines: dict[Name, int] = {}
    table: Name = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header["table"])
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault(table + _parts(assignment["key"]), number)
    return lines


def _parts(key: str) -> Name:
    return tuple(part.strip(" \t\"'") for part in key.split("."))


def _inside(field: FieldInfo) -> dict[str, FieldInfo]:
    return {
        name: inner
        for model in _models(field.annotation)
        for name, inner in model.model_fields.items()
    }


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _is(field: FieldInfo, *kinds: type) -> bool:
    """Whether the field, or one of the alternatives it offers, is of one of these kinds."""
    offered = (field.annotation, *get_args(field.annotation))
    types = (get_origin(each) or each for each in offered)
    return any(isinstance(each, type) and issubclass(each, kinds) for each in types)


def _anchored(value: Any, field: FieldInfo | None, folder: Path, name: Name) -> Any:
    if isinstance(value, dict):
        return anchored(value, folder, name)
    if field is not None and isinstance(value, str | Path) and _is(field, Path):
        return folder / value
    return value
