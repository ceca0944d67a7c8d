# SPDX-License-Identifier: EUPL-1.2
"""A citizen's browser, as the doors' tests need one: it keeps cookies and finds forms' tokens."""

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from channels.base import ChannelName

LINK = re.compile(r"/l/([A-Za-z0-9_=-]{28})")
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{32})"')
MOBILE = "+33639980001"


@dataclass
class Browser:
    """Keeps cookies between requests, and no page."""

    door: Any
    cookies: dict[str, str] = field(default_factory=dict)
    language: str = "fr"

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path)

    async def post(self, path: str, **fields: Any) -> Any:
        return await self._ask("POST", path, data=fields)

    async def submit(self, path: str, **fields: Any) -> Any:
        """A form of the visit: with the token its pages carry."""
        shown = await self.get("/mes-alertes")
        return await self.post(path, csrf=CSRF.search(shown.text)[1], **fields)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Accept-Language": self.language}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        answer = await self.door.ask(method, path, headers=headers, **more)
        for line in answer.headers.getall("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]
        return answer

    async def sign_in(self, contact: str = MOBILE) -> Any:
        """By the link that arrives on the phone or in the mailbox."""
        channel = ChannelName.EMAIL if "@" in contact else ChannelName.SMS
        before = len(self._arrived(channel, contact))
        asked = await self.post("/mes-alertes/lien", contact=contact)
        assert asked.status == 303, asked.text
        await self.door.until(lambda: len(self._arrived(channel, contact)) > before)
        path = "/l/" + LINK.search(self._arrived(channel, contact)[-1].text)[1]
        shown = await self.get(path)
        person = re.search(r'name="person" value="(\d+)"', shown.text)[1]
        opened = await self.post(path, person=person)
        assert opened.headers["Location"] == "/mes-alertes"
        return path

    def _arrived(self, channel: ChannelName, contact: str) -> list[Any]:
        found = list(self.door.sandbox.effects.to(channel, contact))
        return sorted(found, key=lambda each: each.seq)
