# SPDX-License-Identifier: EUPL-1.2
"""`hub catalogue` writes a file whole or not at all, and shows what one can subscribe to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.demo_town.town import FILES

Rows = Callable[..., list[tuple[Any, ...]]]
AREAS = ("--areas", f"{FILES}/zones.geojson")
TREE = """
[authority]
key = "valmont"
name = "Valmont"
timezone = "Europe/Paris"
language = "fr"
[[themes]]
key = "eau"
names = { fr = "Eau", en = "Water" }
"""


def test_the_same_file_again_changes_nothing(hub: Any, town: Path, rows: Rows) -> None:
    before = rows("SELECT * FROM theme"), rows("SELECT * FROM zone")
    out = hub("catalogue", "import", f"{FILES}/catalogue.toml", *AREAS).out
    assert out == "27 unchanged.\n"
    assert (rows("SELECT * FROM theme"), rows("SELECT * FROM zone")) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    hub: Any, town: Path, rows: Rows
) -> None:
    Path("tree.toml").write_text(TREE, "utf-8")
    before = rows("SELECT * FROM theme"), rows("SELECT * FROM audit")
    out = hub("catalogue", "import", "tree.toml", "--archive-missing", "--dry-run").out
    assert "updated   theme eau\n" in out
    assert "archived  theme crue\n" in out
    assert out.endswith("Nothing was written.\n")
    assert (rows("SELECT * FROM theme"), rows("SELECT * FROM audit")) == before


def test_what_the_file_no_longer_names_is_archived_only_when_asked(
    hub: Any, town: Path, rows: Rows
) -> None:
    Path("tree.toml").write_text(TREE, "utf-8")
    hub("catalogue", "import", "tree.toml")
    assert rows("SELECT count(*) FROM theme WHERE archived") == [(0,)]
    hub("catalogue", "import", "tree.toml", "--archive-missing")
    assert rows("SELECT key FROM theme WHERE NOT archived") == [("eau",)]
    assert "culture  Culture  (archived)" in hub("catalogue", "show").out
    [(verb, about)] = rows("SELECT verb, object FROM audit ORDER BY id DESC LIMIT 1")
    assert (verb, about) == ("import", "catalogue")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (b"themes = [", "Not a TOML file: "),
        (b"", "[authority] must give key, name, timezone and language."),
        (TREE.replace('"eau"', '"Eau!"').encode(), "A theme key is made of "),
        (b"\xff", "tree.toml is not UTF-8 text (byte 0)."),
    ],
)
def test_a_file_with_a_mistake_is_explained_and_changes_nothing(
    written: bytes, sentence: str, hub: Any, town: Path, rows: Rows
) -> None:
    Path("tree.toml").write_bytes(written)
    before = rows("SELECT * FROM theme")
    ended = hub("catalogue", "import", "tree.toml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"hub: {sentence}")
    assert rows("SELECT * FROM theme") == before


def test_areas_of_zones_nobody_named_are_refused(hub: Any, town: Path) -> None:
    Path("tree.toml").write_text(TREE, "utf-8")
    ended = hub("catalogue", "import", "tree.toml", *AREAS)
    assert ended.code == 1
    assert "GeoJSON: no zone is “centre”." in ended.err


def test_the_trees_show_the_keys_that_options_take(hub: Any, town: Path) -> None:
    shown = hub("catalogue", "show").out.splitlines()
    assert shown[0] == "Ville de Valmont-sur-Orne (valmont)"
    assert "  eau  Eau et coupures" in shown
    assert "    coupures  Coupures d’eau" in shown
    assert "    tanneries  Tanneries  (district)" in shown


def test_what_is_exported_changes_nothing_when_it_is_imported_again(
    hub: Any, town: Path, rows: Rows
) -> None:
    Path("town.toml").write_text(hub("catalogue", "export", "--areas", "town.geojson").out, "utf-8")
    first = hub("catalogue", "import", "town.toml", "--areas", "town.geojson").out
    assert "created" not in first
    assert "archived" not in first
    before = rows("SELECT * FROM theme"), rows("SELECT * FROM zone")
    again = hub("catalogue", "export").out
    assert again == Path("town.toml").read_text("utf-8")
    assert hub("catalogue", "import", "town.toml", "--archive-missing").out == "27 unchanged.\n"
    assert (rows("SELECT * FROM theme"), rows("SELECT * FROM zone")) == before
