# SPDX-License-Identifier: EUPL-1.2
"""A form is small, and reading it costs little: the loop that reads it also sends the alerts."""

import time

from citizen_rig import THEMES, WAYS, Citizen

from subscribers import tables as people

MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def _boxes_in_boxes(depth: int) -> bytes:
    inner = (
        b"Content-Type:multipart/x;boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)
    )
    return b"--b\r\n" + b"".join(inner)


async def test_boxes_in_boxes_are_not_opened(door):
    """A mail parser took seconds for 45 kB."""
    began = time.process_time()
    answer = await door.ask("POST", "/affichage", data=_boxes_in_boxes(900), headers=MULTIPART)
    assert answer.status == 303
    assert time.process_time() - began < 1.0


async def test_a_draft_does_not_grow_with_every_form(door):
    """Each form brings names of its own, which no page of ours has."""
    zoe = Citizen(door)
    for turn in range(4):
        names = {f"zone-{turn}-{n}": "x" * 20 for n in range(600)}
        assert (await zoe.ask("POST", THEMES, **{"theme-eau": "1"}, **names)).status == 303
    (kept,) = await door.rows(people.draft)
    assert len(kept.document["fields"]) <= 1_000
    assert (await zoe.get(WAYS)).status == 200  # what was chosen last is there


async def test_one_visitor_hands_in_few_forms_a_minute(make_door):
    from visiting import CSRF, Browser

    door = await make_door(limits={"public_per_minute": 4})
    browser = Browser(door)
    await browser.sign_in()
    token = CSRF.search((await browser.get("/mes-alertes")).text)[1]
    told = [
        (await browser.post("/mes-alertes/pause", csrf=token, **{"for": "week"})).status
        for _ in range(5)
    ]
    assert told == [303, 303, 303, 303, 429]


async def test_nobody_signed_in_hands_in_a_large_form(door):
    """The way into the console is typed by hand; ten megabytes of it would be kept in memory."""
    ways = ("/console/connexion", "/console/connexion/cle", f"/console/invitation/{'x' * 43}")
    large = [{"email": "x" * 70_000}, _boxes_in_boxes(3_000)]
    for path in ways:
        for body in large:
            kind = {} if isinstance(body, dict) else MULTIPART
            assert (await door.ask("POST", path, data=body, headers=kind)).status == 413, path
