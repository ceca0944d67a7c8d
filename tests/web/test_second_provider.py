# SPDX-License-Identifier: EUPL-1.2
"""A whole hub whose first SMS account is refused: the second carries, and its receipts are read."""

import shutil
from contextlib import AsyncExitStack

from pydantic import SecretStr

from channels.base import ChannelName
from channels.sms.settings import TwilioAccount
from hub.ledger import tables
from hub.standing_in import sandboxed


def wrong_key_first(settings, sandbox):
    """The stand-in's own account as the second, behind one that it does not know."""
    right = sandboxed(settings, sandbox)
    sms = right.channels.sms
    account = TwilioAccount(**{name: getattr(sms, name) for name in TwilioAccount.model_fields})
    sms = sms.model_copy(update={"auth_token": SecretStr("not this one"), "backup": account})
    channels = right.channels.model_copy(update={"sms": sms})
    return right.model_copy(update={"channels": channels})


async def test_a_refused_account_is_stood_in_for_and_nobody_notices(
    seeded, tmp_path, monkeypatch, news
):
    from door_rig import open_door

    monkeypatch.setattr("door_rig.sandboxed", wrong_key_first)
    folder = shutil.copytree(seeded, tmp_path / "data")
    async with AsyncExitStack() as stack:
        door = await open_door(stack, folder)
        key = await door.key()
        code = (await door.post(key, news | {"channels": ["sms"]})).json["id"]
        await door.settled(key, code)

        async def received():
            rows = await door.rows(tables.delivery, tables.delivery.c.ref.is_not(None))
            return rows and {row.state for row in rows} == {"delivered"}

        await door.until(received)
        rows = await door.rows(tables.delivery, tables.delivery.c.ref.is_not(None))
        assert {(row.provider, row.tries) for row in rows} == {("sms.backup", 0)}
        shown = await door.ask(
            "GET", "/api/v1/channels", headers={"Authorization": f"Bearer {key}"}
        )
        (sms,) = [each for each in shown.json["channels"] if each["channel"] == ChannelName.SMS]
        assert sms["state"] == "open"
        assert [each["state"] for each in sms["providers"]] == ["closed", "open"]
        assert sms["providers"][0]["alarm"]
        ready = await door.ask("GET", "/readyz")
        assert ready.json["channels"]["sms"] == "open"
