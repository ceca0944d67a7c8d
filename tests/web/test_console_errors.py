# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong at the console is told within it: what happened, one way on, a reference."""

import pytest

from hub.flow.staff.roles import Role
from hub.web.desk import DESK

REFERENCE = "Référence à indiquer"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/console/abonnes/ZZZZZZZZ", 404),
        ("GET", "/console/rien", 404),
        ("POST", "/console/deconnexion", 403),
    ],
)
async def test_an_error_page_says_what_happened_and_leads_to_the_console(
    office, method, path, status
):
    hand = await office.officer()
    reply = await hand.ask(method, path)
    assert reply.status == status
    assert "Erreur" in reply.text.partition("</title>")[0]
    assert 'href="/console"' in reply.text
    assert REFERENCE in reply.text
    assert 'href="/console/modeles"' in reply.text, "within the console's own frame"


async def test_an_officer_stays_within_the_console(office):
    hand = await office.officer({Role.WRITE: None})
    reply = await hand.get("/console/abonnes/import")
    assert reply.status == 403
    assert 'href="/console/modeles"' in reply.text
    assert "Votre rôle ne permet pas" in reply.text


async def test_one_request_too_many_is_told_so(office):
    hand, app = await office.officer(), office.door.app
    most = app[DESK].settings.limits.console_per_minute
    for _ in range(most - 10):
        await app[DESK].limiter.admit("console", f"officer:{hand.number}", most)
    replies = [await hand.get("/console/aide") for _ in range(12)]
    page = replies[-1]
    assert page.status == 429
    assert page.headers["Retry-After"] == "60"
    assert REFERENCE in page.text
