# SPDX-License-Identifier: EUPL-1.2
"""The mail server, seen by aiosmtplib and by a bare socket."""

import asyncio
from email.message import EmailMessage

import aiosmtplib
import pytest

from channels.base import ChannelName
from hub.clock import SystemClock
from hub.sandbox.server import Sandbox, SandboxSettings

LOUIS = "louis.3@example.org"
EMAIL = ChannelName.EMAIL


def letter(to: str = LOUIS) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ville de Valmont-sur-Orne <mairie@example.org>"
    message["To"] = to
    message["Subject"] = "Coupure d’eau à Valmont"
    message["Message-ID"] = "<7.1@example.org>"
    message["List-Unsubscribe"] = "<https://example.org/s/abc>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Coupure d’eau jeudi.\n.un point en tête\n")
    message.add_alternative("<p lang=fr>Coupure d’eau jeudi.</p>", subtype="html")
    return message


async def send(sandbox: Sandbox, message: EmailMessage, **options: object) -> object:
    return await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=False,
        timeout=2,
        **options,  # type: ignore[arg-type]
    )


async def test_a_letter_is_recorded_with_its_parts_and_headers(sandbox: Sandbox) -> None:
    await send(sandbox, letter())
    (effect,) = sandbox.effects.select()
    assert (effect.to, effect.subject) == (LOUIS, "Coupure d’eau à Valmont")
    assert effect.text == "Coupure d’eau jeudi.\n.un point en tête\n"
    assert "<p lang=fr>" in effect.html
    assert effect.ref == "<7.1@example.org>"
    assert effect.extra["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert effect.extra["mail_from"] == "mairie@example.org"


async def test_each_recipient_of_one_letter_is_an_effect(sandbox: Sandbox) -> None:
    await send(sandbox, letter(), recipients=[LOUIS, "claire.4@example.org"])
    assert {effect.to for effect in sandbox.effects.select()} == {LOUIS, "claire.4@example.org"}


async def test_dead_and_full_mailboxes_are_refused_as_an_mx_does(sandbox: Sandbox) -> None:
    sandbox.faults.set(EMAIL, dead=[LOUIS], full=["claire.4@example.org"])
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as dead:
        await send(sandbox, letter())
    assert dead.value.recipients[0].code == 550
    assert dead.value.recipients[0].message.startswith("5.1.1")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as full:
        await send(sandbox, letter("claire.4@example.org"))
    assert full.value.recipients[0].code == 452
    assert not sandbox.effects.select()


async def test_the_login_is_checked_where_asked_for() -> None:
    async with Sandbox(SystemClock(), SandboxSettings(smtp_login=True)) as sandbox:
        user, password = sandbox.credentials.smtp
        settings = sandbox.channel_settings()["email"]
        assert (settings["username"], settings["password"]) == (user, password)
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await send(sandbox, letter(), username=user, password="wrong")
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="530"):
            await send(sandbox, letter())
        await send(sandbox, letter(), username=user, password=password)
        assert len(sandbox.effects.select()) == 1


async def test_nobody_can_log_in_where_no_login_is_set(sandbox: Sandbox) -> None:
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(sandbox, letter(), username="hub", password="any")


async def test_pipelined_letters_all_arrive_in_order(sandbox: Sandbox) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.smtp_port)
    await reader.readline()
    writer.write(b"EHLO hub.example.org\r\n")
    extensions = []
    while not (line := await reader.readline()).startswith(b"250 "):
        extensions.append(line[4:].strip())
    assert b"PIPELINING" in extensions
    body = letter().as_bytes().replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
    for number in range(20):
        writer.write(
            b"MAIL FROM:<mairie@example.org>\r\nRCPT TO:<citizen.%d@example.org>\r\nDATA\r\n"
            % number
            + body
            + b"\r\n.\r\n"
        )
    answers = [(await reader.readline())[:3] for _ in range(80)]
    assert answers == [b"250", b"250", b"354", b"250"] * 20
    writer.close()
    await writer.wait_closed()
    received = [effect.to for effect in sandbox.effects.select()]
    assert received == [f"citizen.{number}@example.org" for number in range(20)]


async def test_leaving_cuts_connections_that_are_still_open() -> None:
    async with Sandbox(SystemClock()) as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.smtp_port)
        await reader.readline()
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
