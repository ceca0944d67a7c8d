# SPDX-License-Identifier: EUPL-1.2
"""`hub announce` keeps what it accepts, and what it foresees is what would leave."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from channels.base import SHORT_STOP_MARK
from hub.ledger.database import open_writer

WATER = ("--title", "Coupure", "--body", "Demain de 8 h à 12 h.", "--theme", "coupures")
Rows = Callable[..., list[tuple[Any, ...]]]


def test_an_announcement_is_in_the_ledger_with_its_runs_once_the_command_ends(
    hub: Any, town: Path, rows: Rows
) -> None:
    ended = hub("announce", *WATER)
    assert ended.code == 0
    code, _, rest = ended.out.partition(" ")
    assert rest == f"is running.\nhttp://127.0.0.1:8080/a/{code}\n"
    assert rows("SELECT state, source FROM announcement WHERE code = :code", code=code) == [
        ("running", "cli")
    ]
    assert rows("SELECT channel FROM run ORDER BY id") == [("sms",), ("email",), ("webpush",)]
    [(actor, verb)] = rows(
        "SELECT actor, verb FROM audit WHERE object = :o", o=f"announcement:{code}"
    )
    assert verb == "publish"
    assert actor


def test_a_draft_waits_for_approval(hub: Any, town: Path, rows: Rows) -> None:
    ended = hub("announce", *WATER, "--draft")
    [(code, state)] = rows("SELECT code, state FROM announcement")
    assert state == "to_approve"
    assert f"hub approve {code}" in ended.out
    assert rows("SELECT * FROM run") == []


def test_the_same_key_publishes_once_and_says_so(hub: Any, town: Path, rows: Rows) -> None:
    first = hub("announce", *WATER, "--key", "k1", "--json")
    again = hub("announce", *WATER, "--key", "k1", "--json")
    assert json.loads(first.out)["repeated"] is False
    assert json.loads(again.out) == {**json.loads(first.out), "repeated": True}
    assert len(rows("SELECT * FROM announcement")) == 1
    assert "nothing new was written" in hub("announce", *WATER, "--key", "k1").out


def test_a_key_used_for_something_else_is_a_refusal(hub: Any, town: Path) -> None:
    hub("announce", *WATER, "--key", "k1")
    ended = hub("announce", *WATER, "--key", "k1", "--urgency", "important")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "hub: This idempotency key was used for another announcement.\n"


def test_options_replace_what_the_file_says(hub: Any, town: Path, rows: Rows) -> None:
    said = {"title": "Ancien", "body": "Corps.", "themes": ["eau"], "thread": True}
    Path("said.json").write_text(json.dumps(said), "utf-8")
    ended = hub(
        *("announce", "--file", "said.json", "--title", "Nouveau", "--zone", "centre"),
        *("--channel", "email", "--no-post-link", "--urgency", "important"),
    )
    assert ended.code == 0, ended.err
    [(urgency, document)] = rows("SELECT urgency, document FROM announcement")
    kept = json.loads(document)
    assert urgency == "important"
    assert kept["contents"]["fr"]["title"] == "Nouveau"
    assert (kept["zones"], kept["channels"], kept["themes"]) == (["centre"], ["email"], ["eau"])
    assert (kept["post_link"], kept["thread"]) == (False, True)


def test_the_announcement_can_come_through_standard_input(hub: Any, town: Path, rows: Rows) -> None:
    said = {"title": "Par là", "body": "Corps.", "themes": ["eau"]}
    ended = hub("announce", "--file", "-", stdin=json.dumps(said).encode())
    assert ended.code == 0, ended.err
    assert len(rows("SELECT * FROM announcement")) == 1


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-9, 40], [9, 40], [9, 60], [-9, 60], [-9, 40]]],
}
FEATURE = {"type": "Feature", "properties": {}, "geometry": SQUARE}


@pytest.mark.parametrize(
    "drawn", [SQUARE, FEATURE, {"type": "FeatureCollection", "features": [FEATURE]}]
)
def test_an_area_is_taken_as_map_editors_write_it(
    drawn: dict[str, Any], hub: Any, town: Path, rows: Rows
) -> None:
    Path("area.geojson").write_text(json.dumps(drawn), "utf-8")
    ended = hub("announce", *WATER, "--polygon", "area.geojson")
    assert ended.code == 0, ended.err
    [(document,)] = rows("SELECT document FROM announcement")
    assert json.loads(document)["polygon"] == SQUARE


def test_a_time_to_come_is_kept_and_shown(hub: Any, town: Path, rows: Rows) -> None:
    from datetime import UTC, datetime, timedelta

    moment = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    ended = hub("announce", *WATER, "--publish-at", moment.isoformat())
    assert f"leaves at {moment:%Y-%m-%dT%H:%M:%S}.000Z." in ended.out
    assert rows("SELECT state FROM announcement") == [("scheduled",)]


@pytest.mark.parametrize(
    ("options", "sentences"),
    [
        ((), ["body: This field is required.", "themes: This field is required."]),
        (("--body", "x", "--theme", "nope"), ["themes.0: There is no theme 'nope'."]),
        (("--body", "x", "--theme", "eau", "--zone", "zz"), ["zones.0: There is no zone 'zz'."]),
        (
            ("--body", "x", "--theme", "eau", "--link", "ftp://x"),
            ["link: The link must start with https://."],
        ),
        (
            ("--body", "x", "--theme", "eau", "--publish-at", "2026-11-26T08:00"),
            ["publish_at: Add the offset, for example 2026-11-26T08:00:00+01:00."],
        ),
        (
            ("--body", "x", "--theme", "eau", "--expires", "demain"),
            ["expires: Write a date like 2026-11-26T08:00:00+01:00."],
        ),
        (
            ("--body", "x", "--theme", "eau", "--channel", "x"),
            ["channels.0: The channel 'x' is not configured."],
        ),
        (
            ("--body", "x", "--theme", "eau", "--kind", "update", "--about", "zzzzzz"),
            ["about: Give in `about` the id of an announcement that was published."],
        ),
        (("--file", "nowhere.json"), ["nowhere.json cannot be read: No such file or directory."]),
        (("--file", "."), [". cannot be read: Is a directory."]),
        (
            ("--body", "x", "--theme", "eau", "--polygon", "sea.geojson"),
            ["polygon: This polygon touches no place of the town."],
        ),
    ],
)
def test_what_is_refused_is_said_in_one_line_a_field_and_nothing_is_written(
    options: tuple[str, ...], sentences: list[str], hub: Any, town: Path, rows: Rows
) -> None:
    ring = [[100, 0], [101, 0], [101, 1], [100, 0]]
    sea = {"type": "Polygon", "coordinates": [ring]}
    Path("sea.geojson").write_text(json.dumps(sea), "utf-8")
    ended = hub("announce", "--title", "Essai", *options)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.removeprefix("hub: ").splitlines() == sentences
    assert rows("SELECT * FROM announcement") == []


@pytest.mark.parametrize("written", [b"[1]", b"{", b"\xff", b'{"title": NaN}'])
def test_a_file_that_is_no_announcement_is_refused_in_one_line(
    written: bytes, hub: Any, town: Path
) -> None:
    ended = hub("announce", "--file", "-", stdin=written)
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1


# --------------------------------------------------------------------------- the dry run


def test_a_dry_run_writes_nothing(hub: Any, town: Path, rows: Rows) -> None:
    before = rows("SELECT count(*) FROM audit")
    assert hub("announce", *WATER, "--dry-run").code == 0
    assert rows("SELECT * FROM announcement") == []
    assert rows("SELECT count(*) FROM audit") == before


def test_a_dry_run_counts_each_person_once_and_says_who_is_not_reached(
    hub: Any, town: Path
) -> None:
    ended = hub("announce", *WATER, "--dry-run", "--json")
    found = json.loads(ended.out)
    # a, b, c by SMS (a and c share a number), a, d, f by e-mail, f without a device
    assert found["people"] == 5
    assert found["channels"]["sms"]["messages"] == 2
    assert found["channels"]["sms"]["same_address"] == 1
    assert found["channels"]["email"]["messages"] == 3
    assert found["channels"]["webpush"]["not_reached"]["no_contact_point"] == 1
    assert found["zones"] == {"": 2, "tanneries": 2, "centre": 1}


def test_the_cost_is_readers_of_each_language_times_their_segments_times_the_price(
    hub: Any, town: Path
) -> None:
    said = {
        "title": "Coupure d’eau",  # the apostrophe makes it dear
        "body": "De 8 h à 12 h. " * 6,
        "themes": ["coupures"],
        "translations": {"en": {"title": "Water cut", "body": "From 8 to 12."}},
    }
    command = ("announce", "--file", "-", "--channel", "sms", "--dry-run")
    found = json.loads(hub(*command, "--json", stdin=json.dumps(said).encode()).out)
    texts = {each["language"]: each for each in found["texts"]}
    assert (texts["fr"]["messages"], texts["en"]["messages"]) == (1, 1)
    assert texts["fr"]["figures"]["segments"]["count"] == 3
    assert texts["en"]["figures"]["segments"]["count"] == 1
    assert texts["fr"]["cost"] == pytest.approx(0.045 * 3)
    shown = hub(*command, stdin=json.dumps(said).encode()).out
    assert "sms, fr: 1 x 3 segments (UCS-2, " in shown
    assert "dear characters: '’' x1 -> \"'\"" in shown
    assert "without them: 2 segments: 0.09 EUR" in shown
    assert shown.endswith("Estimated cost: 0.18 EUR\n")


def test_the_text_foreseen_is_the_text_that_leaves(hub: Any, town: Path) -> None:
    found = json.loads(hub("announce", *WATER, "--dry-run", "--json").out)
    [sms] = [each for each in found["texts"] if each["channel"] == "sms"]
    assert sms["text"]["body"] == (
        "Ville de Valmont-sur-Orne : Coupure. Demain de 8 h à 12 h. "
        f"Infos/STOP : http://127.0.0.1:8080/s/{SHORT_STOP_MARK}"
    )


def test_a_dry_run_shows_every_channel_and_language_to_eyes(hub: Any, town: Path) -> None:
    long = "Un texte que les téléphones coupent parce qu'il est long. " * 4
    title = "Un objet d'e-mail que les boîtes aux lettres ne montrent pas en entier ici"
    shown = hub("announce", "--title", title, "--body", long, "--theme", "eau", "--dry-run").out
    assert "4 people; nothing was written." in shown
    assert "the whole town" in shown
    assert "inboxes show 60 characters of the subject" in shown
    assert "phones cut it as shown" in shown
    assert "price not set for email, webpush" in shown


def test_a_dry_run_over_nobody_says_zero(hub: Any, town: Path) -> None:
    shown = hub("announce", "--title", "T", "--body", "B", "--theme", "sante", "--dry-run").out
    assert shown.startswith("0 people; nothing was written.")
    assert "asked for" not in shown


def test_posts_on_x_show_their_weights_and_the_price_with_a_link(
    hub: Any, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret"):
        monkeypatch.setenv(f"HUB__CHANNELS__X__{name.upper()}", "not a real one")
    command = ("announce", *WATER, "--channel", "x", "--dry-run")
    assert "x, fr: 0 x 1 post (" in hub(*command).out
    found = json.loads(hub(*command, "--no-post-link", "--json").out)
    assert found["texts"][0]["currency"] == "USD"


def test_the_sandbox_stands_in_for_every_channel(
    hub: Any, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB__SANDBOX__ENABLED", "true")
    found = json.loads(hub("announce", *WATER, "--dry-run", "--json").out)
    assert list(found["channels"]) == ["sms", "email", "x", "webpush"]


def test_without_a_channel_nobody_would_be_told_so_it_is_refused(hub: Any, town: Path) -> None:
    settings = Path("hub.toml")
    settings.write_text(settings.read_text("utf-8").rpartition("\n[channels.sms]")[0], "utf-8")
    ended = hub("announce", *WATER)
    assert ended.code == 1
    assert ended.err == "hub: No channel is configured: nobody would be told. See hub.toml.\n"


# --------------------------------------------------------------------------- no hub there


def test_without_settings_the_next_step_is_named(hub: Any, bare: Path) -> None:
    ended = hub("announce", *WATER)
    assert ended.code == 1
    assert "`hub init` writes one" in ended.err


def test_without_a_ledger_none_is_made_in_passing(hub: Any, bare: Path) -> None:
    Path("hub.toml").write_text("", "utf-8")
    ended = hub("announce", *WATER)
    assert ended.code == 1
    assert ended.err.endswith("run hub init.\n")
    assert not (bare / "data").exists()


def test_an_authority_the_ledger_does_not_know_is_named(hub: Any, town: Path) -> None:
    settings = Path("hub.toml")
    settings.write_text(settings.read_text("utf-8").replace('"valmont"', '"elsewhere"'), "utf-8")
    ended = hub("announce", *WATER)
    assert ended.err == "hub: The ledger has no authority elsewhere; run hub init.\n"


def test_a_damaged_ledger_is_one_sentence(hub: Any, town: Path) -> None:
    for extra in (town / "data").glob("ledger.sqlite3-*"):
        extra.unlink()
    (town / "data" / "ledger.sqlite3").write_bytes(b"not a database at all, not even nearly" * 99)
    ended = hub("announce", *WATER)
    assert (ended.code, ended.err) == (1, "hub: The ledger cannot be read: restore a backup.\n")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("0000", "The ledger is of an older version; stop the daemon, run hub init."),
        ("9999", "The ledger was written by a newer version."),
    ],
)
def test_a_ledger_of_another_version_is_left_alone(
    version: str, sentence: str, hub: Any, town: Path
) -> None:
    engine = open_writer(town / "data" / "ledger.sqlite3")
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()
    ended = hub("announce", *WATER)
    assert (ended.code, ended.err) == (1, f"hub: {sentence}\n")
