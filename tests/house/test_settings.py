# SPDX-License-Identifier: EUPL-1.2
"""Settings: three places, one order, and a refusal that says what to write instead."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from channels.webpush.keys import new_vapid_key
from hub.settings import Settings, SettingsError, load_settings, names

VAPID_KEY = new_vapid_key()
REFERENCE = Path(__file__).parents[2] / "hub.toml"


def _write(folder: Path, text: str) -> Path:
    file = folder / "hub.toml"
    file.write_text(text, "utf-8")
    return file


def _secret(folder: Path, name: str, text: str | bytes) -> None:
    (folder / "data" / "secrets").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "secrets" / name).write_bytes(
        text if isinstance(text, bytes) else text.encode()
    )


def _refused(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(path, environ or {})
    assert str(refused.value).splitlines() == list(map(str, refused.value.problems))
    return str(refused.value).splitlines()


# ---------------------------------------------------------------- the reference file


def _switched_on(text: str) -> str:
    """The reference with every setting that is off switched on."""
    return re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)


def test_the_reference_loads_as_it_is_and_says_the_defaults() -> None:
    loaded = load_settings(REFERENCE, {})
    plain = load_settings(None, {}, {"hub": {"data": loaded.hub.data}})
    assert loaded == plain
    assert loaded.hub.data == REFERENCE.parent / "data"


def test_the_reference_loads_with_everything_switched_on(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    text = _switched_on(REFERENCE.read_text("utf-8"))
    text = text.replace("/run/credentials/hub.service", "credentials")
    file = _write(
        tmp_path, text.replace('private_key = "(secret)"', f'private_key = "{VAPID_KEY}"')
    )
    assert all(load_settings(file, {}).channels.model_dump().values())


def test_every_setting_is_in_the_reference_with_a_comment_and_its_default() -> None:
    text = _switched_on(REFERENCE.read_text("utf-8"))
    lines, written = text.splitlines(), tomllib.loads(text)
    places = names.lines_of(text)
    for name in names.every_name():
        field = names.field_of(name)
        assert field is not None
        if names.fields_in(name):
            assert name == ("channels",) or name in places, names.dotted(name)
            continue
        assert field.description, names.dotted(name)
        assert name in places, f"{names.dotted(name)} is not in hub.toml"
        assert lines[places[name] - 2].startswith("# "), f"{names.dotted(name)} has no comment"
        value: object = written
        for part in name:
            value = value[part]  # type: ignore[index]
        if name[0] != "channels" and not names.is_secret(name) and field.get_default() is not None:
            shown = str(field.get_default()) if isinstance(value, str) else field.get_default()
            assert value == (list(shown) if isinstance(shown, tuple) else shown)


def test_the_reference_names_nothing_that_is_not_a_setting() -> None:
    text = _switched_on(REFERENCE.read_text("utf-8"))
    assert [n for n in names.lines_of(text) if names.field_of(n) is None] == []


# ---------------------------------------------------------------- the order of the sources


def test_command_line_beats_environment_beats_secret_file_beats_hub_toml(tmp_path: Path) -> None:
    file = _write(
        tmp_path, '[hub]\nsecret = "a"\nlanguage = "en"\n[server]\nport = 1\nhost = "h"\n'
    )
    assert load_settings(file, {}).hub.secret == SecretStr("a")
    _secret(tmp_path, "hub__secret", "b\n")
    assert load_settings(file, {}).hub.secret == SecretStr("b")
    environ = {"HUB__HUB__SECRET": "c", "HUB__SERVER__PORT": "2", "PATH": "/bin"}
    settings = load_settings(file, environ)
    assert settings.hub.secret == SecretStr("c")
    assert (settings.server.port, settings.server.host) == (2, "h")
    settings = load_settings(file, environ, {"server": {"port": 3}})
    assert (settings.server.port, settings.server.host, settings.hub.language) == (3, "h", "en")


def test_settings_built_directly_read_neither_environment_nor_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUB__SERVER__PORT", "9")
    assert Settings().server.port == 8080


def test_the_environment_of_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB__SERVER__PORT", "9")
    assert load_settings().server.port == 9


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = _write(tmp_path, '[words]\noverlay = "messages"\n[hub]\nsecrets = "keys"\n')
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "hub__secret").write_text("from keys")
    settings = load_settings(file, {"HUB__HUB__DATA": "/srv/hub"})
    assert settings.words.overlay == tmp_path / "messages"
    assert settings.hub.secrets_folder == tmp_path / "keys"
    assert settings.hub.secret == SecretStr("from keys")
    assert settings.hub.data == Path("/srv/hub")


def test_lists_and_sections_come_as_json_in_the_environment() -> None:
    settings = load_settings(
        None,
        {
            "HUB__PEOPLE__PHONE_REGIONS": '["FR", "RE"]',
            "HUB__ENGINE__WINDOWS": '{"sms": 5}',
            "HUB__CHANNELS__SMS__SENDER": "Valmont",
        },
    )
    assert settings.people.phone_regions == ("FR", "RE")
    assert (settings.engine.windows.sms, settings.engine.windows.email) == (5, 100)
    assert settings.channels.sms is not None
    assert settings.channels.sms.sender == "Valmont"
    assert settings.channels.email is None


def test_hidden_files_of_the_secrets_folder_are_passed_over(tmp_path: Path) -> None:
    _secret(tmp_path, "..data", "bookkeeping")
    assert load_settings(_write(tmp_path, ""), {}).hub.secret is None


# ---------------------------------------------------------------- refusals


def test_an_unknown_key_names_its_line_the_nearest_and_an_example(tmp_path: Path) -> None:
    file = _write(tmp_path, "# a comment\n[server]\nprot = 8081\n")
    [line] = _refused(file)
    assert line == (
        "hub.toml line 3: server.prot is not a setting. Did you mean server.port? "
        "Example: port = 8080"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[servers]\nport = 1\n", "line 1: servers is not a setting. Did you mean server?"),
        ("prot = 1\n", "line 1: prot is not a setting"),
        ("[zzz]\n", "line 1: zzz is not a setting; known are hub, server, limits"),
        (
            "[engine.windows]\nsmss = 1\n",
            "line 2: engine.windows.smss is not a setting. Did you me",
        ),
        ("[channels.fax]\n", "line 1: channels.fax is not a setting"),
        ("[channels.x]\npacee = 1\n", "Did you mean channels.x.pace? Example: pace = 1.0"),
        ("[logs]\ntrusted_proxies = []\n", "Did you mean server.trusted_proxies?"),
        ("[channels.email]\nhost = 'h'\n", "line 1: channels.email.sender is missing."),
        ("[server]\nport = 'x'\n", "line 2: server.port should be a valid integer"),
        ("[retention]\naudit = 999999\n", "line 2: retention.audit should be less than or equal"),
        ("[server]\nport = 99999\n", "line 2: server.port should be less than or equal to 65535"),
        ("server.port = 'x'\n", "line 1: server.port should be a valid integer"),
        ("[hub]\nlanguage = 'de'\n", "hub.language should be 'fr' or 'en'. Example: language = "),
        ("[hub]\ntimezone = 'Paris'\n", "line 2: hub.timezone is not a time zone of the IANA"),
        ("[hub]\npublic_url = 'https://a.example.org/'\n", "line 2: hub.public_url"),
        ("[server]\ntrusted_proxies = ['1.2.3.4', 'x']\n", "line 2: server.trusted_proxies.1"),
        ("[server\n", "is not TOML: expected"),
        ("[hub]\ndata = 5\n", "line 2: hub.data"),
        ("hub = 1\n", "line 1: hub should be a valid dictionary"),
        ("[people]\nphone_regions = []\n", "line 2: people.phone_regions should have at least 1"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(
    text: str, expected: str, tmp_path: Path
) -> None:
    problems = _refused(_write(tmp_path, text))
    assert any(expected in line for line in problems), problems


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = _write(tmp_path, "")
    file.write_bytes(b"\xff\xfe")
    assert _refused(file) == [f"{file}: is not UTF-8 text."]


def test_a_missing_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    [line] = _refused(tmp_path / "hub.toml")
    assert line.startswith(f"{tmp_path / 'hub.toml'}: there is no such file; `hub init` writes one")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert _refused(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory."]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("HUB__TYPO__X", "1", "environment variable HUB__TYPO__X: typo is not a setting; known"),
        (
            "HUB__SERVER__PRT",
            "1",
            "Did you mean HUB__SERVER__PORT? Example: HUB__SERVER__PORT=8080",
        ),
        ("HUB__SERVER__PORT", "x", "environment variable HUB__SERVER__PORT: server.port should be"),
        ("HUB__SERVER__PORT__X", "1", "server.port.x is not a setting"),
        (
            "HUB__PEOPLE__PHONE_REGIONS",
            "FR,RE",
            "people.phone_regions should be JSON. Example: HUB",
        ),
        (
            "HUB__ENGINE__WINDOWS",
            '{"smss": 1}',
            "VARIABLE HUB__ENGINE__WINDOWS: engine.windows.smss",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_said_with_its_variable(
    variable: str, value: str, expected: str
) -> None:
    [line] = _refused(None, {variable: value})
    assert expected.casefold() in line.casefold()


def test_an_unknown_secret_file_is_refused(tmp_path: Path) -> None:
    _secret(tmp_path, "channels__sms__auth_tokn", "s3cret")
    [line] = _refused(_write(tmp_path, ""))
    assert line == (
        "secret file channels__sms__auth_tokn: channels.sms.auth_tokn is not a setting. "
        "Did you mean channels__sms__auth_token? Example: channels__sms__auth_token=(secret)"
    )


def test_a_secret_lying_ready_does_not_switch_its_channel_on(tmp_path: Path) -> None:
    _secret(tmp_path, "channels__webpush__private_key", VAPID_KEY)
    file = _write(tmp_path, "")
    assert load_settings(file, {}).channels.webpush is None
    switched_on = {"HUB__CHANNELS__WEBPUSH__SENDER": "mailto:mairie@example.org"}
    assert load_settings(file, switched_on).channels.webpush is not None


def test_a_secret_of_the_wrong_form_is_named_and_not_shown(tmp_path: Path) -> None:
    _secret(tmp_path, "channels__webpush__private_key", "not-a-key")
    file = _write(tmp_path, "[channels.webpush]\nsender = 'mailto:mairie@example.org'\n")
    [line] = _refused(file)
    assert line.startswith(
        "secret file channels__webpush__private_key: channels.webpush.private_key "
        "is not what it should be."
    )


def test_an_unreadable_secret_is_refused_by_name(tmp_path: Path) -> None:
    _secret(tmp_path, "hub__secret", b"\xff\xfe")
    (tmp_path / "data" / "secrets" / "hub__language").mkdir()
    assert _refused(_write(tmp_path, "")) == [
        "secret file hub__language: cannot be read: Is a directory.",
        "secret file hub__secret: is not UTF-8 text.",
    ]


def test_a_secrets_folder_asked_for_by_name_must_exist(tmp_path: Path) -> None:
    [line] = _refused(_write(tmp_path, "[hub]\nsecrets = 'nowhere'\n"))
    assert line == f"{tmp_path / 'nowhere'}: hub.secrets cannot be read: No such file or directory."


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    file = _write(tmp_path, "[server]\nport = 'x'\n[engine]\nretry_hours = 0\n")
    _secret(tmp_path, "typo__x", "1")
    assert len(_refused(file, {"HUB__LOGS__LEVEL": "loud", "HUB__LOGS__LEVL": "info"})) == 5


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=40))
def test_a_wrong_value_is_never_repeated(value: str) -> None:
    environ = {"HUB__HUB__PUBLIC_URL": value, "HUB__SERVER__PORT": value + "x"}
    assert not any(value in line for line in _refused(None, environ))


@given(st.sampled_from([n for n in names.every_name() if len(str(n[-1])) > 5]), st.data())
def test_one_slip_of_the_finger_finds_the_right_name(name: names.Name, data: st.DataObject) -> None:
    last = str(name[-1])
    at = data.draw(st.integers(0, len(last) - 1))
    slipped = (*name[:-1], last[:at] + last[at + 1 :])
    if names.field_of(slipped) is None:
        meant = names.nearest(slipped)
        assert meant is not None
        assert meant[:-1] == name[:-1]
