# SPDX-License-Identifier: EUPL-1.2
"""One running hub for the whole table, with what its cases need already there."""

import json
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from channels.base import ChannelName, Urgency
from hub.web.hooks.standard import sign

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "web")]  # the table, and the rig of the doors
from door_rig import SECRET, open_door, seed  # noqa: E402

CONFIG = """\
[hub]
data = "{folder}"
authority = "valmont"
secret = "{secret}"
[channels.email]
sender = "mairie@example.org"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory):
    """The hub; keys that may all, little or nothing; announcements in the states cases ask for."""
    folder = tmp_path_factory.mktemp("bad") / "data"
    seed(folder)
    async with AsyncExitStack() as stack:
        door = await open_door(stack, folder, limits={"public_per_minute": 30})
        door.config = folder.parent / "hub.toml"
        door.config.write_text(CONFIG.format(folder=folder, secret=SECRET), "utf-8")
        await _set(door)
        yield door


async def _set(door):
    said = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["eau"], "channels": ["sms"]}
    soon = (door.clock.now() + timedelta(minutes=2)).isoformat()
    door.secret = await door.source()
    door.all = await door.key("maire")
    door.neighbour = await door.key("voisine", authority="autreville")
    door.meek = await door.key(
        "agent", may_publish=False, themes=("eau",), highest_urgency=Urgency.INFORMATION
    )
    published = await door.post(door.all, said, **{"Idempotency-Key": "used"})
    event = json.dumps({"data": said}).encode()
    stamp = str(int(door.clock.wall().timestamp()))
    signed = {
        "Content-Type": "application/json",
        "webhook-id": "used",
        "webhook-timestamp": stamp,
        "webhook-signature": sign("used", stamp, event, door.secret),
    }
    arrived = await door.ask("POST", "/hooks/vigicrues", data=event, headers=signed)
    drill = await door.post(door.all, said | {"urgency": "drill"})
    over = await door.post(door.meek, said | {"expires": soon})
    waiting = await door.post(door.meek, said)
    cancelled = await door.post(door.all, said)
    await door.with_key(door.all, "POST", f"{cancelled.json['id']}/cancel")
    for sent in (published, arrived, drill, cancelled):
        await door.settled(door.all, sent.json["id"])
    door.names = {
        "published": published.json["id"],
        "drill": drill.json["id"],
        "over": over.json["id"],
        "waiting": waiting.json["id"],
        "cancelled": cancelled.json["id"],
        "stop": door.stop_token(
            ChannelName.SMS,
            await door.person("v0001"),
            await door.announcement_id(published.json["id"]),
        ),
    }
    door.clock.leap(timedelta(minutes=3))
