# SPDX-License-Identifier: EUPL-1.2
"""Somebody who subscribes in a browser of their own: cookies, forms, and a telephone to read."""

import html
import re
from datetime import timedelta
from typing import Any

from channels.base import ChannelName

SMS, EMAIL = ChannelName.SMS, ChannelName.EMAIL
THEMES = "/abonnement/themes"
WAYS = "/abonnement/coordonnees"
PROOFS = "/abonnement/verification"
DONE = "/abonnement/fini"


class Citizen:
    """One browser before the doors of a hub; `origin` is the address it comes from."""

    def __init__(self, door: Any, *, language: str = "fr", origin: str = "") -> None:
        self.door = door
        self.cookies: dict[str, str] = {}
        self.headers = {"Accept-Language": language}
        if origin:
            self.headers["X-Forwarded-For"] = origin

    async def ask(self, method: str, path: str, **form: str) -> Any:
        """One request with the browser's cookies; not redirected."""
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = self.headers | ({"Cookie": jar} if jar else {})
        more: dict[str, Any] = {"data": form} if method == "POST" else {}
        answer = await self.door.ask(method, path, headers=headers, **more)
        for line in answer.headers.getall("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        return answer

    async def get(self, path: str) -> Any:
        """Look at a page."""
        return await self.ask("GET", path)

    async def choose(self, *themes: str) -> Any:
        """Answer the first question."""
        return await self.ask("POST", THEMES, **{f"theme-{key}": "1" for key in themes})

    async def hand_in(self, *themes: str, hurry: bool = False, **fields: str) -> Any:
        """Answer the second one as a person does, who takes their time. Underscores are hyphens;
        `where` is the whole town, and consent is given, unless they say otherwise."""
        page = await self.get(WAYS)
        if not hurry:
            self.door.clock.leap(timedelta(seconds=3))
        shown = re.search('name="stamp" value="([^"]*)"', page.text)
        form = {f"theme-{key}": "1" for key in themes}
        form |= {"where": "whole", "consent": "1", "stamp": shown[1] if shown else ""}
        form |= {name.replace("_", "-"): value for name, value in fields.items()}
        return await self.ask("POST", WAYS, **{n: v for n, v in form.items() if v})

    async def subscribe(self, *themes: str, **fields: str) -> Any:
        """Both questions."""
        assert (await self.choose(*themes)).status == 303
        return await self.hand_in(*themes, **fields)

    async def prove(self, code: str) -> Any:
        """Type a code."""
        return await self.ask("POST", PROOFS, code=code)

    # ------------------------------------------------------------------ what reached them

    async def code(self, number: str, nth: int = 1) -> str:
        """The code of the `nth` SMS to a number."""
        text = (await self._nth(SMS, number, nth)).text
        found = re.search(r"\b\d{6}\b", text)
        assert found, text
        return found[0]

    async def link(self, address: str, nth: int = 1) -> str:
        """The path of the link in the `nth` letter to an address."""
        text = (await self._nth(EMAIL, address, nth)).text
        found = re.search(r"/c/[A-Za-z0-9_=-]+", text)
        assert found, text
        return found[0]

    async def _nth(self, channel: ChannelName, address: str, nth: int) -> Any:
        found: list[Any] = []

        def there() -> bool:
            found[:] = reversed(list(self.door.sandbox.effects.to(channel, address)))
            return len(found) >= nth

        await self.door.until(there)
        return found[nth - 1]

    def received(self, channel: ChannelName, address: str) -> int:
        """How many messages reached an address."""
        return len(list(self.door.sandbox.effects.to(channel, address)))


def words(page: str) -> str:
    """What a page says, without its tags."""
    inside = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", inside))).strip()


def errors(page: str) -> dict[str, str]:
    """The error summary of a page: field -> sentence."""
    block = re.search(r'<div class="errors".*?</div>', page, re.DOTALL)
    links = re.findall(r'<a href="#([^"]+)">(.*?)</a>', block[0] if block else "", re.DOTALL)
    return {field: html.unescape(text) for field, text in links}
