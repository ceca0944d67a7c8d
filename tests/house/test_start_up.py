# SPDX-License-Identifier: EUPL-1.2
"""What a verb does not use it does not import: a restart is as short as that."""

import subprocess
import sys

import pytest

from hub.cli import app_for


@pytest.mark.parametrize(
    ("imported", "unwanted"),
    [
        ("hub.app", {"twitter_text", "alembic"}),
        ("hub.cli.options", {"hub.app", "sqlalchemy", "aiohttp"}),
    ],
)
def test_importing_it_leaves_out(imported: str, unwanted: set[str]) -> None:
    asked = f"import sys, {imported}; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert not unwanted & set(found.stdout.split())


@pytest.mark.parametrize("verb", ["key", "cancel", "import", "serve"])
def test_one_room_is_opened_for_a_verb_that_says_which(verb: str) -> None:
    names = {each.name for each in app_for([verb]).registered_commands}
    groups = {each.name for each in app_for([verb]).registered_groups}
    assert verb in names | groups
    assert "demo" not in names


def test_every_room_is_opened_for_help_and_for_a_verb_nobody_knows() -> None:
    for asked in ([], ["--help"], ["desk"], ["redirve"]):
        assert {"demo", "serve"} <= {each.name for each in app_for(asked).registered_commands}
