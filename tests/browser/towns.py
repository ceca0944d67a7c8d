# SPDX-License-Identifier: EUPL-1.2
"""A whole hub as citizens' browsers see it, and the phones its messages arrive on."""

import re
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from door_rig import Door, open_door

from channels.base import ChannelName
from hub.sandbox.effects import Effect

PATIENCE = 60.0
"""Seconds: a browser beside the hub takes its processors too."""
BEHIND_A_PROXY = {"trusted_proxies": ["127.0.0.1/32"]}
"""Each tab has an address of its own: ten colleagues may sign in within a minute."""
NO_HURRY = {"public_per_minute": 100_000}
OPEN_HANDED = {  # limits have their own tests, in tests/web
    "fill_seconds": 0,
    "origin_per_hour": 10_000,
    "prefix_per_hour": 10_000,
    "contact_per_day": 1_000,
}


@dataclass
class Town:
    """A running hub whose messages lead back to it. `door` knocks without a browser."""

    door: Door
    key: str

    @property
    def home(self) -> str:
        """The address before every path."""
        return self.door.hub.base_url

    async def publish(self, *, settled: bool = True, **said: Any) -> str:
        """An announcement through the API, waited for until everybody has it; its code."""
        said = {"title": "Coupure d'eau jeudi", "body": "De 8 h à 12 h.", "themes": ["eau"]} | said
        answer = await self.door.post(self.key, said)
        assert answer.status == 202, answer.text
        code = str(answer.json["id"])
        if settled:
            await self.door.settled(self.key, code, PATIENCE)
        return code

    async def message(
        self, channel: ChannelName, to: str, containing: str = "", since: int = 0
    ) -> Effect:
        """The newest message this address received that says so; waits for it."""
        found: list[Effect] = []

        def came() -> bool:
            theirs = self.door.sandbox.effects.to(channel, to)
            found[:] = [e for e in theirs if e.seq > since and containing in e.text]
            return bool(found)

        await self.door.until(came, PATIENCE)
        return found[0]

    def latest(self) -> int:
        """The number of the newest message: `since` of what comes after."""
        return int(self.door.sandbox.effects.last)

    async def code(self, number: str, since: int = 0) -> str:
        """The six digits in the newest SMS to this number that has six."""
        seen: list[str] = []

        def came() -> bool:
            texts = self.door.sandbox.effects.to(ChannelName.SMS, number)
            codes = (re.search(r"\b\d{6}\b", e.text) for e in texts if e.seq > since)
            seen[:] = [match[0] for match in codes if match]
            return bool(seen)

        await self.door.until(came, PATIENCE)
        return seen[0]

    async def link(self, channel: ChannelName, to: str, path: str, since: int = 0) -> str:
        """The address below `path` ("/c/", "/l/", "/stop/") in the newest message that has one."""
        message = await self.message(channel, to, self.home + path, since)
        found = re.search(re.escape(self.home + path) + r"[\w.~=-]+", message.text)
        assert found is not None
        return found[0]


async def open_town(stack: AsyncExitStack, seeded: Path, folder: Path, **sections: Any) -> Town:
    """A hub on a copy of the seeded folder, closed with the stack."""
    shutil.copytree(seeded, folder)
    ours = {"own_address": True, "limits": NO_HURRY, "sign_ups": OPEN_HANDED}
    ours["server"] = BEHIND_A_PROXY
    door = await open_door(stack, folder, **(ours | sections))
    return Town(door, await door.key("maire"))
