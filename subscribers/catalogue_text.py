# SPDX-License-Identifier: EUPL-1.2
"""The catalogue written as the files `subscribers.catalogue_file` reads: nothing changes by it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from subscribers.catalogue import Catalogue, Theme, Zone
from subscribers.catalogue_edit import ordered

Node = Theme | Zone


def as_toml(catalogue: Catalogue) -> str:
    """The town, its living themes and places. Imported as it is, it leaves all unchanged but the
    order, which is the tree's."""
    town = {
        "key": catalogue.key,
        "name": catalogue.name,
        "timezone": catalogue.timezone,
        "language": catalogue.language,
    }
    parts = ["[authority]\n" + _lines(town)]
    parts += [f"[[themes]]\n{_lines(each)}" for each in _entries(catalogue.themes)]
    parts += [f"[[zones]]\n{_lines(each)}" for each in _entries(catalogue.zones)]
    return "\n".join(parts)


def as_geojson(catalogue: Catalogue) -> str:
    """The outlines of the living places, a feature each."""
    features = [
        {"type": "Feature", "properties": {"key": zone.key}, "geometry": zone.area}
        for zone in catalogue.zones.values()
        if zone.area is not None and not zone.archived
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False) + "\n"


def _entries(nodes: Mapping[int, Node]) -> Iterator[Mapping[str, Any]]:
    for node, _ in ordered(nodes):
        if node.archived:
            continue
        above = _living(nodes, node.parent)
        entry: dict[str, Any] = {"key": node.key, "names": node.names}
        entry |= {} if above is None else {"parent": above.key}
        if isinstance(node, Zone):
            yield entry | {"level": node.level}
        else:
            entry |= {"about": node.about} if node.about else {}
            yield entry | ({"advised": True} if node.advised else {})


def _living(nodes: Mapping[int, Node], number: int | None) -> Node | None:
    """The nearest above that was not archived."""
    found = nodes.get(number) if number is not None else None
    while found is not None and found.archived:
        found = nodes.get(found.parent) if found.parent is not None else None
    return found


def _lines(entry: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_value(given)}\n" for name, given in entry.items())


def _value(given: Any) -> str:
    if isinstance(given, Mapping):
        return "{ " + ", ".join(f"{json.dumps(n)} = {_value(v)}" for n, v in given.items()) + " }"
    if isinstance(given, bool):
        return "true" if given else "false"
    # a JSON string is a basic string of TOML 1.0, but for a character that TOML wants escaped
    return json.dumps(str(given), ensure_ascii=False).replace("\x7f", "\\u007f")
