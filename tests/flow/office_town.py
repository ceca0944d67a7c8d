# SPDX-License-Identifier: EUPL-1.2
"""Officers of the small town of these tests, and what they write."""

from datetime import timedelta

from hub.flow.site import Press, Site
from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions
from hub.flow.writing.four_eyes import Terms
from hub.flow.writing.publishing import Publishing
from templates.catalogue import Catalogue
from templates.render import Composer

PRESS = Press(Composer(Catalogue()), Site("https://alerte.example.org"))
BOTH = {Role.WRITE: None, Role.APPROVE: None}
WATER = {
    "shape": "free",
    "level": "information",
    "title": "Coupure d'eau jeudi",
    "body": "Jeudi de 8 h à 12 h.",
    "themes": ["eau"],
    "zones": [],
    "whole": "1",
    "channels": ["sms"],
    "when": "now",
    "approval": "ask",
}


async def appoint(hub, name, grants=BOTH, authority=1):
    """An officer of this town."""

    def write(conn):
        email = f"{name.lower()}@example.org"
        now = hub.clock.now()
        number = officers.appoint(conn, authority, email, name, grants, actor="tests", now=now)
        return officers.load(conn, number)

    return await hub.write(write)


def publishing(hub, **terms):
    """What officers may do here; half a minute to take it back."""
    return Publishing(hub.intake, Terms(**{"undo": timedelta(seconds=30)} | terms))


async def compose(hub, officer, **fields):
    """Something this officer has begun to write."""
    return await hub.write(
        lambda conn: compositions.begin(conn, officer, WATER | fields, hub.clock.now())
    )


async def load(hub, code, officer):
    return await hub.ledger.read(lambda conn: compositions.load(conn, code, officer))


async def edit(hub, code, officer, **fields):
    """Another version of it, by this officer."""

    def write(conn):
        found = compositions.load(conn, code, officer)
        document, now = dict(found.document) | fields, hub.clock.now()
        return compositions.save(conn, found, document, officer, version=found.version, now=now)

    return await hub.write(write)
