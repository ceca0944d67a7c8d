# SPDX-License-Identifier: EUPL-1.2
"""The pages in a real browser: accessible, readable at 320 px, in the dark and without scripts."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from markupsafe import Markup

from channels.base import ChannelName, Urgency
from templates.content import Kind
from templates.pages.pages import (
    STATIC_FOLDER,
    AnnouncementProgress,
    Phone,
    PhoneMessage,
    RunProgress,
    StopChoice,
    page,
)
from templates.pages.wording import ShownState

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.async_playwright", reason="axe-playwright-python is not installed"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

TOWN = "Ville de Valmont-sur-Orne"
NOON = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# WCAG 1.4.12: a reader may space the text so, and must lose nothing.
SPACED = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; \
word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }"

ANNOUNCEMENT: dict[str, Any] = {
    "urgency": Urgency.INFORMATION,
    "kind": Kind.FIRST,
    "title": "Coupure d’eau jeudi, quartier des Tanneries",
    "body_html": Markup("<p>L’eau sera coupée <strong>jeudi</strong>.</p><ul><li>Quoi ?</li></ul>"),
    "themes": ["Eau et coupures"],
    "zones": ["Tanneries"],
    "published": NOON,
    "updated": NOON,
    "expires": NOON,
    "is_expired": False,
    "is_cancelled": False,
    "link": "https://example.org/une-adresse-tres-longue/qui-ne-se-coupe-nulle-part/2026",
    "related": [
        {"kind": Kind.UPDATE, "title": "Eau rétablie", "url": "/a/9Ms4", "published": NOON}
    ],
}
STOP: dict[str, Any] = {
    "themes": ["Eau et coupures", "Travaux et circulation"],
    "channel": ChannelName.SMS,
    "masked_contact": "06 •• •• •• 42",
    "token_url": "/stop_done",
    "choice": StopChoice.THEME,
}
PHONES = [
    Phone(
        "Amina, 34 ans",
        "Tanneries. Tous les canaux.",
        [
            PhoneMessage(channel, NOON, "VALMONT", "Coupure d'eau jeudi", state, "Eau", NOON)
            for channel, state in zip(list(ChannelName) * 4, ShownState, strict=False)
        ],
    ),
    Phone("M. Petit, 81 ans", "Centre. SMS, téléphone simple.", []),
    Phone("Louis, 22 ans", "Gare. E-mail, résumé de 18 h.", []),
    Phone("Zoé, 45 ans", "Toute la ville. Rien la nuit.", []),
    Phone("X de la ville", "@VilleValmont, lu par tout le monde.", [], public=True),
]
RUNS = [
    AnnouncementProgress(
        "Fuite de gaz rue Basse",
        "/a/8Lr3",
        Urgency.URGENT,
        [RunProgress(name, 742, 501, 398, 241, 6) for name in ChannelName],
    )
]
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "announcement": ("announcement.html", ANNOUNCEMENT),
    "urgent": ("announcement.html", ANNOUNCEMENT | {"urgency": Urgency.URGENT}),
    "expired": (
        "announcement.html",
        ANNOUNCEMENT | {"is_expired": True, "urgency": Urgency.IMPORTANT},
    ),
    "cancelled": (
        "announcement.html",
        ANNOUNCEMENT | {"is_cancelled": True, "urgency": Urgency.DRILL},
    ),
    "stop": ("stop.html", STOP | {"state": "ask"}),
    "short": (
        "stop.html",
        {**ANNOUNCEMENT, **STOP, "state": "ask", "url": "/a/7Kq2"},
    ),
    "short_digest": (
        "stop.html",
        STOP
        | {
            "state": "ask",
            "told": [
                {
                    "title": title,
                    "url": "/a/7Kq2",
                    "published": NOON,
                    "content_language": "fr",
                }
                for title in ("Coupure d’eau jeudi", "Rue de la Tannerie barrée", "Marché déplacé")
            ],
        },
    ),
    "stop_done": ("stop.html", STOP | {"state": "done"}),
    "stop_gone": ("stop.html", {"state": "gone"}),
    "error": ("message.html", {"status": 503, "reference": "7Kq2-91bd"}),
    "sandbox": (
        "sandbox.html",
        {"phones": PHONES, "announcements": RUNS, "now": NOON, "sandbox": True},
    ),
    "sandbox_empty": (
        "sandbox.html",
        {"phones": PHONES[1:], "announcements": [], "now": NOON, "sandbox": True},
    ),
}


@pytest.fixture
async def town() -> AsyncIterator[TestServer]:
    """A server of every page under the Content-Security-Policy of UX.md section 10."""

    async def show(request: web.Request) -> web.Response:
        name, context = PAGES[request.match_info["page"]]
        if request.method == "POST":
            context = context | {"choice": (await request.post())["choice"]}
        html = page(name, request.query.get("lang", "fr"), authority=TOWN, **context)
        return web.Response(
            text=html, content_type="text/html", headers={"Content-Security-Policy": CSP}
        )

    app = web.Application()
    app.router.add_static("/static", STATIC_FOLDER)
    app.router.add_route("*", "/{page}", show)
    async with TestServer(app) as server:
        yield server


@asynccontextmanager
async def browsing(**look: Any) -> AsyncIterator[Any]:
    """A browser's tab with this look; its console and CSP reports must stay silent."""
    said: list[str] = []
    async with playwright.async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        tab = await browser.new_page(**look)
        tab.on("console", lambda message: said.append(message.text))
        yield tab
        await browser.close()
    assert said == []


@pytest.mark.parametrize(
    ("language", "look"),
    [
        ("fr", {"color_scheme": "light", "viewport": {"width": 320, "height": 640}}),
        ("en", {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}}),
        ("fr", {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}}),
        ("en", {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}),
    ],
    ids=["fr-light-320", "en-dark-320", "fr-dark-1280", "en-light-1280"],
)
async def test_every_page_is_accessible_and_fits(
    town: TestServer, language: str, look: dict[str, Any]
) -> None:
    found: dict[str, list[str]] = {}
    async with browsing(**look) as tab:
        for name in PAGES:
            await tab.goto(str(town.make_url(f"/{name}").with_query(lang=language)))
            await tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            report = await axe.Axe().run(tab, options={"runOnly": RULES})
            problems = [violation["id"] for violation in report.response["violations"]]
            if await tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
                problems.append("wider than the screen")
            if problems:
                found[name] = problems
    assert found == {}


async def test_text_spaced_by_the_reader_still_fits_320_px(town: TestServer) -> None:
    async with browsing(viewport={"width": 320, "height": 640}, bypass_csp=True) as tab:
        for name in PAGES:
            await tab.goto(str(town.make_url(f"/{name}")))
            await tab.add_style_tag(content=SPACED)
            assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


async def test_the_keyboard_reaches_the_content_first_and_sees_where_it_is(
    town: TestServer,
) -> None:
    ring = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
    async with browsing(viewport={"width": 320, "height": 640}) as tab:
        await tab.goto(str(town.make_url("/stop")))
        await tab.keyboard.press("Tab")
        assert await tab.evaluate("document.activeElement.className") == "skip"
        assert await tab.evaluate(ring) >= 3
        await tab.keyboard.press("Enter")
        await tab.keyboard.press("Tab")
        assert await tab.evaluate("document.activeElement.value") == "theme"
        assert await tab.evaluate(ring) >= 3


async def test_targets_are_large_enough_for_a_thumb(town: TestServer) -> None:
    async with browsing(viewport={"width": 320, "height": 640}) as tab:
        for name in PAGES:
            await tab.goto(str(town.make_url(f"/{name}")))
            for target in await tab.locator(".button, .choice label, footer a, summary").all():
                box = await target.bounding_box()
                assert box["height"] >= 44, (name, await target.inner_text())


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (None, "Vous ne recevrez plus « Eau et coupures, Travaux et circulation » par SMS."),
        ("Tous les messages par SMS", "Vous ne recevrez plus aucun message par SMS."),
        ("Tout", f"Vous ne recevrez plus aucun message de {TOWN}."),
    ],
)
async def test_stop_works_without_scripts(
    town: TestServer, choice: str | None, sentence: str
) -> None:
    async with browsing(java_script_enabled=False) as tab:
        await tab.goto(str(town.make_url("/stop")))
        if choice:
            await tab.get_by_label(choice, exact=True).check()
        await tab.get_by_role("button").click()
        said = await tab.get_by_role("status").inner_text()
    assert said.replace("\u00a0", " ").strip() == sentence
