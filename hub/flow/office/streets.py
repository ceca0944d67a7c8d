# SPDX-License-Identifier: EUPL-1.2
"""Many streets at once, written by an officer from a file that was shown."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.flow.office import town
from hub.flow.staff.officers import Officer
from subscribers import catalogue_edit as edit
from subscribers.catalogue import Catalogue
from subscribers.catalogue_edit import Kind
from subscribers.street_file import Street, judged


def add_streets(
    conn: Connection, who: Officer, catalogue: Catalogue, asked: Sequence[Street], *, now: datetime
) -> int:
    """Add those that are not there yet, each in its district, else in the town itself. Returns how
    many were."""
    fresh = judged(asked, catalogue).fresh
    whole = next((z.id for z in catalogue.zones.values() if z.level == "town"), None)
    rows = []
    for each in fresh:
        district = catalogue.zones_by_key.get(each.district)
        under = whole if district is None or district.level != "district" else district.id
        names = {"fr": each.name, "en": each.name}
        rows.append({"names": names, "parent": under, "level": "street"})
    if rows:
        edit.add_many(conn, Kind.ZONE, catalogue, rows)
        town.note(conn, who, "catalogue_streets", "zones", now=now, detail={"places": len(rows)})
    return len(rows)
