# SPDX-License-Identifier: EUPL-1.2
"""The mail door: it knows a letter's return address and the stop mailbox, and nobody else; 250
means that it is in the ledger."""

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from channels.base import ChannelName
from hub.clock import SystemClock
from hub.flow.citizens.stopping import Stopping
from hub.flow.send.slips import Slips
from hub.incoming import postbox
from hub.ledger import tables
from hub.postbox.door import Postbox
from hub.postbox.mailboxes import Mailboxes
from hub.settings.sections import Mailbox
from hub.web.desk import DESK
from subscribers import tables as people
from subscribers.tokens import StopTokens

REPORT = """\
From: MAILER-DAEMON@mx.example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; claire@example.org
Action: {}
Status: {}

--b--
"""
ARF = """\
From: feedback@provider.example.org
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Original-Mail-From: <{}>

--b--
"""
DOMAIN, STOPS = "retours.example.org", "stop@example.org"


class Sender:
    """The town's mail server: one LMTP conversation."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def says(self, *lines):
        """Write, and read the one reply; its last line."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        while (line := await self.reader.readline())[3:4] == b"-":
            pass
        return line.decode().strip()

    async def hands(self, to, letter):
        """A whole letter; the reply to RCPT where it is refused there, else to DATA."""
        await self.says("MAIL FROM:<>")
        told = await self.says(f"RCPT TO:<{to}>")
        if not told.startswith("250"):
            await self.says("RSET")
            return told
        await self.says("DATA")
        return await self.says(*letter.splitlines(), ".")


class Office:
    """A hub, its mail door, and one e-mail that was sent."""

    def __init__(self, door, box):
        self.door, self.box = door, box
        self.slips = Slips(door.keys.slips, StopTokens([door.keys.stops]))

    async def sends(self, stack):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.box.port)
        stack.append(writer)
        sender = Sender(reader, writer)
        assert (await sender.says()).startswith("220")
        assert (await sender.says("LHLO mx.example.org")).startswith("250")
        return sender

    async def row(self):
        table = tables.delivery
        return (await self.door.rows(table, table.c.round > 0))[0]

    async def address(self):
        row = await self.row()
        return f"bounce+{self.slips.receipt_token(row.id, row.round)}@{DOMAIN}"

    async def suspended(self):
        points = people.contact_point
        row = await self.row()
        return (await self.door.rows(points, points.c.id == row.contact_point))[0].suspended_reason


@pytest.fixture
async def office(make_door):
    door = await make_door()
    key = await door.key()
    said = {"title": "Eau", "body": "Jeudi.", "themes": ["eau"], "channels": ["email"]}
    await door.settled(key, (await door.post(key, said)).json["id"])
    desk = door.app[DESK]
    (road,) = [r.channel for n, r in desk.engine.roads.items() if n is ChannelName.EMAIL]
    mailboxes = Mailboxes(
        reader=road,
        receiving=desk.receiving,
        stops=desk.stops,
        stopping=Stopping(desk.ledger, desk.engine.wishes, desk.clock),
        bounce_domain=DOMAIN,
        stop_mailbox=STOPS,
    )
    async with Postbox(mailboxes, Mailbox(max_size=50_000, connections=3), desk.clock) as box:
        yield Office(door, box)


@pytest.fixture
async def sender(office):
    writers = []
    yield await office.sends(writers)
    for writer in writers:
        writer.close()


async def test_a_bounce_fails_its_letter_and_suspends_its_mailbox(office, sender):
    told = await sender.hands(await office.address(), REPORT.format("failed", "5.1.1"))
    assert told.startswith("250")
    row = await office.row()
    assert (row.state, row.reason) == ("failed", "no_such_address")
    assert await office.suspended() == "no_such_address"


@pytest.mark.parametrize(
    ("action", "status", "state"),
    [("delayed", "4.4.1", "accepted"), ("delivered", "2.0.0", "delivered")]
    + [("failed", status, "failed") for status in ("5.7.1", "5.2.2", "4.4.7", "5.9.9")],
)
async def test_nothing_else_suspends_anybody(office, sender, action, status, state):
    assert (await sender.hands(await office.address(), REPORT.format(action, status)))[0] == "2"
    assert ((await office.row()).state, await office.suspended()) == (state, None)


async def test_the_same_bounce_twice_is_taken_twice_and_kept_once(office, sender):
    for _ in range(2):
        told = await sender.hands(await office.address(), REPORT.format("failed", "5.1.1"))
        assert told.startswith("250")
    assert len(await office.door.rows(tables.receipt)) == 1


async def test_an_auto_reply_is_taken_and_changes_nothing(office, sender):
    letter = "Subject: Absente\nAuto-Submitted: auto-replied\n\nJe rentre lundi."
    assert (await sender.hands(await office.address(), letter)).startswith("250")
    assert (await office.row()).state == "accepted"


@pytest.mark.parametrize("to", ["the return address", STOPS])
async def test_a_complaint_ends_the_use_of_the_address(office, sender, to):
    address = await office.address()
    told = await sender.hands(address if to != STOPS else STOPS, ARF.format(address))
    assert told.startswith("250")
    assert ((await office.row()).state, await office.suspended()) == ("delivered", "complaint")


@pytest.mark.parametrize(
    "address",
    [
        f"bounce+1.1.00000000000000000000@{DOMAIN}",
        f"bounce+@{DOMAIN}",
        f"bounce@{DOMAIN}",
        f"mairie@{DOMAIN}",
        "bounce+1.1.00000000000000000000@example.org",
        "nobody",
        f"bounce+{'9' * 200}.1.0@{DOMAIN}",
    ],
)
async def test_unknown_and_forged_mailboxes_look_alike(sender, address):
    assert await sender.hands(address, "x") == "550 5.1.1 No such mailbox here"


async def test_a_token_in_capitals_is_another_token(office, sender):
    local, _, domain = (await office.address()).rpartition("@")
    shouted = f"{local.upper()}@{domain.upper()}"
    assert (await sender.hands(shouted, "x")).startswith("550") == (shouted.lower() != shouted)


async def test_one_mailbox_a_message(office, sender):
    await sender.says("MAIL FROM:<>")
    assert (await sender.says(f"RCPT TO:<{await office.address()}>")).startswith("250")
    assert (await sender.says(f"RCPT TO:<{STOPS}>")).startswith("452")


async def test_a_letter_too_large_is_refused(office, sender):
    letter = "\n".join(["x" * 900] * 100)
    assert (await sender.hands(await office.address(), letter)).startswith("552")
    assert await office.door.rows(tables.receipt) == []


async def test_a_letter_that_takes_long_to_read_keeps_nobody_waiting(office):
    """Whoever got one letter may send such ones; urgent alerts leave by the same loop."""
    begun, released, writers = threading.Event(), threading.Event(), []

    class Slow:
        def read_letter(self, _token, _letter):
            begun.set()
            assert released.wait(5)
            return []

    office.box._mailboxes = replace(office.box._mailboxes, reader=Slow())
    sender = await office.sends(writers)
    handing = asyncio.create_task(sender.hands(await office.address(), "x"))
    await office.door.until(begun.is_set)
    released.set()
    assert (await handing).startswith("250")
    writers[0].close()


async def test_smtp_is_not_spoken(office, sender):
    assert (await sender.says("EHLO mx.example.org")).startswith("500")


async def test_one_connection_too_many_is_told_to_come_again(office):
    writers = []
    for _ in range(3):
        await office.sends(writers)
    reader, writer = await asyncio.open_connection("127.0.0.1", office.box.port)
    assert (await reader.readline()).startswith(b"421")
    for each in (*writers, writer):
        each.close()


def test_the_door_opens_and_closes_on_the_loop_that_the_daemon_runs_on():
    """uvloop's transports are of no class of asyncio's."""
    uvloop = pytest.importorskip("uvloop")

    async def knock():
        async with Postbox(None, Mailbox(connections=1), SystemClock()) as box:
            address = ("127.0.0.1", box.port)
            (one, first), (two, second) = [await asyncio.open_connection(*address) for _ in "ab"]
            told = [await one.readline(), await two.readline()]
        assert await one.read() == b""  # cut off, as the hub stops
        for writer in (first, second):
            writer.close()
        return sorted(each[:3] for each in told)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(knock()) == [b"220", b"421"]


async def test_a_full_disk_asks_to_come_again(office, sender):
    address = await office.address()

    def size(conn, pages):
        return conn.exec_driver_sql(f"PRAGMA max_page_count{pages}").scalar_one()

    roomy = await office.door.hub.ledger.transact(lambda conn: size(conn, ""))
    await office.door.hub.ledger.transact(lambda conn: size(conn, "=1"))
    code = f"5.1.{'1' * 3}"
    letters = [REPORT.format("failed", f"{code[:4]}{n}") for n in range(100, 999)]
    told = "250"
    for letter in letters:  # until the last free page is full
        told = await sender.hands(address, letter)
        if not told.startswith("250"):
            break
    assert told.startswith("451")
    await office.door.hub.ledger.transact(lambda conn: size(conn, f"={roomy}"))
    assert (await sender.hands(address, letter)).startswith("250")


# --------------------------------------------------------------------------- stops by mail


async def subscriptions(office, person):
    table = people.subscription
    rows = await office.door.rows(table, table.c.subscriber == person)
    return {(row.theme, row.channel) for row in rows}


async def test_a_stop_by_mail_stops_the_theme_of_its_letter(office, sender):
    row = await office.row()
    before = await subscriptions(office, row.subscriber)
    token = office.door.stop_token(ChannelName.EMAIL, row.subscriber, 1)
    assert (await sender.hands(STOPS, f"Subject: Re: stop-{token}\n\n")).startswith("250")
    gone = before - await subscriptions(office, row.subscriber)
    assert gone
    assert {channel for _, channel in gone} == {"email"}
    assert (await sender.hands(STOPS.upper(), f"Subject: stop-{token}\n\n")).startswith("250")


SUBJECTS = ["STOP", f"stop-{'A' * 32}", "=?x?b?AA?=", "=?utf-8?b?A?="]


@pytest.mark.parametrize("head", [*(f"Subject: {each}" for each in SUBJECTS), "X: y"])
async def test_a_stop_without_its_token_is_told_what_to_do(office, sender, head):
    row = await office.row()
    before = await subscriptions(office, row.subscriber)
    told = await sender.hands(STOPS, f"{head}\n\nStop.")
    assert told.startswith("550")
    assert "link" in told
    assert await subscriptions(office, row.subscriber) == before


# --------------------------------------------------------------------------- around it


async def test_a_bounce_of_the_sandbox_comes_back_by_itself(make_door):
    door = await make_door()
    key = await door.key()
    said = {"title": "Eau", "body": "Jeudi.", "themes": ["eau"], "channels": ["email"]}
    points = people.contact_point
    addresses = [row.address for row in await door.rows(points, points.c.channel == "email")]
    door.sandbox.faults.set("email", bounced=addresses, bounce_status="5.2.1")
    await door.post(key, said)

    async def back():
        table = tables.delivery
        rows = await door.rows(table, table.c.round > 0)
        return rows and {row.state for row in rows} == {"failed"}

    await door.until(back)
    suspended = await door.rows(points, points.c.suspended_reason == "no_such_address")
    assert suspended


async def test_a_port_that_is_taken_is_tried_again(make_door):
    door = await make_door()
    desk = door.app[DESK]
    (road,) = [r.channel for n, r in desk.engine.roads.items() if n is ChannelName.EMAIL]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = door.hub.settings.model_copy(update={"mailbox": Mailbox(port=port)})
        box = postbox(settings, desk, [road], sandboxed=False)
        await box.__aenter__()
        assert box._server is None
    await door.until(lambda: box._server is not None)
    await box.__aexit__(None, None, None)


async def test_there_is_no_mail_door_unless_a_port_is_given(make_door):
    door = await make_door()
    assert postbox(door.hub.settings, door.app[DESK], [], sandboxed=False) is None


async def test_no_address_and_no_token_stands_in_the_log(office, sender, log):
    address = await office.address()
    await sender.hands(address, REPORT.format("failed", "5.1.1"))
    await sender.hands(f"bounce+1.1.{'0' * 20}@{DOMAIN}", "x")
    written = log.getvalue()
    assert "bounce+" not in written
    assert "claire@example.org" not in written
