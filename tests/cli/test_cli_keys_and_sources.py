# SPDX-License-Identifier: EUPL-1.2
"""`hub key` and `hub source`: a secret is shown once, opens what was asked for and no more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.base import Urgency
from hub.app import Keys
from hub.flow.accept.credentials import Seal, desk_of_key, principal_of_key, source_of
from hub.ledger.database import open_readers
from hub.settings import load_settings

Rows = Callable[..., list[tuple[Any, ...]]]


def _read(work: Callable[[Connection], Any]) -> Any:
    engine = open_readers(Path("data/ledger.sqlite3"))
    with engine.connect() as conn:
        found = work(conn)
    engine.dispose()
    return found


def test_a_new_key_opens_the_api_within_its_scope(hub: Any, town: Path, rows: Rows) -> None:
    out = hub("key", "add", "library", "--theme", "culture", "--may-publish").out
    key = out.rpartition("Bearer ")[2].strip()
    principal = _read(lambda conn: principal_of_key(conn, key))
    assert principal is not None
    assert principal.themes == ("culture",)
    assert principal.may_publish
    assert principal.highest_urgency is Urgency.IMPORTANT
    assert rows("SELECT count(*) FROM api_key WHERE hash = :key", key=key) == [(0,)]


def test_a_desks_key_opens_the_desk_and_no_other_door(hub: Any, town: Path) -> None:
    out = hub("key", "add", "accueil", "--desk").out
    assert "/guichet" in out
    assert "Bearer" not in out
    key = next(line for line in out.splitlines() if line.startswith("hub_"))
    desk = _read(lambda conn: desk_of_key(conn, key))
    assert desk is not None
    assert desk["name"] == "accueil"
    assert _read(lambda conn: principal_of_key(conn, key)) is None
    assert "nothing (a desk)" in hub("key", "list").out.splitlines()[1]
    machine = hub("key", "add", "library").out.rpartition("Bearer ")[2].strip()
    assert _read(lambda conn: desk_of_key(conn, machine)) is None


def test_a_desks_key_cannot_be_told_to_publish(hub: Any, town: Path) -> None:
    for more in (("--may-publish",), ("--theme", "culture")):
        ended = hub("key", "add", "accueil", "--desk", *more)
        assert (ended.code, "publishes nothing" in ended.err) == (1, True)


def test_by_default_a_key_and_a_source_wait_for_approval(hub: Any, town: Path) -> None:
    hub("key", "add", "library")
    hub("source", "add", "vigicrues")
    for group in ("key", "source"):
        listed = hub(group, "list").out.splitlines()
        assert len(listed) == 2
        assert "after approval" in listed[1]
        assert "important" in listed[1]


def test_a_source_shows_its_secret_and_address_and_the_daemon_can_open_it(
    hub: Any, town: Path
) -> None:
    out = hub(
        *("source", "add", "vigicrues", "--theme", "crue", "--highest-urgency", "urgent"),
        "--may-publish",
    ).out
    secret = next(line for line in out.splitlines() if line.startswith("whsec_"))
    assert out.splitlines()[-1] == "http://127.0.0.1:8080/hooks/vigicrues"
    seal = Seal(Keys.of(load_settings(Path("hub.toml"))).seal)
    found = _read(lambda conn: source_of(conn, "vigicrues", seal))
    assert found is not None
    assert found.secret == secret
    assert (found.principal.themes, found.principal.highest_urgency) == (("crue",), Urgency.URGENT)


@pytest.mark.parametrize("group", ["key", "source"])
def test_what_is_revoked_opens_nothing_and_its_name_stays_taken(
    group: str, hub: Any, town: Path
) -> None:
    hub(group, "add", "library")
    assert hub(group, "revoke", "library").out == f"The {group} 'library' is revoked.\n"
    assert not hub(group, "list").out.splitlines()[1].endswith("approval")
    again = hub(group, "revoke", "library")
    assert (again.code, again.err) == (1, f"hub: There is no living {group} 'library'.\n")
    taken = hub(group, "add", "library")
    assert taken.code == 1
    assert "'library' is taken" in taken.err


@pytest.mark.parametrize("group", ["key", "source"])
def test_a_theme_the_town_does_not_have_is_refused(group: str, hub: Any, town: Path) -> None:
    ended = hub(group, "add", "library", "--theme", "cultur")
    assert (ended.code, ended.err) == (
        1,
        "hub: There is no theme 'cultur'; hub catalogue show lists them.\n",
    )


def test_a_name_that_cannot_be_one_is_refused(hub: Any, town: Path) -> None:
    assert hub("key", "add", " ").err == "hub: Give the key a name.\n"
    ended = hub("source", "add", "Météo France")
    assert ended.err == ("hub: A source's key is made of lower-case letters, digits and hyphens.\n")


def test_a_source_needs_the_hubs_own_secret(hub: Any, town: Path) -> None:
    Path("data/secrets/hub__secret").unlink()
    ended = hub("source", "add", "vigicrues")
    assert ended.code == 1
    assert "hub.secret" in ended.err
    assert len(ended.err.splitlines()) == 1
