# SPDX-License-Identifier: EUPL-1.2
"""A made-up town in memory: Valmont-sur-Orne, two trees and nobody in it yet."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.tables import metadata

VALMONT = """
[authority]
key = "valmont"
name = "Ville de Valmont-sur-Orne"
timezone = "Europe/Paris"
language = "fr"

[[themes]]
key = "eau"
names = { fr = "Eau et coupures", en = "Water and outages" }
[[themes]]
key = "coupures"
parent = "eau"
names = { fr = "Coupures d'eau", en = "Water cuts" }
[[themes]]
key = "coupures-nuit"
parent = "coupures"
names = { fr = "Coupures de nuit", en = "Water cuts at night" }
[[themes]]
key = "ecoles"
names = { fr = "Écoles", en = "Schools" }

[[zones]]
key = "ville"
level = "town"
names = { fr = "Toute la ville", en = "Whole town" }
[[zones]]
key = "centre"
level = "district"
parent = "ville"
names = { fr = "Centre", en = "Centre" }
[[zones]]
key = "gare"
level = "district"
parent = "ville"
names = { fr = "Gare", en = "Station" }
[[zones]]
key = "rue-de-la-halle"
level = "street"
parent = "centre"
names = { fr = "Rue de la Halle", en = "Rue de la Halle" }
"""


@pytest.fixture
def valmont() -> str:
    return VALMONT


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as conn:
        yield conn


@pytest.fixture
def town(conn: Connection) -> Catalogue:
    import_catalogue(conn, VALMONT)
    conn.commit()
    return load_catalogue(conn, 1)
