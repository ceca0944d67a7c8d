# SPDX-License-Identifier: EUPL-1.2
"""A real Firefox without a screen, driven over Marionette: JSON with its length before it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver section 12
_START = 120.0  # seconds a browser may take to start on a busy machine
_END = 10.0  # and to end, before it is made to
_ANSWER = 60.0  # and to answer

PREFS: Mapping[str, Any] = {
    "marionette.port": 0,  # any free one, told in the profile
    "remote.prefs.recommended": False,  # they would switch push off
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "captivedetect.canonicalURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1/v1",
    "toolkit.telemetry.server": "",
    "intl.accept_languages": "fr",
    "alerts.useSystemBackend": False,
    "permissions.default.desktop-notification": 1,
}


class FirefoxError(Exception):
    """What Firefox could not do, in its own words."""


class Firefox:
    """One window."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._asked = reader, writer, 0

    async def ask(self, command: str, **given: Any) -> Any:
        """One command and its answer. Raises `FirefoxError`."""
        self._asked += 1
        body = json.dumps([0, self._asked, command, given]).encode()
        self._writer.write(b"%d:%b" % (len(body), body))
        await self._writer.drain()
        async with asyncio.timeout(_ANSWER):
            _, _, error, result = await self.hear()
        if error is not None:
            raise FirefoxError(f"{command}: {error['error']}: {error['message']}")
        return result

    async def hear(self) -> Any:
        """The next thing it says."""
        length = int((await self._reader.readuntil(b":"))[:-1])
        return json.loads(await self._reader.readexactly(length))

    async def open(self, url: str) -> None:
        """Go to a page, and wait until it stands."""
        await self.ask("WebDriver:Navigate", url=url)

    async def run(self, script: str, *args: Any) -> Any:
        """What an asynchronous function's body returns in the page."""
        wrapped = (
            "const [...args] = arguments; const done = args.pop();"
            f"(async (...args) => {{ {script} }})(...args)"
            ".then(value => done({value}), error => done({error: String(error)}));"
        )
        answer = await self.ask(
            "WebDriver:ExecuteAsyncScript", script=wrapped, args=list(args), scriptTimeout=30_000
        )
        found = answer["value"] or {"error": "the page went away meanwhile"}
        if "error" in found:
            raise FirefoxError(found["error"])
        return found.get("value")

    async def click(self, css: str) -> None:
        """As a person does: the element must be seen."""
        found = await self.ask("WebDriver:FindElement", using="css selector", value=css)
        await self.ask("WebDriver:ElementClick", id=found["value"][_ELEMENT])


@asynccontextmanager
async def firefox(binary: str, profile: Path, **prefs: Any) -> AsyncIterator[Firefox]:
    """A browser of its own in this empty folder, gone with the block."""
    given = {**PREFS, **prefs}
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in given.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(binary, "--headless", "--marionette", "--no-remote", "--profile", str(profile)),
        env={**os.environ, "MOZ_HEADLESS": "1", "HOME": str(profile)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "MarionetteActivePort", process)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        window = Firefox(reader, writer)
        async with asyncio.timeout(_START):
            await window.hear()  # its greeting
        await window.ask("WebDriver:NewSession", capabilities={})
        yield window
        writer.close()
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(_END):
            await process.wait()
            return
    process.kill()
    await process.wait()


async def _port(told: Path, process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(_START):
        while process.returncode is None:
            if text := await asyncio.to_thread(_text, told):
                return int(text)
            await asyncio.sleep(0.05)  # a file tells nobody when it comes
    raise FirefoxError("ended before it said where it listens")


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii") if file.exists() else ""
