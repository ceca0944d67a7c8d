# SPDX-License-Identifier: EUPL-1.2
"""A day of the hub at debug level leaves no address, token, key or word of a message in its log."""

import asyncio
import json
import re

import pytest
from yarl import URL

from channels.base import ChannelName
from hub.ledger import tables
from hub.sandbox.faults import ChannelFaults, Fault
from hub.web.hooks.standard import sign
from subscribers import tables as theirs

TITLE = "Rendez-vous place du Marronnier"
BODY = "Apportez la couverture bleue de Théodule."
# Ten digits inside a longer number or a hexadecimal reference are no telephone's.
PHONE_LIKE = re.compile(r"\+33\d|(?<!\w)0[67](?:[ .]?\d\d){4}(?!\w)")


async def test_a_day_leaves_nothing_personal_in_the_log(door, news, log):
    key, secret = await door.key("agent"), await door.source()
    said = news | {"title": TITLE, "body": BODY, "themes": ["alertes", "eau"]}
    accepted = await door.post(key, said, **{"Idempotency-Key": "couverture-bleue"})
    code = accepted.json["id"]
    await door.settled(key, code)
    await door.with_key(key, "GET", f"{code}/deliveries?limit=5")
    await door.post(key, said | {"titre": TITLE})
    await door.post(key, json.dumps(said)[:60].encode())
    await door.post("hub_wrongwrongwrongwrongwrong", said)
    body, stamp = json.dumps({"data": said}).encode(), str(int(door.clock.wall().timestamp()))
    signature = sign("evt_1", stamp, body, secret)
    headers = {"Content-Type": "application/json", "webhook-id": "evt_1"}
    headers |= {"webhook-timestamp": stamp, "webhook-signature": signature}
    hooked = await door.ask("POST", "/hooks/vigicrues", data=body, headers=headers)
    assert hooked.status == 202
    person = await door.person("v0001")
    token = door.stop_token(ChannelName.SMS, person, await door.announcement_id(code))
    short = door.short_token(person, await door.announcement_id(code))
    for method in ("GET", "POST"):
        await door.ask(method, f"/stop/{token}")
        await door.ask(method, f"/stop/{token[:-1]}")
        await door.ask(method, f"/s/{short}")
        await door.ask(method, f"/s/{short[:-1]}")
    door.sandbox.faults.put_all(bad_day())
    again = await door.post(key, said | {"title": TITLE + " bis"})

    async def failed():
        return len(await door.rows(tables.attempt)) > 3

    await door.until(failed)
    await door.with_key(key, "POST", f"{again.json['id']}/cancel")
    written = log.getvalue()
    assert written.count("\n") > 20
    assert '"route": "/stop/{token}"' in written
    assert '"route": "/s/{short}"' in written
    secrets = [key, secret, secret.removeprefix("whsec_"), signature, token, short]
    secrets += [
        short[:-1],
        TITLE,
        "couverture",
        "Marronnier",
        "Théodule",
        "Th\\u00e9odule",
        "wrongwrong",
    ]
    secrets += [row.address for row in await door.rows(theirs.contact_point)]
    secrets += [row.ref for row in await door.rows(tables.delivery) if row.ref and "@" in row.ref]
    assert len(secrets) > 40
    for each in secrets:
        if each != "public":  # the town's own account, named by its role
            assert each not in written
    assert not PHONE_LIKE.search(written)
    assert "@example.org" not in written


def bad_day():
    return {
        ChannelName.SMS: ChannelFaults(rates={Fault.ERROR: 0.5, Fault.REJECT: 0.5}),
        ChannelName.EMAIL: ChannelFaults(rates={Fault.ERROR: 0.5, Fault.REJECT: 0.5}),
    }


@pytest.mark.parametrize(
    "asked",
    [
        b"GET http://[bad/stop HTTP/1.1\r\n\r\n",
        b"FOO /x HTTP/1.1\r\n\r\n",
        (
            b"POST /callbacks/twilio/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
            b"Content-Encoding: br\r\n\r\nx"
        ),
        (
            b"POST /callbacks/twilio/status HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Encoding: deflate\r\n\r\ngarbage"
        ),
    ],
)
async def test_what_is_no_http_writes_no_traceback_and_no_address(door, log, asked):
    url = URL(door.hub.base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(asked)
    assert b" 400 " in await reader.readline()
    writer.close()
    await asyncio.sleep(0)
    assert "Traceback" not in log.getvalue()
    assert "127.0.0.1" not in log.getvalue()
