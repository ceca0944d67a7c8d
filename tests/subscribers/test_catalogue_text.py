# SPDX-License-Identifier: EUPL-1.2
"""What officers wrote, whatever its characters, is exported so that it is read back the same."""

import tomllib

from subscribers.catalogue import load_catalogue
from subscribers.catalogue_edit import Kind, add, change
from subscribers.catalogue_file import import_catalogue
from subscribers.catalogue_text import as_toml

ODD = 'L’"eau" \\ n°1\u2028 \x7f {x = 1} \U0001f30a'


def test_names_of_any_characters_come_back(conn, town):
    values = {"names": {"fr": ODD, "en": ODD}, "about": {"fr": f"{ODD}\n# deux"}, "advised": True}
    key = add(conn, Kind.THEME, town, values | {"parent": town.themes_by_key["eau"].id})
    written = as_toml(load_catalogue(conn, town.authority))
    entry = next(each for each in tomllib.loads(written)["themes"] if each["key"] == key)
    assert entry["names"] == {"fr": ODD, "en": ODD}
    assert entry["about"] == {"fr": f"{ODD}\n# deux"}
    assert (entry["parent"], entry["advised"]) == ("eau", True)
    report = import_catalogue(conn, written)
    assert not report.problems
    assert not report.created


def test_what_was_archived_stays_so_and_what_stood_below_goes_to_the_next_above(conn, town):
    change(conn, Kind.THEME, town.themes_by_key["coupures"], {"archived": True})
    written = as_toml(load_catalogue(conn, town.authority))
    entries = {each["key"]: each for each in tomllib.loads(written)["themes"]}
    assert "coupures" not in entries
    assert entries["coupures-nuit"]["parent"] == "eau"
    import_catalogue(conn, written)
    assert load_catalogue(conn, town.authority).themes_by_key["coupures"].archived
