# SPDX-License-Identifier: EUPL-1.2
"""`hub init` makes what is missing and nothing else; `hub check` says what is wrong in one line."""

import asyncio
import os
import stat
import tomllib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import create_engine, text

from hub.__main__ import main
from hub.cli import check as check_verb
from hub.cli.check import Finding
from hub.clock import SystemClock
from hub.ledger.database import open_readers
from hub.settings import load_settings

OFFICER = ["--officer", " Lea.Martin@example.org ", "--name", "Léa Martin"]
TOWN = ["--authority", "valmont", "--authority-name", "Valmont-sur-Orne « la belle »"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("HUB__")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hub(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line; returns its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


# a table that holds what its own schema forbids, which SQLite's quick check finds
UNSOUND = (
    "CREATE TABLE unsound (a);INSERT INTO unsound VALUES (NULL);PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = 'CREATE TABLE unsound (a NOT NULL)' WHERE name = 'unsound'"
)
Run = Callable[..., tuple[int, str, str]]


def _rows(query: str) -> list[tuple[object, ...]]:
    engine = open_readers(Path("data/ledger.sqlite3"))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("ledger")
    }


# ---------------------------------------------------------------- init


def test_init_makes_a_hub_that_only_its_owner_can_read(hub: Run) -> None:
    code, out, err = hub("init", *OFFICER, *TOWN)
    assert (code, err) == (0, "")
    for path in (Path("data"), Path("data/secrets")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in Path("data/secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load_settings(Path("hub.toml"))
    assert settings.hub.authority == "valmont"
    assert settings.hub.secret is not None
    assert len(settings.hub.secret.get_secret_value()) == 44
    [(key, name, zone)] = _rows("SELECT key, name, timezone FROM authority")
    assert (key, name, zone) == ("valmont", "Valmont-sur-Orne « la belle »", "Europe/Paris")
    [(email, officer_name)] = _rows("SELECT email, name FROM officer")
    assert (email, officer_name) == ("lea.martin@example.org", "Léa Martin")
    assert _rows("SELECT actor, verb, object FROM audit") == [("cli", "appoint", "officer:1")]
    assert "password is shown this once: " in out


@pytest.mark.usefixtures("dear_passwords")
def test_the_password_shown_is_the_officers_and_is_kept_only_as_a_hash(hub: Run) -> None:
    from argon2 import PasswordHasher

    _, out, _ = hub("init", *OFFICER, *TOWN)
    password = out.rpartition("once: ")[2].strip()
    [(kept,)] = _rows("SELECT password_hash FROM officer")
    assert PasswordHasher().verify(str(kept), password)
    assert str(kept).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert password not in str(kept)


def test_init_run_twice_changes_nothing_and_says_so(hub: Run) -> None:
    hub("init", *OFFICER, *TOWN)
    before = _contents(Path()), _rows("SELECT * FROM authority"), _rows("SELECT * FROM officer")
    code, out, _ = hub("init", *OFFICER, *TOWN)
    assert (code, out) == (0, "Nothing changed: everything was there already.\n")
    assert before == (
        _contents(Path()),
        _rows("SELECT * FROM authority"),
        _rows("SELECT * FROM officer"),
    )


def test_init_makes_again_only_the_secret_that_was_lost(hub: Run) -> None:
    hub("init")
    kept = Path("data/secrets/channels__webpush__private_key").read_bytes()
    Path("data/secrets/hub__secret").unlink()
    _, out, _ = hub("init")
    assert out == f"made  {Path('data/secrets/hub__secret').absolute()}\n"
    assert Path("data/secrets/channels__webpush__private_key").read_bytes() == kept


def test_a_named_data_folder_is_written_into_the_new_settings(hub: Run, tmp_path: Path) -> None:
    assert hub("init", "--data", "élsewhere/deep")[0] == 0
    written = tomllib.loads(Path("hub.toml").read_text("utf-8"))
    assert written["hub"]["data"] == str(tmp_path / "élsewhere" / "deep")
    assert load_settings(Path("hub.toml")).hub.secret is not None


def test_settings_already_there_are_used_and_left_alone(hub: Run) -> None:
    Path("hub.toml").write_text('[hub]\ndata = "d"\nauthority = "orne"\n')
    _, out, _ = hub("init")
    assert "hub.toml" not in out
    assert "made  authority orne" in out
    assert Path("d/ledger.sqlite3").is_file()


def test_wrong_settings_are_refused_without_a_traceback(hub: Run) -> None:
    Path("hub.toml").write_text("[server]\nprot = 1\n")
    code, out, err = hub("init")
    assert (code, out) == (1, "")
    assert err.startswith("hub: hub.toml line 2: server.prot is not a setting. Did you mean")


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(hub: Run) -> None:
    Path("taken").write_text("a file")
    code, _, err = hub("init", "--data", "taken/data")
    assert code == 1
    assert err.count("\n") == 1
    assert "Not a directory" in err


def test_a_settings_file_that_cannot_be_written_is_said_in_one_sentence(hub: Run) -> None:
    code, _, err = hub("init", "--config", "nowhere/hub.toml")
    assert (code, err) == (
        1,
        "hub: nowhere/hub.toml cannot be written: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    ("wound", "sentence"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "written by a newer version"),
        (None, "The ledger cannot be read: restore a backup"),
    ],
)
def test_a_ledger_that_cannot_be_opened_is_said_in_one_sentence(
    wound: str | None, sentence: str, hub: Run
) -> None:
    hub("init")
    _wound(wound)
    code, _, err = hub("init")
    assert code == 1
    assert sentence in err
    assert err.count("\n") == 1


def _wound(statement: str | None) -> None:
    path = Path("data/ledger.sqlite3")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for each in (statement or "").split(";"):
            connection.execute(text(each or "SELECT 1"))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    if not statement:
        pages = path.read_bytes()
        path.write_bytes(pages[:4096] + b"\xff" * (len(pages) - 4096))


# ---------------------------------------------------------------- check


@pytest.fixture
async def twilio() -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers every account request with the status at the end of the list."""
    statuses = [200]

    async def account(request: web.Request) -> web.Response:
        body = {"sid": "AC", "status": "active", "friendly_name": "Valmont"}
        return web.json_response(body, status=statuses[-1])

    app = web.Application()
    app.router.add_get("/{rest:.*}", account)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}", statuses
    await runner.cleanup()


async def _check(config: Path = Path("hub.toml")) -> list[Finding]:
    settings = load_settings(config)
    return await check_verb._channels(settings, SystemClock())


def _sms(base_url: str, token: str = "not-a-real-token") -> None:
    with Path("hub.toml").open("a") as file:
        file.write(f'\n[channels.sms]\naccount_sid = "AC{"0" * 32}"\nsender = "Valmont"\n')
        file.write(f'base_url = "{base_url}"\n')
    Path("data/secrets/channels__sms__auth_token").write_text(token)


def test_a_fresh_hub_in_the_sandbox_is_well(hub: Run) -> None:
    hub("init")
    Path("hub.toml").write_text(
        Path("hub.toml").read_text("utf-8").replace("enabled = false", "enabled = true")
    )
    code, out, err = hub("check")
    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["ok", "settings"],
        ["ok", "data"],
        ["ok", "data"],
        ["ok", "ledger"],
        ["ok", "catalogue"],
        ["ok", "templates"],
        ["ok", "channels"],
        ["ok", "clock"],
    ]


def _problems(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("problem")]


def test_a_misspelt_key_is_named_in_one_line(hub: Run) -> None:
    Path("hub.toml").write_text("[server]\nprot = 1\n")
    code, out, _ = hub("check")
    assert code == 1
    assert out == (
        "problem  settings   hub.toml line 2: server.prot is not a setting. "
        "Did you mean server.port? Example: port = 8080\n"
    )


def test_a_broken_template_of_the_town_is_named_in_one_line(hub: Run) -> None:
    hub("init")
    folder = Path("words/fr/default")
    folder.mkdir(parents=True)
    (folder / "sms.txt").write_text("{{ titel }}")
    Path("hub.toml").write_text('[words]\noverlay = "words"\n')
    code, out, _ = hub("check")
    [line] = [line for line in _problems(out) if "templates" in line]
    assert code == 1
    assert "fr/default/sms.txt" in line


def test_a_missing_overlay_is_named_in_one_line(hub: Run) -> None:
    hub("init")
    Path("hub.toml").write_text('[words]\noverlay = "words"\n')
    assert "words.overlay: there is no folder" in hub("check")[1]


async def test_a_channel_that_answers_is_well_and_a_wrong_key_is_named(
    hub: Run, twilio: tuple[str, list[int]]
) -> None:
    url, statuses = twilio
    await asyncio.to_thread(hub, "init")
    _sms(url)
    [well] = await _check()
    assert (well.well, well.what) == (True, "sms")
    statuses.append(401)
    [refused] = await _check()
    assert not refused.well
    assert str(refused).startswith("problem  sms        ")
    assert "not-a-real-token" not in str(refused)
    assert "\n" not in str(refused)


async def test_a_channel_that_never_answers_is_given_up(
    hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(check_verb, "PATIENCE", 0.05)
    await asyncio.to_thread(hub, "init")
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        _sms("http://{}:{}".format(*server.sockets[0].getsockname()))
        [finding] = await _check()
    assert str(finding) == "problem  sms        No answer within 0.05 seconds."


async def test_a_channel_without_its_credentials_says_which(hub: Run) -> None:
    await asyncio.to_thread(hub, "init")
    _sms("http://127.0.0.1:9", token="")
    [finding] = await _check()
    assert "auth_token" in finding.sentence
    assert not finding.well


def test_a_hub_with_no_channel_is_told_how_to_get_one(hub: Run) -> None:
    hub("init")
    code, out, _ = hub("check")
    assert (code, len(_problems(out))) == (1, 1)
    assert "None is configured" in out


def test_before_init_each_thing_missing_has_its_line(hub: Run) -> None:
    Path("hub.toml").write_text("[sandbox]\nenabled = true\n")
    code, out, _ = hub("check")
    assert code == 1
    assert [line.split()[1] for line in _problems(out)] == ["data", "data", "ledger"]


def test_secrets_open_to_others_are_named_with_the_cure(hub: Run) -> None:
    hub("init")
    Path("data/secrets/hub__secret").chmod(0o644)
    [line] = [line for line in _problems(hub("check")[1]) if " data " in line]
    path = Path("data/secrets/hub__secret").absolute()
    assert line.endswith(f"{path} can be read by others; run chmod go= {path}.")


@pytest.mark.parametrize(
    ("wound", "sentence"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "9999 is newer than this hub"),
        ("DELETE FROM alembic_version", "empty; run hub init"),
        ("UPDATE alembic_version SET version_num = '0000'", "the start will upgrade it"),
        ("DELETE FROM authority", "The ledger has no authority mairie"),
        (None, "is damaged; restore a backup"),
        (UNSOUND, "is damaged; restore a backup"),
    ],
)
def test_the_ledgers_state_is_said_in_one_line(wound: str | None, sentence: str, hub: Run) -> None:
    hub("init")
    _wound(wound)
    out = hub("check")[1]
    assert sentence in out, out


def test_a_ledger_that_is_no_database_is_said_in_one_line(hub: Run) -> None:
    hub("init")
    Path("data/ledger.sqlite3").write_bytes(b"something else entirely" * 100)
    assert "is damaged; restore a backup" in hub("check")[1]


def test_a_clock_behind_the_ledger_is_said(hub: Run) -> None:
    hub("init")
    later = (datetime.now(UTC) + timedelta(hours=1)).timestamp()
    os.utime("data/ledger.sqlite3", (later, later))
    assert "behind the ledger's last change" in hub("check")[1]
