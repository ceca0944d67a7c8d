# SPDX-License-Identifier: EUPL-1.2
"""`/sandbox`: the citizens' phones, to demonstrate, to train and to test (UX.md 7.6).

Only served where a sandbox runs; elsewhere none of these addresses exists.
"""

from aiohttp import web

from hub.web.sandbox import faults, hours, letters, live, office, phones, training
from hub.web.sandbox.kept import kept


def routes() -> list[web.RouteDef]:
    """Every page of the room; a persona's own comes last, for it takes any name."""
    doors = (faults, hours, letters, live, office, training, phones)
    return [
        web.route(each.method, each.path, kept(each.handler), **each.kwargs)
        for door in doors
        for each in door.routes()
    ]
