# SPDX-License-Identifier: EUPL-1.2
"""One Chromium for a session, and tabs that forgive nothing: console, CSP, other hosts, hubbub."""

import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import playwright.async_api as playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SMALL, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 800}
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
_tabs = itertools.count(1)


@dataclass
class Watch:
    """What one browser context must never do. `sizes` holds the bytes of each address answered,
    as they came over the wire, heads left out."""

    home: str
    wrongs: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def over(self, context: playwright.BrowserContext) -> None:
        """Listen to all its tabs, those it opens later too."""
        context.on("console", self._heard)
        context.on("weberror", lambda wrong: self.wrongs.append(f"script: {wrong.error}"))
        context.on("request", self._asked)
        context.on("requestfinished", self._answered)

    def _heard(self, message: playwright.ConsoleMessage) -> None:
        """A page answered 404 or 410 is told of in the console too: that is no fault of the page,
        a missing picture is."""
        page = message.page
        at = message.location.get("url", "")
        told = page is not None and at == page.url and "status of" in message.text
        if message.type in {"error", "warning"} and not told:
            self.wrongs.append(f"console at {at}: {message.text}")

    def _asked(self, request: playwright.Request) -> None:
        split = urlsplit(request.url)
        if split.scheme in {"http", "https", "ws"} and split.netloc != urlsplit(self.home).netloc:
            self.wrongs.append(f"another host: {request.url}")

    async def _answered(self, request: playwright.Request) -> None:
        try:
            self.sizes[request.url] = (await request.sizes())["responseBodySize"]
        except playwright.Error:  # the tab was closed meanwhile
            return


@dataclass(frozen=True, slots=True)
class Browser:
    """Chromium, running."""

    chromium: playwright.Browser

    @asynccontextmanager
    async def tab(
        self,
        home: str,
        language: str = "fr",
        *,
        scripts: bool = True,
        strict: bool = True,
        **look: Any,
    ) -> AsyncIterator[playwright.Page]:
        """A tab of its own context (own cookies) at 320 px, from an address of its own, which a
        hub behind a proxy believes (`towns.BEHIND_A_PROXY`); `look` is Playwright's new_context.

        `home` is the hub's address, before every path. Leaving it fails the test where the console
        complained, the CSP refused something or another host was asked; not `strict`: you look at
        `page.context` and `watch_of(page)` yourself.
        """
        look = {"viewport": SMALL, "locale": LOCALES[language], "base_url": home} | look
        tab = next(_tabs)
        here = f"198.{18 + tab // 256 % 2}.{tab % 256}.7"  # RFC 6890: for benches
        context = await self.chromium.new_context(
            java_script_enabled=scripts, extra_http_headers={"X-Forwarded-For": here}, **look
        )
        watch = _WATCHES[context] = Watch(home)
        watch.over(context)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(context.close)
            stack.callback(_WATCHES.pop, context)
            yield await context.new_page()
            if strict:
                assert watch.wrongs == []


_WATCHES: dict[playwright.BrowserContext, Watch] = {}


def watch_of(page: playwright.Page) -> Watch:
    """What was noticed of the context this tab belongs to."""
    return _WATCHES[page.context]


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium, end it afterwards."""
    async with playwright.async_playwright() as engine:
        chromium = await engine.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Browser(chromium)
        await chromium.close()
