# SPDX-License-Identifier: EUPL-1.2
"""Puts the made-up town into an empty ledger: catalogue, citizens, their devices, its X account."""

import csv
import tomllib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any, Final

from sqlalchemy import Connection, select

from channels.base import ChannelName, Recipient
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from subscribers import crier, directory
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.importer import ImportOptions, import_csv
from subscribers.tables import authority, subscriber

FILES: Final = files("hub.demo_town")
KEY: Final = "valmont"

Begin = Callable[[], AbstractContextManager[Connection]]
NewDevice = Callable[[str], Mapping[str, Any]]
"""Makes the push subscription of a device by its name, as a browser would."""


def read_toml(name: str) -> dict[str, Any]:
    """One of the town's files."""
    return tomllib.loads(FILES.joinpath(name).read_text("utf-8"))


def settle(begin: Begin, new_device: NewDevice, suppression_key: bytes, now: datetime) -> Catalogue:
    """Everybody moves in. A second time changes nothing."""
    with begin() as conn:
        report = import_catalogue(
            conn,
            FILES.joinpath("catalogue.toml").read_text("utf-8"),
            FILES.joinpath("zones.geojson").read_text("utf-8"),
        )
        assert not report.problems, report.problems
        number = conn.execute(select(authority.c.id).where(authority.c.key == KEY)).scalar_one()
        catalogue = load_catalogue(conn, number)
    options = ImportOptions(suppression_key, recorded_by="hub demo", verified=True)
    with as_file(FILES.joinpath("citizens.csv")) as path, path.open("rb") as stream:
        for _verdict in import_csv(stream, begin, catalogue, options, now=now):
            pass
    with begin() as conn:
        _devices(conn, catalogue, new_device, now)
        crier.appoint(conn, catalogue, now)
        _town_hall(conn, catalogue, now)
    return catalogue


def town_hall() -> tuple[list[dict[str, Any]], str]:
    """Who works there (name, email, roles), and the one password of them all."""
    found = read_toml("officers.toml")
    return found["officers"], found["password"]


def personas() -> list[dict[str, Any]]:
    """The citizens whose phones are shown: ref, name, age, about by language."""
    found: list[dict[str, Any]] = read_toml("personas.toml")["personas"]
    return found


def announcement() -> dict[str, Any]:
    """What the town has to say today, as a door would be given it."""
    said = read_toml("announcement.toml")
    french, english = said.pop("fr"), said.pop("en")
    return {**said, **french, "language": "fr", "translations": {"en": english}}


def people(conn: Connection, catalogue: Catalogue) -> dict[str, int]:
    """Everybody's number by their ref in citizens.csv."""
    keys = select(subscriber.c.import_key, subscriber.c.id)
    mine = keys.where(subscriber.c.authority == catalogue.authority)
    return {row.import_key: row.id for row in conn.execute(mine) if row.import_key}


def _town_hall(conn: Connection, catalogue: Catalogue, now: datetime) -> None:
    people, password = town_hall()
    for who in people:
        grants = {Role(role): None for role in who["roles"]}
        with suppress(officers.EmailTakenError):
            officers.appoint(
                *(conn, catalogue.authority, who["email"], who["name"], grants),
                actor="hub demo",
                now=now,
                password=password,
            )


def _devices(conn: Connection, catalogue: Catalogue, new_device: NewDevice, now: datetime) -> None:
    numbers = people(conn, catalogue)
    with FILES.joinpath("devices.csv").open("r", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        person = numbers[row["ref"]]
        held = {point.address for point in directory.contact_points(conn, person)}
        for n in range(1, int(row["devices"]) + 1):
            made = new_device(f"{row['ref']}-{n}")
            if made["endpoint"] in held:
                continue
            device = Recipient(made["endpoint"], made["keys"])
            point = directory.add_contact_point(conn, person, ChannelName.WEBPUSH, device, now)
            directory.verify(conn, point, now)
