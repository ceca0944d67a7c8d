# SPDX-License-Identifier: EUPL-1.2
"""Importing people: every line gets its verdict, and nobody is subscribed by accident."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text

from channels.base import ChannelName
from subscribers import consent, directory, privacy, subscriptions
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.import_batch import DO_NOT_CONTACT, KEPT, STOPPED, Verdict, VerdictKind
from subscribers.importer import ImportOptions, import_csv
from subscribers.preferences import Cadence, QuietHours
from subscribers.tables import metadata, subscriber

KEY = b"a key of this test, 32 bytes long"
OPTIONS = ImportOptions(suppression_key=KEY, recorded_by="a.diallo")
HEAD = "ref,phone,email,themes,consent_source,consent_date,consent_text_version"
CLAIRE = "c1,06 39 98 12 34,claire@example.org,eau|ecoles,paper form,2026-03-02,2026-01"
PAUL = "p2,06 39 98 56 78,,eau,paper form,02/03/2026,2026-01"
DEMO = Path(__file__).parents[2] / "hub" / "demo_town"

Import = Callable[..., list[Verdict]]


@pytest.fixture
def run(engine: Engine, town: Catalogue, now: datetime) -> Import:
    def import_text(*lines: str | bytes, **changes: Any) -> list[Verdict]:
        raw = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines)
        options = replace(OPTIONS, **changes)
        return list(import_csv(io.BytesIO(raw), engine.begin, town, options, now=now))

    return import_text


def dump(conn: Connection) -> list[Any]:
    return [
        tuple(row)
        for table in metadata.sorted_tables
        for row in conn.execute(text(f"SELECT * FROM {table.name}"))
    ]


def kinds(verdicts: list[Verdict]) -> list[str]:
    return [verdict.kind.value for verdict in verdicts]


def person_called(conn: Connection, key: str) -> int:
    query = select(subscriber.c.id).where(subscriber.c.import_key == key)
    return int(conn.execute(query).scalar_one())


# --------------------------------------------------------------------------- what is written


def test_a_full_line_becomes_a_whole_person(
    run: Import, conn: Connection, town: Catalogue, now: datetime
) -> None:
    columns = (
        "ref;language;phone;email;themes;zones;channels;cadence;quiet_hours;urgent_at_night;"
        "timezone;consent_source;consent_date;consent_text_version"
    )
    line = (
        "c1;en;06 39 98 12 34;Claire@Example.org;eau ecoles;gare|centre;email webpush;weekly;"
        '21:30-08:00;non;Indian/Reunion;"formulaire; mairie";2026-03-02;2026-01'
    )
    assert run("\ufeff" + columns, line + "\r") == [Verdict(2, VerdictKind.CREATED)]
    number = person_called(conn, "c1")
    person = directory.load(conn, number)
    assert person is not None
    assert person.quiet == QuietHours(1290, 480, "Indian/Reunion")
    assert (person.language, person.urgent_breaks_quiet) == ("en", False)
    assert [town.zones[zone].key for zone in person.zones] == ["centre", "gare"]
    held = {point.channel: point for point in directory.contact_points(conn, number)}
    assert held[ChannelName.SMS].address == "+33639981234"
    assert held[ChannelName.EMAIL].address == "Claire@example.org"
    assert held[ChannelName.EMAIL].verified_at is None
    asked = subscriptions.subscriptions_of(conn, number)
    assert {(town.themes[t].key, c, k) for t, c, k in asked} == {
        (theme, channel, Cadence.WEEKLY)
        for theme in ("eau", "ecoles")
        for channel in (ChannelName.EMAIL, ChannelName.WEBPUSH)
    }
    proof = consent.latest(conn, number)
    assert proof is not None
    assert proof.source == "formulaire; mairie"
    assert proof.given_at == datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # midnight in Paris
    assert (proof.recorded_by, proof.recorded_at) == ("a.diallo", now)
    assert run(columns, line) == [Verdict(2, VerdictKind.UNCHANGED)]


def test_contacts_count_as_verified_only_on_the_operators_word(
    run: Import, conn: Connection, now: datetime
) -> None:
    run(HEAD, CLAIRE)
    assert run(HEAD, CLAIRE, verified=True) == [Verdict(2, VerdictKind.UPDATED)]
    assert run(HEAD, CLAIRE, verified=True) == [Verdict(2, VerdictKind.UNCHANGED)]
    run(HEAD, PAUL, verified=True)
    for key in ("c1", "p2"):
        for point in directory.contact_points(conn, person_called(conn, key)):
            assert point.verified_at == now


def test_running_a_file_twice_changes_nothing(run: Import, conn: Connection) -> None:
    assert kinds(run(HEAD, CLAIRE, PAUL)) == ["created", "created"]
    before = dump(conn)
    assert run(HEAD, CLAIRE, PAUL) == [
        Verdict(2, VerdictKind.UNCHANGED),
        Verdict(3, VerdictKind.UNCHANGED),
    ]
    assert dump(conn) == before


def test_a_dry_run_says_the_same_and_writes_nothing(run: Import, conn: Connection) -> None:
    before = dump(conn)
    dry = run(HEAD, CLAIRE, PAUL, dry_run=True)
    assert dump(conn) == before
    assert run(HEAD, CLAIRE, PAUL) == dry


def test_a_newer_consent_replaces_what_the_older_one_brought(
    run: Import, conn: Connection, town: Catalogue
) -> None:
    run(HEAD, CLAIRE, PAUL, verified=True)
    newer = "c1,06 39 98 99 99,claire@example.org,ecoles,paper form,2026-04-01,2026-01"
    assert kinds(run(HEAD, newer)) == ["updated"]
    number = person_called(conn, "c1")
    held = {point.channel: point for point in directory.contact_points(conn, number)}
    assert held[ChannelName.SMS].address == "+33639989999"
    assert held[ChannelName.SMS].verified_at is None
    assert held[ChannelName.EMAIL].verified_at is not None
    assert {town.themes[t].key for t, _, _ in subscriptions.subscriptions_of(conn, number)} == {
        "ecoles"
    }
    other = person_called(conn, "p2")
    assert len(subscriptions.subscriptions_of(conn, other)) == 1


def test_what_a_citizen_chose_since_outlives_the_old_file(
    run: Import, conn: Connection, town: Catalogue, now: datetime
) -> None:
    run(HEAD, CLAIRE)
    number = person_called(conn, "c1")
    schools = [town.themes_by_key["ecoles"].id]
    subscriptions.unsubscribe(conn, number, schools, None, catalogue=town, now=now)
    conn.commit()
    before = dump(conn)
    assert run(HEAD, CLAIRE) == [Verdict(2, VerdictKind.UNCHANGED, KEPT)]
    assert dump(conn) == before


def test_nobody_who_stopped_is_brought_back_by_an_older_consent(
    run: Import, conn: Connection, now: datetime
) -> None:
    run(HEAD, CLAIRE, PAUL)
    subscriptions.stop_all(conn, person_called(conn, "c1"), now)
    conn.commit()
    other_name = CLAIRE.replace("c1", "another-ref")
    assert run(HEAD, CLAIRE, other_name, PAUL) == [
        Verdict(2, VerdictKind.REFUSED, STOPPED),
        Verdict(3, VerdictKind.REFUSED, STOPPED),
        Verdict(4, VerdictKind.UNCHANGED),
    ]


def test_a_consent_given_after_a_stop_counts(
    run: Import, conn: Connection, town: Catalogue, engine: Engine, now: datetime
) -> None:
    run(HEAD, CLAIRE)
    subscriptions.stop_all(conn, person_called(conn, "c1"), now)
    conn.commit()
    later = CLAIRE.replace("2026-03-02", "2026-12-01")
    stream = io.BytesIO(f"{HEAD}\n{later}".encode())
    verdicts = import_csv(stream, engine.begin, town, OPTIONS, now=now + timedelta(days=30))
    assert kinds(list(verdicts)) == ["updated"]


def test_do_not_contact_is_for_ever(run: Import, conn: Connection, now: datetime) -> None:
    run(HEAD, CLAIRE)
    privacy.erase_person(conn, person_called(conn, "c1"), now, do_not_contact=KEY)
    conn.commit()
    assert run(HEAD, CLAIRE, PAUL) == [
        Verdict(2, VerdictKind.REFUSED, DO_NOT_CONTACT),
        Verdict(3, VerdictKind.CREATED),
    ]


def test_without_a_reference_people_are_known_by_their_contacts(
    run: Import, conn: Connection
) -> None:
    nameless = CLAIRE.removeprefix("c1")
    assert kinds(run(HEAD, nameless)) == ["created"]
    assert kinds(run(HEAD, nameless)) == ["unchanged"]
    assert conn.execute(select(func.count()).select_from(subscriber)).scalar_one() == 1


def test_the_same_person_twice_in_a_file_names_the_first_line(run: Import) -> None:
    for batch in (1, 1000):
        verdicts = run(HEAD, CLAIRE, PAUL, CLAIRE, batch=batch)
        assert verdicts[2].line == 4
        assert verdicts[2].sentence is not None
        assert "line 2 already" in verdicts[2].sentence.en


def test_a_household_may_share_a_number(run: Import) -> None:
    assert kinds(run(HEAD, PAUL, PAUL.replace("p2", "p3"))) == ["created", "created"]


def test_blank_lines_are_no_people(run: Import) -> None:
    assert [v.line for v in run(HEAD, "", CLAIRE, ",,,,,,", "  ", PAUL, "")] == [3, 6]


def test_each_batch_is_one_transaction_and_a_killed_run_is_run_again(
    engine: Engine, conn: Connection, town: Catalogue, now: datetime
) -> None:
    begun = 0

    @contextmanager
    def killed_at_the_second() -> Any:
        nonlocal begun
        begun += 1
        with engine.begin() as inner:
            yield inner
            if begun == 2:
                raise KeyboardInterrupt

    options = replace(OPTIONS, batch=2)
    lines = [PAUL.replace("p2", f"p{i}") for i in range(5)]
    raw = "\n".join([HEAD, *lines]).encode()

    def import_with(begin: Callable[[], AbstractContextManager[Connection]]) -> list[Verdict]:
        verdicts = []
        for verdict in import_csv(io.BytesIO(raw), begin, town, options, now=now):
            verdicts.append(verdict)  # noqa: PERF402 (kept when the run dies)
        return verdicts

    with pytest.raises(KeyboardInterrupt):
        import_with(killed_at_the_second)
    assert conn.execute(select(func.count()).select_from(subscriber)).scalar_one() == 2
    assert kinds(import_with(engine.begin)) == ["unchanged"] * 2 + ["created"] * 3


def test_progress_is_told_in_bytes_up_to_the_end(
    engine: Engine, town: Catalogue, now: datetime
) -> None:
    told: list[tuple[int, int]] = []
    raw = f"{HEAD}\n{CLAIRE}\n{PAUL}".encode()
    list(
        import_csv(
            io.BytesIO(raw),
            engine.begin,
            town,
            replace(OPTIONS, batch=1),
            now=now,
            on_progress=lambda done, size: told.append((done, size)),
        )
    )
    assert told == [(len(f"{HEAD}\n{CLAIRE}\n".encode()), len(raw)), (len(raw), len(raw))]


# --------------------------------------------------------------------------- what is refused

COLUMNS = [
    "ref",
    "language",
    "phone",
    "email",
    "themes",
    "zones",
    "channels",
    "cadence",
    "quiet_hours",
    "urgent_at_night",
    "timezone",
    "consent_source",
    "consent_date",
    "consent_text_version",
]
GOOD = {
    "ref": "c1",
    "phone": "0639981234",
    "themes": "eau",
    "consent_source": "paper",
    "consent_date": "2026-03-02",
    "consent_text_version": "1",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phone": "01 42 68 53 00"}, "Column phone: This is a landline"),
        ({"phone": "12"}, "Column phone: Enter a mobile number"),
        ({"email": "claire.example.org"}, "Column email: The e-mail address is missing an @"),
        ({"phone": ""}, "Column channels: give phone or email"),
        ({"phone": "", "channels": "sms"}, "“sms” needs the column phone"),
        ({"channels": "email"}, "“email” needs the column email"),
        ({"channels": "fax"}, "write some of sms email webpush"),
        ({"channels": "x"}, "write some of sms email webpush"),
        ({"ref": "", "phone": "", "channels": "webpush"}, "Column ref: give ref, phone or email"),
        ({"ref": "r" * 65}, "Column ref: at most 64"),
        ({"ref": "contacts:1"}, "Column ref: at most 64"),
        ({"language": "français"}, "Column language: write for example fr, en"),
        ({"themes": ""}, "Column themes: choose at least one theme"),
        ({"themes": "ecole"}, "there is no “ecole”. The nearest: ecoles"),
        ({"themes": "zzz"}, "The nearest: eau coupures coupures-nuit ecoles"),
        ({"themes": "+33639985678"}, "there is no “…”"),
        ({"zones": "gares"}, "Column zones: there is no “gares”. The nearest: gare"),
        ({"cadence": "monthly"}, "Column cadence: write now, daily or weekly"),
        ({"quiet_hours": "22h-7h"}, "Column quiet_hours: write for example 22:00-07:00"),
        ({"quiet_hours": "24:00-07:00"}, "Column quiet_hours"),
        ({"urgent_at_night": "maybe"}, "Column urgent_at_night: write yes or no"),
        ({"timezone": "Mars/Utopia"}, "Column timezone"),
        ({"timezone": "../etc/passwd"}, "Column timezone"),
        ({"timezone": "Europe"}, "Column timezone"),
        ({"consent_source": ""}, "Column consent_source: proof of consent is compulsory"),
        ({"consent_source": "s" * 201}, "Column consent_source"),
        ({"consent_text_version": ""}, "Column consent_text_version: proof of consent"),
        ({"consent_date": ""}, "Column consent_date: write the date"),
        ({"consent_date": "hier"}, "Column consent_date: write the date"),
        ({"consent_date": "2026-02-30"}, "Column consent_date: write the date"),
        ({"consent_date": "2026-11-22"}, "Column consent_date: this date is still to come"),
        ({"ref": "c\0"}, "null character"),
        ({"ref": 'c"x'}, None),
        ({"ref": '"c'}, "A quote"),
        ({"ref": '"c"x'}, "A quote"),
        ({"ref": "c,1"}, "15 cells instead of 14"),
        ({"consent_source": "s" * 70_000}, "over 64 kB"),
    ],
)
def test_a_bad_line_is_refused_by_its_number_and_its_neighbours_are_not(
    run: Import, change: dict[str, str], says: str | None
) -> None:
    bad = ",".join({**GOOD, **change}.get(column, "") for column in COLUMNS)
    good = ",".join({**GOOD, "ref": "other"}.get(column, "") for column in COLUMNS)
    first, second = run(",".join(COLUMNS), bad, good)
    assert second == Verdict(3, VerdictKind.CREATED)
    if says is None:
        assert first == Verdict(2, VerdictKind.CREATED)
        return
    assert (first.line, first.kind) == (2, VerdictKind.REFUSED)
    assert first.sentence is not None
    assert says in first.sentence.en
    assert first.sentence.fr != first.sentence.en


def test_no_refusal_repeats_a_contact(run: Import) -> None:
    shifted = "c1,eau,06 39 98 12 34,claire@example.org,0639981234,x,y"
    [verdict] = run(HEAD, shifted)
    assert verdict.sentence is not None
    for secret in ("0639981234", "06 39 98 12 34", "claire@"):
        assert secret not in verdict.sentence.fr + verdict.sentence.en


def test_an_archived_theme_takes_nobody_in(
    run: Import, conn: Connection, engine: Engine, valmont: str, now: datetime
) -> None:
    schools = valmont.index('[[themes]]\nkey = "ecoles"')
    shorter = valmont[:schools] + valmont[valmont.index("[[zones]]") :]
    import_catalogue(conn, shorter, archive_missing=True)
    conn.commit()
    now_town = load_catalogue(conn, 1)
    stream = io.BytesIO(f"{HEAD}\n{CLAIRE}".encode())
    [verdict] = import_csv(stream, engine.begin, now_town, OPTIONS, now=now)
    assert verdict.kind is VerdictKind.REFUSED


@pytest.mark.parametrize(
    ("raw", "line", "says"),
    [
        (b"", 1, "empty"),
        (b"\n\n", 1, "empty"),
        (f"{HEAD}\n{CLAIRE}\nÉlodie".encode("cp1252"), 3, "not UTF-8 (line 3; it looks like Win"),
        (f"{HEAD}\n{CLAIRE}".encode("utf-16"), 1, "it looks like UTF-16"),
        (f"{HEAD}\n{CLAIRE}".encode("utf-16-le"), 1, "it looks like UTF-16"),
        (f"{HEAD},telephone".encode(), 1, "“telephone” (did you mean phone?)"),
        (f"{HEAD},zone".encode(), 1, "“zone” (did you mean zones?)"),
        (f"{HEAD},qqqqqqqq".encode(), 1, "Unknown columns: “qqqqqqqq”."),
        (f"{HEAD},email".encode(), 1, "Columns given twice: email"),
        (b"phone,themes", 1, "Columns consent_source, consent_date, consent_text_version are mis"),
        (b"phone" * 20_000, 1, "over 64 kB"),
        (b'"phone', 1, "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    run: Import, conn: Connection, raw: bytes, line: int, says: str
) -> None:
    before = dump(conn)
    [verdict] = run(raw)
    assert (verdict.line, verdict.kind, verdict.whole_file) == (line, VerdictKind.REFUSED, True)
    assert verdict.sentence is not None
    assert says in verdict.sentence.en
    assert dump(conn) == before


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), max_size=4))
def test_no_file_however_strange_stops_the_import(run: Import, lines: list[bytes]) -> None:
    for verdict in run(HEAD.encode(), *lines):
        assert verdict.kind is VerdictKind.REFUSED


def test_the_demonstration_town_moves_in_whole(
    engine: Engine, conn: Connection, now: datetime
) -> None:
    if not (DEMO / "citizens.csv").exists():
        pytest.skip("the demonstration town is not here")
    files = [(DEMO / name).read_text("utf-8") for name in ("catalogue.toml", "zones.geojson")]
    assert import_catalogue(conn, *files).problems == ()
    conn.commit()
    town = load_catalogue(conn, 1)
    with (DEMO / "citizens.csv").open("rb") as stream:
        verdicts = list(import_csv(stream, engine.begin, town, OPTIONS, now=now))
    assert [verdict for verdict in verdicts if verdict.kind is not VerdictKind.CREATED] == []
    assert len(verdicts) > 100
