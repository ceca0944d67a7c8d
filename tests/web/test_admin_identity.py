# SPDX-License-Identifier: EUPL-1.2
"""`/admin/identite` and `/admin/textes`: the town's look and words, on its pages at once."""

import time

import aiohttp
import pytest

from hub.flow.staff.roles import Role

PATH = "/admin/identite"
HELP = "/admin/textes/help/fr"
PLAIN = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
async def hand(office):
    return await office.officer({Role.ADMIN: None})


async def send(hand, logo=b"", **fields):
    form = aiohttp.FormData()
    for name, value in {"csrf": hand.csrf, "accent": "#0b5563", **fields}.items():
        form.add_field(name, value)
    form.add_field("logo", logo, filename="logo.svg" if logo else "")
    return await hand.ask("POST", PATH, data=form)


async def test_colour_logo_and_contact_are_on_the_pages_without_a_restart(office, hand):
    assert (await send(hand, PLAIN, accent="#7a1f3d", contact="01 99 00 12 34")).status == 303
    home = (await hand.get("/")).text
    assert "/ville.css?v=" in home
    assert "/logo?v=" in home
    assert "01 99 00 12 34" in home
    assert "#7a1f3d" in (await hand.get("/ville.css")).text
    assert (await hand.get("/logo")).raw == PLAIN
    await send(hand, accent="#0b5563", remove="on")
    assert "/logo?v=" not in (await hand.get("/")).text
    assert "Couleur, logo ou contact" in (await hand.get("/admin/journal")).text


async def test_a_colour_too_pale_is_refused_with_its_contrast(hand):
    reply = await send(hand, accent="#ffcc00")
    assert reply.status == 422
    assert "1,5" in reply.text
    assert "4,5" in reply.text
    assert (await send(hand, accent="red;}")).status == 422
    assert "/ville.css" not in (await hand.get("/")).text


async def test_a_preview_changes_nothing(hand):
    reply = await send(hand, accent="#7a1f3d", act="preview")
    assert 'fill="#7a1f3d"' in reply.text
    assert "/ville.css" not in (await hand.get("/")).text


@pytest.mark.parametrize(
    "logo",
    [
        b"<svg><script>alert(1)</script></svg>",
        b'<svg onload="x()"></svg>',
        b'<svg><image href="https://example.org/x"/></svg>',
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
        b"GIF89a",
        PLAIN + b" " * 100_000,
    ],
)
async def test_a_logo_that_is_not_a_plain_picture_is_refused(hand, logo):
    assert (await send(hand, logo)).status == 422
    assert "/logo?v=" not in (await hand.get("/")).text


@pytest.mark.parametrize("piece", [b" ", b"<", b" on", b"href=", b"url( ", b"href='", b"\t\n"])
async def test_no_drawing_is_looked_through_for_long(hand, piece):
    """One of 90 kB, blanks mostly, kept every message waiting for a minute."""
    began = time.process_time()
    drawn = PLAIN.replace(b"<path", b"<a href=" + piece * (90_000 // len(piece)) + b"#x")
    assert (await send(hand, drawn, act="preview")).status in (200, 422)
    assert time.process_time() - began < 2.0


async def test_a_text_is_said_in_the_towns_words_until_the_houses_are_back(hand):
    before = (await hand.get("/aide")).text
    own = "# Aide de Valmont\n\nAppelez. <script>x()</script> [ici](javascript:x)"
    shown = await hand.post(HELP, {"text": own, "act": "preview"})
    assert "Aide de Valmont" in shown.text
    assert "Aide de Valmont" not in (await hand.get("/aide")).text
    assert (await hand.post(HELP, {"text": own})).status == 303
    page = (await hand.get("/aide")).text
    assert "Aide de Valmont" in page
    assert "<script>x()" not in page
    assert "javascript:x" not in page.replace("[ici](javascript:x)", "")
    assert "avec vos mots" in (await hand.get("/admin/textes")).text
    assert "Appelez" not in (await hand.get("/admin/journal")).text
    assert (await hand.post(HELP, {"act": "house"})).status == 303
    assert (await hand.get("/aide")).text.count("<h2>") == before.count("<h2>")


async def test_a_text_without_a_title_is_refused_and_kept_in_the_form(hand):
    reply = await hand.post(HELP, {"text": "Sans titre"})
    assert reply.status == 422
    assert "Sans titre</textarea>" in reply.text
    assert (await hand.get("/admin/textes/zzz/fr")).status == 404


async def test_they_are_for_who_administers_this_town(office):
    other = await office.officer({Role.OPERATE: None, Role.APPROVE: None})
    neighbour = await office.officer({Role.ADMIN: None}, authority="autreville")
    for path in (PATH, "/admin/textes", HELP):
        assert (await other.get(path)).status == 403
        assert (await neighbour.get(path)).status == 404
    assert (await send(neighbour)).status == 404
    assert "/admin/identite" not in (await neighbour.get("/admin")).text
