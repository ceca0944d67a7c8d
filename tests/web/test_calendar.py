# SPDX-License-Identifier: EUPL-1.2
"""Announcements in people's calendars: RFC 5545 to the octet, one event a thread, never doubled."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest

from templates.calendar import Event, calendar

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Component:
    """A component as a calendar program reads it: properties by name, and what it holds."""

    name: str
    lines: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    inside: list = field(default_factory=list)

    def all(self, name):
        return [each for each in self.inside if each.name == name]


def read(raw):
    """An iCalendar object, its lines unfolded; every octet of it accounted for."""
    assert raw.endswith(b"\r\n")
    lines = raw.removesuffix(b"\r\n").split(b"\r\n")
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert all(len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no character was cut in two
    unfolded = raw.removesuffix(b"\r\n").replace(b"\r\n ", b"").split(b"\r\n")
    root = Component("")
    stack = [root]
    for line in unfolded:
        head, _, value = line.decode().partition(":")
        name, *parameters = head.split(";")
        match name:
            case "BEGIN":
                stack.append(Component(value))
                stack[-2].inside.append(stack[-1])
            case "END":
                assert stack.pop().name == value
            case _:
                stack[-1].lines[name] = value
                stack[-1].parameters[name] = dict(each.split("=") for each in parameters)
    (found,) = root.inside
    assert found.name == "VCALENDAR"
    return found


def said(text):
    """A TEXT value as it was before it was escaped."""
    out, escaped = "", False
    for character in text:
        if escaped:
            out += "\n" if character in "nN" else character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            out += character
    return out


def moment(found, event, name):
    """A DTSTART or DTEND, by the VTIMEZONE that stands in the same object."""
    value = event.lines[name]
    if value.endswith("Z"):
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    local = datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    (zone,) = found.all("VTIMEZONE")
    assert event.parameters[name]["TZID"] == zone.lines["TZID"]
    known = [each for each in zone.inside if each.lines["DTSTART"] <= value]
    last = max(known, key=lambda each: each.lines["DTSTART"]).lines["TZOFFSETTO"]
    sign = -1 if last[0] == "-" else 1
    offset = sign * timedelta(hours=int(last[1:3]), minutes=int(last[3:5]))
    return local.replace(tzinfo=timezone(offset)).astimezone(UTC)


def event(**more):
    given = {
        "uid": "abc@example.org",
        "sequence": 0,
        "summary": "Coupure",
        "description": "",
        "language": "fr",
        "url": "https://example.org/a/abc",
        "location": "",
        "categories": (),
        "start": NINE,
        "end": NINE + timedelta(hours=4),
        "updated": NINE,
    }
    return Event(**given | more)


async def published(door, key, news, **more):
    return (await door.post(key, news | more)).json["id"]


def until(door, **more):
    return {"expires": (door.clock.now() + timedelta(**more)).isoformat(timespec="seconds")}


async def test_a_dated_announcement_is_an_event(door, news):
    code = await published(door, await door.key(), news, **until(door, hours=48))
    answer = await door.ask("GET", f"/a/{code}.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = read(answer.raw)
    assert found.lines["METHOD"] == "PUBLISH"
    assert found.lines["VERSION"] == "2.0"
    (one,) = found.all("VEVENT")
    assert one.lines["UID"].startswith(f"{code}@")
    assert one.lines["SEQUENCE"] == "0"
    assert one.lines["STATUS"] == "CONFIRMED"
    assert said(one.lines["SUMMARY"]) == "Coupure d'eau jeudi"
    assert said(one.lines["DESCRIPTION"]) == "L'eau sera coupée jeudi de 8 h à 12 h."
    assert one.lines["LOCATION"] == "Tanneries"
    assert one.lines["URL"].endswith(f"/a/{code}")
    start, end = (moment(found, one, name) for name in ("DTSTART", "DTEND"))
    assert abs(end - start - timedelta(hours=48)) < timedelta(seconds=5)
    assert f'href="/a/{code}.ics"' in (await door.ask("GET", f"/a/{code}")).text


async def test_what_has_no_end_has_no_place_in_a_calendar(door, news):
    code = await published(door, await door.key(), news)
    assert (await door.ask("GET", f"/a/{code}.ics")).status == 404
    assert (await door.ask("GET", "/a/zzzzzz.ics")).status == 404
    assert ".ics" not in (await door.ask("GET", f"/a/{code}")).text
    assert read((await door.ask("GET", "/agenda.ics")).raw).all("VEVENT") == []


async def test_a_change_is_the_same_event_in_a_higher_sequence(door, news):
    key = await door.key()
    first = await published(door, key, news, **until(door, hours=4))
    update = await published(
        door, key, news, kind="update", about=first, title="Plus long", **until(door, hours=9)
    )
    for code in (first, update):
        (one,) = read((await door.ask("GET", f"/a/{code}.ics")).raw).all("VEVENT")
        assert one.lines["UID"].startswith(f"{first}@")
        assert one.lines["SEQUENCE"] == "1"
        assert one.lines["SUMMARY"] == "Plus long"
    await door.with_key(key, "POST", f"{update}/cancel")
    (one,) = read((await door.ask("GET", f"/a/{first}.ics")).raw).all("VEVENT")
    assert (one.lines["SEQUENCE"], one.lines["STATUS"]) == ("2", "CONFIRMED")
    await door.with_key(key, "POST", f"{first}/cancel")
    (one,) = read((await door.ask("GET", f"/a/{first}.ics")).raw).all("VEVENT")
    assert (one.lines["SEQUENCE"], one.lines["STATUS"]) == ("3", "CANCELLED")


async def test_the_all_clear_ends_the_event(door, news):
    key = await door.key()
    first = await published(door, key, news, **until(door, hours=48))
    door.clock.leap(timedelta(hours=3))
    await published(door, key, news, kind="all_clear", about=first, title="L'eau revient")
    found = read((await door.ask("GET", f"/a/{first}.ics")).raw)
    (one,) = found.all("VEVENT")
    lasted = moment(found, one, "DTEND") - moment(found, one, "DTSTART")
    assert timedelta(hours=3) <= lasted < timedelta(hours=3, minutes=1)


async def test_the_town_s_calendar_holds_what_is_dated_of_a_theme_and_a_place(door, news):
    key = await door.key()
    dated = until(door, hours=4)
    await published(door, key, news, title="Une coupure", themes=["coupures"], **dated)
    await published(
        door, key, news, title="La cantine", themes=["cantine"], zones=["gare"], **dated
    )
    await published(door, key, news, title="Exercice", urgency="drill", **dated)
    await published(door, key, news, title="Sans date")
    other = await door.key("autre", authority="autreville")
    await published(door, other, news, title="Ailleurs", **dated)

    async def of(path):
        found = read((await door.ask("GET", path)).raw)
        return {said(each.lines["SUMMARY"]) for each in found.all("VEVENT")}

    assert await of("/agenda.ics") == {"Une coupure", "La cantine"}
    assert await of("/agenda.ics?theme=eau") == {"Une coupure"}
    assert await of("/agenda.ics?lieu=gare") == {"La cantine"}
    assert await of("/agenda.ics?theme=eau&exercices=1") == {
        "Une coupure",
        "EXERCICE\u00a0: Exercice",
    }
    assert (await door.ask("GET", "/agenda.ics?theme=nothing")).status == 404
    door.clock.leap(timedelta(days=91))
    assert await of("/agenda.ics") == set()


async def test_a_calendar_program_that_has_it_is_told_nothing_changed(door, news):
    code = await published(door, await door.key(), news, **until(door, hours=4))
    first = await door.ask("GET", f"/a/{code}.ics")
    again = await door.ask(
        "GET", f"/a/{code}.ics", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status, again.raw) == (304, b"")


@pytest.mark.parametrize("words", ["é" * 300, "🌊" * 90, "a" * 64 + "é" * 40, "ab" * 200, ""])
def test_lines_are_folded_between_characters(words):
    for shift in range(5):
        summary = "x" * shift + words
        (one,) = read(calendar("Ville", "Europe/Paris", [event(summary=summary)])).all("VEVENT")
        assert one.lines["SUMMARY"] == summary


def test_what_would_end_a_value_is_escaped():
    nasty = "a;b,c\\d\ne\r\nf: END:VEVENT"
    raw = calendar("Ville", "Europe/Paris", [event(description=nasty, categories=(nasty, "x"))])
    (one,) = read(raw).all("VEVENT")
    assert said(one.lines["DESCRIPTION"]) == nasty.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "Indian/Reunion", "America/Miquelon", "Pacific/Noumea", "UTC"]
)
@pytest.mark.parametrize("month", range(1, 13))
def test_every_moment_is_read_back_by_the_zone_in_the_calendar(zone, month):
    for day, hour in ((1, 0), (25, 1), (28, 12)):
        start = datetime(2026, month, day, hour, 30, tzinfo=UTC)
        end = start + timedelta(days=200)
        found = read(calendar("Ville", zone, [event(start=start, end=end)]))
        (one,) = found.all("VEVENT")
        assert moment(found, one, "DTSTART") == start
        assert moment(found, one, "DTEND") == end


def test_the_hour_that_comes_twice_is_told_without_doubt():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30, and again an hour later
    found = read(
        calendar("Ville", "Europe/Paris", [event(start=first, end=first + timedelta(hours=1))])
    )
    (one,) = found.all("VEVENT")
    assert one.lines["DTSTART"] == "20261025T023000"
    assert one.lines["DTEND"] == "20261025T013000Z"


def test_an_end_before_its_start_is_put_after_it():
    found = read(calendar("Ville", "Europe/Paris", [event(end=NINE)]))
    (one,) = found.all("VEVENT")
    assert one.lines["DTEND"] > one.lines["DTSTART"]
