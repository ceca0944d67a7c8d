# SPDX-License-Identifier: EUPL-1.2
"""Draws Valmont-sur-Orne: its map and its 2,000 citizens, the same at every run.

Run ``python -m hub.demo_town.generate`` after a change; a test compares the files with it.
"""

import csv
import io
import json
import random
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CITIZENS = 2_000

Point = tuple[float, float]

# Corners shared by neighbours (degrees, longitude first): four columns in three rows, so that
# districts tile the town without gap or overlap. No town stands here.
_CORNERS: tuple[tuple[Point, ...], ...] = (
    ((-0.4721, 48.9712), (-0.4598, 48.9689), (-0.4466, 48.9701), (-0.4339, 48.9726)),
    ((-0.4744, 48.9803), (-0.4611, 48.9788), (-0.4472, 48.9795), (-0.4327, 48.9811)),
    ((-0.4715, 48.9889), (-0.4602, 48.9901), (-0.4459, 48.9894), (-0.4346, 48.9879)),
)
_DISTRICTS = (("prairie", "centre", "gare"), ("moulins", "tanneries", "coteaux"))
# A street or building is a rectangle (west, south, east, north) in shares of its district.
_WITHIN = {
    "rue-de-la-halle": ("centre", (0.10, 0.45, 0.90, 0.60)),
    "foyer-saint-michel": ("centre", (0.40, 0.48, 0.50, 0.57)),
    "rue-des-tanneurs": ("tanneries", (0.15, 0.30, 0.85, 0.45)),
    "residence-des-tilleuls": ("tanneries", (0.60, 0.33, 0.70, 0.42)),
    "quai-de-l-orne": ("tanneries", (0.05, 0.05, 0.95, 0.18)),
    "avenue-de-la-gare": ("gare", (0.20, 0.10, 0.32, 0.90)),
}

_THEMES = (
    ("alertes", 0.70),
    ("eau", 0.55),
    ("coupures", 0.15),
    ("travaux", 0.40),
    ("dechets", 0.35),
    ("ecoles", 0.22),
    ("cantine", 0.08),
    ("sante", 0.20),
    ("culture", 0.30),
    ("vie-municipale", 0.25),
)
_ZONES = ("centre", "tanneries", "gare", "coteaux", "prairie", "moulins", *_WITHIN)
_FIRST_NAMES = (
    "adele", "ahmed", "alice", "antoine", "aurelie", "bernard", "camille", "chloe", "daniel",
    "emma", "farid", "francoise", "hugo", "ines", "jacques", "jeanne", "jules", "karim", "lea",
    "lucas", "malik", "manon", "marie", "mehdi", "michel", "nadia", "noe", "odile", "paul",
    "pauline", "rachid", "rose", "samir", "simone", "theo", "yasmine", "yves", "zoe",
)  # fmt: skip
_SOURCES = ("site web", "guichet de la mairie", "formulaire papier", "forum des associations")


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """One line of citizens.csv; lists are separated by spaces, `quiet_hours` is HH:MM-HH:MM."""

    ref: str
    language: str = "fr"
    phone: str = ""
    email: str = ""
    themes: str
    zones: str = ""
    channels: str
    cadence: str = "now"
    quiet_hours: str = ""
    urgent_at_night: str = "yes"
    timezone: str = "Europe/Paris"
    consent_source: str = "site web"
    consent_date: str = "2026-03-02"
    consent_text_version: str = "2026-01"
    devices: int = 0


COLUMNS = [column.name for column in fields(Citizen) if column.name != "devices"]


def personas() -> list[Citizen]:
    """The four whose phones the demonstration shows (personas.toml)."""
    return [
        Citizen(
            ref="v0001",
            phone=phone(1),
            email="amina.1@example.org",
            themes="alertes eau travaux ecoles",
            zones="tanneries",
            channels="sms webpush",
            quiet_hours="22:00-07:00",
            devices=1,
        ),
        Citizen(
            ref="v0002",
            phone=phone(2),
            themes="alertes eau dechets sante",
            zones="centre tanneries",
            channels="sms",
            consent_source="guichet de la mairie",
        ),
        Citizen(
            ref="v0003",
            phone=phone(3),
            email="louis.3@example.org",
            themes="alertes eau culture",
            zones="gare tanneries",
            channels="email",
            cadence="daily",
        ),
        Citizen(
            ref="v0004",
            language="en",
            phone=phone(4),
            email="claire.4@example.org",
            themes="alertes eau travaux culture",
            channels="sms email",
            quiet_hours="21:00-08:00",
            urgent_at_night="no",
        ),
    ]


def phone(number: int) -> str:
    """A mobile number reserved for fiction (ARCEP: +33 6 39 98 xx xx)."""
    return f"+3363998{number:04d}"


def citizens() -> list[Citizen]:
    """Everybody, personas first. Five households share one phone."""
    dice = random.Random("valmont-sur-orne")  # noqa: S311 (a made-up town, not a secret)
    people = personas()
    people += [_citizen(dice, number) for number in range(len(people) + 1, CITIZENS + 1)]
    with_phone = [at for at, person in enumerate(people) if at > 100 and person.phone]
    for at in range(0, 10, 2):
        keeper, sharer = with_phone[at], with_phone[at + 1]
        people[sharer] = replace(people[sharer], phone=people[keeper].phone)
    return people


def _citizen(dice: random.Random, number: int) -> Citizen:
    channels = _channels(dice)
    reachable_by_phone = "sms" in channels or dice.random() < 0.3
    name = dice.choice(_FIRST_NAMES)
    day = date(2025, 1, 6) + timedelta(days=dice.randrange(600))
    return Citizen(
        ref=f"v{number:04d}",
        language="en" if dice.random() < 0.08 else "fr",
        phone=phone(number) if reachable_by_phone else "",
        email=f"{name}.{number}@example.org" if "email" in channels else "",
        themes=" ".join(_themes(dice)),
        zones=" ".join(_zones(dice)),
        channels=" ".join(channels),
        cadence=dice.choices(("now", "daily", "weekly"), weights=(80, 12, 8))[0],
        quiet_hours=dice.choice(("22:00-07:00", "21:00-08:00", "23:00-06:30"))
        if dice.random() < 0.30
        else "",
        urgent_at_night="yes" if dice.random() < 0.85 else "no",
        consent_source=dice.choices(_SOURCES, weights=(60, 20, 15, 5))[0],
        consent_date=day.isoformat(),
        consent_text_version=f"{day.year}-01",
        devices=dice.choice((1, 1, 1, 2)) if "webpush" in channels else 0,
    )


def _channels(dice: random.Random) -> list[str]:
    """55 % SMS, 50 % e-mail, 25 % web push; nobody has web push alone, which no file can bring."""
    road = dice.random()
    chosen = ["sms"] if road < 0.50 else ["email"] if road < 0.95 else ["sms", "email"]
    return chosen + (["webpush"] if dice.random() < 0.25 else [])


def _themes(dice: random.Random) -> list[str]:
    chosen = [theme for theme, share in _THEMES if dice.random() < share]
    return chosen or ["alertes"]


def _zones(dice: random.Random) -> list[str]:
    """None at all is the whole town."""
    if dice.random() < 0.25:
        return []
    return dice.sample(_ZONES, k=1 if dice.random() < 0.8 else 2)


def citizens_csv() -> str:
    """The file `hub import` reads."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows([getattr(person, column) for column in COLUMNS] for person in citizens())
    return text.getvalue()


def devices_csv() -> str:
    """How many browsers each citizen has; apart, because no import may bring devices."""
    rows = [f"{person.ref},{person.devices}\n" for person in citizens() if person.devices]
    return "ref,devices\n" + "".join(rows)


def zones_geojson() -> str:
    """The map: a FeatureCollection whose property ``key`` names the zone of catalogue.toml."""
    areas = {"valmont-sur-orne": _outline()}
    areas |= {
        key: _ring(*_quad(row, column))
        for row, keys in enumerate(_DISTRICTS)
        for column, key in enumerate(keys)
    }
    for key, (district, rectangle) in _WITHIN.items():
        areas[key] = _inside(district, rectangle)
    features = ",\n".join(
        json.dumps(_feature(key, ring), separators=(",", ":")) for key, ring in areas.items()
    )
    return f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n'


def _feature(key: str, ring: list[Point]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"key": key},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _quad(row: int, column: int) -> tuple[Point, Point, Point, Point]:
    """South-west, south-east, north-east, north-west: the order of RFC 7946 section 3.1.6."""
    south, north = _CORNERS[row], _CORNERS[row + 1]
    return south[column], south[column + 1], north[column + 1], north[column]


def _ring(*corners: Point) -> list[Point]:
    return [*corners, corners[0]]


def _outline() -> list[Point]:
    south, middle, north = _CORNERS
    return _ring(*south, middle[-1], *reversed(north), middle[0])


def _inside(district: str, rectangle: tuple[float, float, float, float]) -> list[Point]:
    row = next(row for row, keys in enumerate(_DISTRICTS) if district in keys)
    quad = _quad(row, _DISTRICTS[row].index(district))
    west, south, east, north = rectangle
    corners = ((west, south), (east, south), (east, north), (west, north))
    return _ring(*(_at(quad, x, y) for x, y in corners))


def _at(quad: tuple[Point, Point, Point, Point], x: float, y: float) -> Point:
    weights = ((1 - x) * (1 - y), x * (1 - y), x * y, (1 - x) * y)
    longitude = sum(w * lon for w, (lon, _) in zip(weights, quad, strict=True))
    latitude = sum(w * lat for w, (_, lat) in zip(weights, quad, strict=True))
    return round(longitude, 6), round(latitude, 6)


def files() -> dict[str, str]:
    """Every generated file, by name."""
    return {
        "citizens.csv": citizens_csv(),
        "devices.csv": devices_csv(),
        "zones.geojson": zones_geojson(),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8")
