# SPDX-License-Identifier: EUPL-1.2
"""What officers write is kept as typed, is theirs to see, and nobody overwrites another's."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.problems import RefusedError
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, fields
from hub.flow.writing.reading import built, faults, to_submission
from hub.flow.writing.retold import Ground, as_announcement, document_of
from hub.ledger.database import open_writer
from hub.ledger.store import Ledger
from hub.ledger.tables import audit
from subscribers import tables
from subscribers.catalogue import load_authority, load_catalogue
from templates.content import Content, Kind

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 11 h in Valmont-sur-Orne
CHANNELS = (ChannelName.SMS, ChannelName.EMAIL)


def build_town(conn):
    """Two authorities, each with the theme `eau` and its own `cantine`."""
    for number, key in ((1, "valmont"), (2, "autreville")):
        row = {"id": number, "key": key, "name": key.title(), "language": "fr"}
        conn.execute(insert(tables.authority).values(row | {"timezone": "Europe/Paris"}))
        for theme, name in ((number * 10, "eau"), (number * 10 + 1, "cantine")):
            row = {"id": theme, "authority": number, "key": name, "names": {"fr": name}}
            conn.execute(insert(tables.theme).values(row))


@pytest.fixture
def conn(tmp_path):
    Ledger.open(tmp_path).close()
    engine = open_writer(tmp_path / "ledger.sqlite3")
    with engine.begin() as connection:
        build_town(connection)
        yield connection
    engine.dispose()


def officer(conn, grants=None, authority=1):
    taken = len(officers.of_authority(conn, 1)) + len(officers.of_authority(conn, 2))
    number = officers.appoint(
        conn,
        authority,
        f"agent{taken}@example.org",
        f"Agent {taken}",
        grants or {Role.WRITE: None},
        actor="tests",
        now=START,
    )
    return officers.load(conn, number)


def filled(conn, **given):
    town = load_authority(conn, 1)
    words = {"title": "Coupure d'eau", "body": "Jeudi de 8 h à 12 h.", "themes": ["eau"]}
    return fields.blank(town, CHANNELS) | words | {"whole": "1"} | given


def submitted(conn, **given):
    return to_submission(filled(conn, **given), load_catalogue(conn, 1), START)


def wrong(conn, language="fr", **given):
    with pytest.raises(RefusedError) as refused:
        submitted(conn, **given)
    return faults(refused.value.problems, language)


# --------------------------------------------------------------------------- kept, theirs


def test_what_was_typed_is_kept_valid_or_not(conn):
    who = officer(conn)
    document = filled(conn, title="  ", date="le 32", polygon="ici")
    found = compositions.begin(conn, who, document, START)
    assert compositions.load(conn, found.code, who).document == document
    assert len(found.code) == 6


def test_of_two_who_edit_the_second_is_told_and_nothing_is_lost(conn):
    first, second = officer(conn), officer(conn)
    begun = compositions.begin(conn, first, filled(conn), START)
    theirs = compositions.save(
        conn, begun, filled(conn, title="B"), second, version=begun.version, now=START
    )
    assert theirs.editors == (first.id, second.id)
    with pytest.raises(compositions.EditedMeanwhileError) as met:
        compositions.save(
            conn, begun, filled(conn, title="A"), first, version=begun.version, now=START
        )
    assert met.value.current == theirs
    assert compositions.load(conn, begun.code, first).title == "B"


def test_saving_the_same_again_changes_nothing(conn):
    who = officer(conn)
    begun = compositions.begin(conn, who, filled(conn), START)
    later = START + timedelta(minutes=1)
    assert compositions.save(conn, begun, filled(conn), who, version=7, now=later) == begun


def test_another_towns_and_another_themes_are_nobodys(conn):
    author = officer(conn)
    begun = compositions.begin(conn, author, filled(conn, themes=["eau"]), START)
    canteen = officer(conn, {Role.WRITE: ("cantine",)})
    water = officer(conn, {Role.APPROVE: ("eau",)})
    elsewhere = officer(conn, authority=2)
    assert compositions.load(conn, begun.code, water) == begun
    assert compositions.load(conn, begun.code, canteen) is None
    assert compositions.load(conn, begun.code, elsewhere) is None
    assert compositions.of_authority(conn, canteen) == ([], False)
    assert compositions.of_authority(conn, water) == ([begun], False)


def test_what_was_asked_for_or_dropped_is_not_edited(conn):
    who = officer(conn)
    begun = compositions.begin(conn, who, filled(conn), START)
    compositions.drop(conn, begun, who, START)
    assert compositions.load(conn, begun.code, who) is None
    with pytest.raises(compositions.NotEditableError):
        compositions.save(conn, begun, filled(conn, title="B"), who, version=1, now=START)
    with pytest.raises(compositions.NotEditableError):
        compositions.drop(conn, begun, who, START)


def test_the_journal_says_who_began_and_who_else_edited_and_no_word_of_it(conn):
    first, second = officer(conn), officer(conn)
    begun = compositions.begin(conn, first, filled(conn), START)
    for version, title in ((1, "A"), (2, "B")):
        compositions.save(
            conn, begun, filled(conn, title=title), second, version=version, now=START
        )
    lines = conn.execute(select(audit).where(audit.c.object == f"announcement:{begun.code}"))
    told = [(line.actor, line.verb, line.detail) for line in lines]
    assert [(actor, verb) for actor, verb, _ in told] == [
        (first.name, "begin"),
        (second.name, "edit"),
    ]
    assert "Coupure" not in str(told)


def test_pages_of_a_list_go_on_where_there_is_more(conn):
    who = officer(conn)
    for n in range(5):
        compositions.begin(conn, who, filled(conn), START + timedelta(minutes=n))
    page, more = compositions.of_authority(conn, who, page=1, size=3)
    rest, end = compositions.of_authority(conn, who, page=2, size=3)
    assert (len(page), more, len(rest), end) == (3, True, 2, False)


# --------------------------------------------------------------------------- read


def test_a_whole_form_is_a_submission(conn):
    asked = submitted(
        conn,
        level="important",
        short="Eau coupée",
        link="https://example.org/eau",
        title_en="Water cut",
        body_en="Thursday.",
        override_x="Sur X",
        override_x_en="On X",
        spelling=["accents"],
        when="at",
        date="26/11/2026",
        time="8h",
        expires_date="2026-11-26",
        expires_time="14:00",
    )
    assert asked.urgency is Urgency.IMPORTANT
    assert asked.publish_at == datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
    assert asked.expires == datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
    assert asked.translations["en"].title == "Water cut"
    assert asked.overrides == {ChannelName.X: "Sur X"}
    assert asked.translations["en"].overrides == {ChannelName.X: "On X"}
    assert asked.channels == [ChannelName.SMS, ChannelName.EMAIL]
    assert asked.zones == []


def test_every_fault_is_told_at_once_by_its_field(conn):
    found = wrong(
        conn, title="", body=" ", themes=[], channels=[], whole="", link="ftp://x", body_en="Hello"
    )
    assert set(found) == {"title", "body", "themes", "channels", "zones", "link", "title_en"}
    assert found["themes"] == "Choisissez au moins un thème."
    assert wrong(conn, "en", themes=[])["themes"] == "Choose at least one theme."


@pytest.mark.parametrize("name", ["title", "body", "short", "override_sms", "body_en"])
def test_a_blank_left_in_a_text_is_named(conn, name):
    given = {"title_en": "Cut", "body_en": "Text"} | {name: "Coupure à {lieu} dès {heure}"}
    assert wrong(conn, **given)[name] == "Le texte contient un blanc à remplir\u00a0: {lieu}."


def test_a_past_date_says_what_time_it_is(conn):
    found = wrong(conn, when="at", date="2026-11-23", time="10:30")
    assert "après aujourd'hui 11:00" in found["date"]


def test_validity_ends_after_the_sending(conn):
    given = {"when": "at", "date": "2026-11-26", "time": "08:00"}
    found = wrong(conn, **given, expires_date="2026-11-26", expires_time="08:00")
    assert found["expires_date"] == "La fin de validité doit être après l'envoi."


def test_an_hour_that_comes_twice_is_asked_again(conn):
    given = {"when": "at", "date": "2027-10-31", "time": "02:30"}
    assert "deux fois" in wrong(conn, **given)["date"]
    first = submitted(conn, **given, again="first").publish_at
    second = submitted(conn, **given, again="second").publish_at
    assert second - first == timedelta(hours=1)


def test_an_hour_that_spring_skips_does_not_exist(conn):
    found = wrong(conn, when="at", date="2027-03-28", time="02:30")
    assert "n'existe pas" in found["date"]


def test_the_whole_town_and_some_places_is_a_contradiction(conn):
    assert "pas les deux" in wrong(conn, zones=["centre"])["zones"]


def test_an_area_is_drawn_by_points_geojson_or_a_circle(conn):
    points = "48.85, 0.07\n48.86, 0.07\n48.86, 0.08"
    drawn = submitted(conn, whole="", polygon=points).polygon
    assert drawn["coordinates"][0] == [[0.07, 48.85], [0.07, 48.86], [0.08, 48.86], [0.07, 48.85]]
    feature = '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[]]}}'
    assert submitted(conn, whole="", polygon=feature).polygon["type"] == "Polygon"
    round_ = submitted(conn, whole="", circle_at="48.85, 0.07", circle_metres="500").polygon
    assert len(round_["coordinates"][0]) == 49


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"polygon": "48.85, 0.07\nla mairie\n48.86, 0.08"}, "polygon"),
        ({"polygon": "48.85, 0.07"}, "polygon"),
        ({"polygon": "{"}, "polygon"),
        ({"polygon": "[" * 100_000}, "polygon"),
        ({"polygon": '{"type": "FeatureCollection", "features": [1]}'}, "polygon"),
        ({"circle_at": "ici", "circle_metres": "500"}, "circle_at"),
        ({"circle_at": "48.85, 0.07", "circle_metres": "5"}, "circle_metres"),
        ({"polygon": "48.85, 0.07", "circle_at": "48.85, 0.07"}, "polygon"),
    ],
)
def test_what_is_no_area_is_said_at_its_field(conn, given, field):
    assert field in wrong(conn, whole="", **given)


def test_it_comes_again_by_the_rule_that_was_written(conn):
    asked = submitted(
        conn, when="repeat", every="week", weekdays=["tuesday"], repeat_at="07:30", interval="2"
    )
    assert (asked.repeat.every, asked.repeat.weekdays, asked.repeat.interval) == (
        "week",
        ["tuesday"],
        2,
    )
    found = wrong(conn, when="repeat", interval="deux", repeat_at="25:00", starts="demain")
    assert set(found) == {"interval", "repeat_at", "starts"}


def test_six_answers_make_the_text(conn):
    answers = {
        "six_source": "Pompiers de l'Orne",
        "six_what": "fuite de gaz",
        "six_where": "rue Basse",
        "six_when": "depuis 21 h",
        "six_do": "restez chez vous.",
        "six_check": "mairie, 02 61 91 00 00",
    }
    asked = submitted(conn, shape="six", title="", body="", **answers)
    assert asked.title == "Pompiers de l'Orne\u00a0: fuite de gaz, rue Basse"
    assert asked.body == "Depuis 21 h. Restez chez vous. Mairie, 02 61 91 00 00."
    missing = wrong(conn, shape="six", **(answers | {"six_do": "", "six_when": "{heure}"}))
    assert set(missing) == {"six_do", "six_when"}


def test_the_towns_own_name_is_not_said_twice():
    document = {"six_source": "Valmont", "six_what": "crue", "six_do": "montez à l'étage"}
    assert built(document, "Valmont") == ("Crue", "Montez à l'étage.")


def test_a_form_changes_neither_what_it_is_about_nor_other_fields(conn):
    before = filled(conn) | {"kind": "update", "about": "7Kq2mX"}
    sent = [("kind", "first"), ("about", ""), ("csrf", "x"), ("title", "A\r\nB"), ("themes", "eau")]
    found = fields.gathered([*sent, ("themes", "cantine")], before)
    assert (found["kind"], found["about"]) == ("update", "7Kq2mX")
    assert found["title"] == "A\nB"
    assert found["themes"] == ["eau", "cantine"]
    assert "csrf" not in found


# --------------------------------------------------------------------------- and back


def published(conn, **given):
    return Announcement(
        **(
            {
                "id": 5,
                "code": "7Kq2mX",
                "authority": 1,
                "kind": Kind.FIRST,
                "urgency": Urgency.URGENT,
                "state": State.FINISHED,
                "contents": {
                    "fr": Content(
                        "fr", "Crue", "Montez.", "Crue", "https://example.org/", {"sms": "SMS"}
                    ),
                    "en": Content("en", "Flood", "Go up.", link="https://example.org/"),
                },
                "themes": ("eau",),
                "zones": (),
                "channels": CHANNELS,
                "created": START,
                "published": START,
            }
            | given
        )
    )


def test_an_announcement_becomes_the_form_that_says_the_same(conn):
    catalogue = load_catalogue(conn, 1)
    drawn = {
        "type": "Polygon",
        "coordinates": [[[0.0, 48.0], [1.0, 48.0], [1.0, 49.0], [0.0, 48.0]]],
    }
    first = published(conn, polygon=drawn, expires=START + timedelta(days=1))
    again = as_announcement(
        document_of(first, catalogue), first.code, Ground(catalogue, CHANNELS, START)
    )
    assert again.contents == first.contents
    for name in ("urgency", "themes", "zones", "polygon", "channels", "expires", "post_link"):
        assert getattr(again, name) == getattr(first, name), name


def test_an_end_of_alert_begins_with_words_of_its_own(conn):
    who = officer(conn)
    found = compositions.follow(conn, who, published(conn), Kind.ALL_CLEAR, START)
    document = found.document
    assert (document["kind"], document["about"]) == ("all_clear", "7Kq2mX")
    assert "terminée" in document["body"]
    assert "over" in document["body_en"]
    assert not [name for name in document if name.startswith(("override", "short"))]
    assert document["whole"] == "1"


def test_a_correction_begins_from_the_words_it_corrects(conn):
    found = compositions.follow(conn, officer(conn), published(conn), Kind.CORRECTION, START)
    assert found.document["body"] == "Montez."
    assert to_submission(found.document, load_catalogue(conn, 1), START).about == "7Kq2mX"


def test_a_copy_is_of_nothing_and_at_no_time(conn):
    who = officer(conn)
    begun = compositions.follow(conn, who, published(conn), Kind.UPDATE, START)
    copy = compositions.duplicate(conn, who, begun, START)
    assert copy.code != begun.code
    assert not {"kind", "about", "date"} & set(copy.document)


def test_what_is_half_written_can_be_looked_at(conn):
    catalogue = load_catalogue(conn, 1)
    document = filled(
        conn,
        title="",
        themes=["eau", "inconnu"],
        zones=["nulle-part"],
        level="??",
        polygon='{"type": "Polygon", "coordinates": [[]]}',
        when="at",
        date="demain",
    )
    seen = as_announcement(document, "abcdef", Ground(catalogue, CHANNELS, START))
    assert seen.themes == ("eau",)
    assert (seen.zones, seen.polygon, seen.publish_at) == ((), None, None)
    assert seen.urgency is Urgency.INFORMATION
    assert seen.code == "abcdef"
