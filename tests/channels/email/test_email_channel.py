# SPDX-License-Identifier: EUPL-1.2
"""The road for e-mail against a mail server on loopback."""

import asyncio
import email
import email.policy

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.base import (
    Accepted,
    ChannelDown,
    Reason,
    Recipient,
    Rejected,
    Retry,
    Withheld,
)

LEA = Recipient("lea@example.org")


@pytest.fixture(params=["pipelining", "in turn"])
def either(request, office):
    """The server with and without PIPELINING."""
    if request.param == "in turn":
        office.extensions.remove("PIPELINING")
    return office


async def test_a_letter_arrives_whole_and_is_the_reader_s_own(either, town):
    async with town.channel() as channel:
        outcome = await town.send(channel, 7)
    assert outcome == Accepted("key7@valmont.example.org")
    [mail] = either.mails
    assert (mail.sender, mail.recipient) == ("mairie@valmont.example.org", "lea@example.org")
    message = email.message_from_bytes(mail.body, policy=email.policy.default)
    assert message["To"] == "lea@example.org"
    assert message["Message-ID"] == "<key7@valmont.example.org>"
    assert message["Date"].datetime == town.clock.wall()
    assert message["Subject"] == "Coupure d’eau rue des Lilas"
    assert message["List-Unsubscribe"] == f"<https://example.org/s/{7:032d}>"
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text == f"Bonjour,\n.\nL’eau sera coupée.\n\nhttps://example.org/s/{7:032d}\n"


async def test_a_connection_serves_many_letters(either, town):
    async with town.channel(connections=3) as channel:
        for n in range(20):
            assert isinstance(await town.send(channel, n), Accepted)
        assert either.connections == 1
        assert either.open_connections == 1
    assert either.commands[-1] == "QUIT"


async def test_fifty_letters_at_once_reach_each_their_reader(either, town):
    async with town.channel(connections=4) as channel:
        sends = [town.send(channel, n, to=Recipient(f"reader{n}@example.org")) for n in range(50)]
        await asyncio.gather(*sends)
    assert len(either.mails) == 50
    assert either.connections == 4
    for mail in either.mails:
        n = int(mail.recipient.removeprefix("reader").partition("@")[0])
        assert f"{n:032d}".encode() in mail.body


async def test_a_connection_is_renewed_before_the_server_s_limit(office, town):
    async with town.channel(letters_per_connection=3) as channel:
        for n in range(7):
            await town.send(channel, n)
    assert office.connections == 3


async def test_a_connection_quiet_for_long_is_not_trusted(office, town):
    async with town.channel() as channel:
        await town.send(channel, 1)
        town.clock.steady += 31
        await town.send(channel, 2)
    assert office.connections == 2


@pytest.mark.parametrize("last_word", [b"", b"421 4.4.2 idle for too long\r\n"])
async def test_a_connection_the_server_ended_is_replaced_before_the_gate_is_asked(
    office, town, last_word
):
    asked = []
    async with town.channel() as channel:
        await town.send(channel, 1)
        office.writers[0].write(last_word)
        office.writers[0].close()
        await office.writers[0].wait_closed()
        for _ in range(5):
            await asyncio.sleep(0)
        outcome = await town.send(channel, 2, gate=lambda: asked.append(office.connections))
    assert isinstance(outcome, Accepted)
    assert asked == [2]


async def test_the_gate_is_asked_once_with_the_connection_in_hand(either, town):
    seen = []
    async with town.channel() as channel:
        gate = lambda: seen.append(list(either.commands))  # noqa: E731
        await town.send(channel, 1, gate=gate)
    assert len(seen) == 1
    assert [command.partition(" ")[0] for command in seen[0]] == ["EHLO"]


async def test_a_letter_withheld_writes_nothing_and_keeps_the_connection(either, town):
    def closed() -> None:
        raise Withheld

    async with town.channel() as channel:
        with pytest.raises(Withheld):
            await town.send(channel, 1, gate=closed)
        assert [command.partition(" ")[0] for command in either.commands] == ["EHLO"]
        assert isinstance(await town.send(channel, 2), Accepted)
    assert either.connections == 1
    assert len(either.mails) == 1


@pytest.mark.parametrize(
    ("verb", "reply", "outcome"),
    [
        (
            "RCPT",
            "550 5.1.1 no such user",
            Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True, code="550 5.1.1"),
        ),
        ("RCPT", "550 who?", Rejected(Reason.UNREACHABLE, code="550")),
        ("RCPT", "452 4.2.2 full", Retry(Reason.MAILBOX_FULL, code="452 4.2.2")),
        ("RCPT", "450 4.7.1 greylisted", Retry(Reason.REPUTATION, code="450 4.7.1")),
        ("DATA", "554 5.7.1 spam", Rejected(Reason.REPUTATION, code="554 5.7.1")),
        (".", "554 5.7.1 spam", Rejected(Reason.REPUTATION, code="554 5.7.1")),
        (".", "451 4.3.0 later", Retry(Reason.PROVIDER_ERROR, code="451 4.3.0")),
        (".", "599 9.9 novel", Retry(Reason.UNKNOWN, code="599")),
        ("MAIL", "451 4.3.0 later", Retry(Reason.PROVIDER_ERROR, code="451 4.3.0")),
    ],
)
async def test_a_refusal_is_this_letter_s_alone(either, town, verb, reply, outcome):
    async with town.channel() as channel:
        either.answers[verb] = reply
        assert await town.send(channel, 1) == outcome
        del either.answers[verb]
        assert isinstance(await town.send(channel, 2), Accepted)
    assert either.connections == 1
    assert b"key2@" in either.mails[-1].body


async def test_a_dead_mailbox_stays_dead_when_the_server_hangs_up_after_saying_so(either, town):
    either.answers |= {"RCPT": "550 5.1.1 no such user", "RSET": "hangup", "empty": "hangup"}
    async with town.channel() as channel:
        outcome = await town.send(channel, 1)
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS, contact_dead=True, code="550 5.1.1")


async def test_a_refused_reset_costs_the_connection(either, town):
    either.answers |= {"RCPT": "550 5.1.1 no such user", "RSET": "502 what?"}
    async with town.channel() as channel:
        await town.send(channel, 1)
        del either.answers["RCPT"]
        await town.send(channel, 2)
    assert either.connections == 2


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
async def test_421_anywhere_closes_the_road_and_costs_no_letter(either, town, verb):
    either.answers[verb] = "421 4.3.2 shutting down"
    async with town.channel() as channel:
        with pytest.raises(ChannelDown) as down:
            await town.send(channel, 1)
    assert (down.value.reason, down.value.alarm) == (Reason.PROVIDER_ERROR, False)


async def test_a_refused_sender_is_the_town_s_matter_and_not_the_reader_s(either, town):
    either.answers["MAIL"] = "553 5.7.1 sender not owned by this account"
    async with town.channel() as channel:
        with pytest.raises(ChannelDown) as down:
            await town.send(channel, 1)
    assert (down.value.reason, down.value.alarm) == (Reason.REPUTATION, True)


@pytest.mark.parametrize("answer", [None, "reset", "hangup", "bonjour", "299-" + "x" * 40_000])
async def test_a_failure_after_the_final_dot_leaves_the_letter_in_doubt(either, town, answer):
    either.answers["."] = answer
    async with town.channel(timeout=0.2) as channel:
        outcome = await town.send(channel, 1)
        assert outcome == Retry(
            Reason.NETWORK if answer else Reason.PROVIDER_TIMEOUT, maybe_sent=True
        )
        del either.answers["."]
        assert isinstance(await town.send(channel, 2), Accepted)
    assert either.connections == 2  # the doubtful one was thrown away


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [None, "reset", "hangup"])
async def test_a_failure_before_the_letter_s_bytes_leaves_no_doubt(either, town, verb, answer):
    either.answers[verb] = answer
    async with town.channel(timeout=0.2) as channel:
        outcome = await town.send(channel, 1)
    assert outcome == Retry(Reason.NETWORK if answer else Reason.PROVIDER_TIMEOUT)
    assert either.mails == []


async def test_a_doubt_does_not_stick_to_the_next_letter(office, town):
    async with town.channel(timeout=0.2) as channel:
        await town.send(channel, 1)
        office.answers["MAIL"] = None
        assert await town.send(channel, 2) == Retry(Reason.PROVIDER_TIMEOUT)


async def test_data_answered_out_of_turn_never_turns_the_letter_into_commands(either, town):
    either.answers["DATA"] = "250 ok"
    async with town.channel() as channel:
        outcome = await town.send(channel, 1)
    assert outcome == Retry(Reason.NETWORK)
    assert not any("Subject" in command for command in either.commands)


async def test_no_server_is_a_retry_without_doubt(town, office):
    async with town.channel(port=1) as channel:
        outcome = await town.send(channel, 1)
    assert outcome == Retry(Reason.NETWORK)


async def test_each_letter_has_its_own_return_address(office, town):
    async with town.channel(bounce_domain="rebond.example.org") as channel:
        await town.send(channel, 5)
    assert office.mails[0].sender == "bounce+5.1.mac5@rebond.example.org"


async def test_an_international_address_needs_a_server_that_knows_them(office, town):
    anouk = Recipient("anoük@example.org")
    async with town.channel(letters_per_connection=1) as channel:
        assert isinstance(await town.send(channel, 1, to=anouk), Accepted)
        assert "SMTPUTF8" in office.commands[1]
        office.answers["MAIL"] = "553 5.6.7 not here"
        assert await town.send(channel, 2, to=anouk) == Rejected(
            Reason.UNREACHABLE, code="553 5.6.7"
        )
        office.extensions.remove("SMTPUTF8")
        asked = []
        outcome = await town.send(channel, 3, to=anouk, gate=lambda: asked.append(1))
    assert outcome == Rejected(Reason.UNREACHABLE, code="smtputf8")
    assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        "lea",
        "lea@",
        "a b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "<a@example.org>",
        "a\ud800@example.org",
    ],
)
async def test_an_address_that_cannot_stand_in_a_command_is_refused_here(office, town, address):
    async with town.channel() as channel:
        outcome = await town.send(channel, 1, to=Recipient(address))
    assert outcome == Rejected(Reason.NO_SUCH_ADDRESS, code="unmailable")
    assert office.connections == 0


@pytest.mark.parametrize(
    "change",
    [{"stop_token": "short"}, {"message_key": "a\r\nBcc: x"}, {"receipt_token": "a> SIZE=1"}],
)
async def test_a_token_that_would_break_out_of_its_place_is_a_bug(office, town, change):
    async with town.channel() as channel:
        with pytest.raises(ValueError, match="token"):
            await town.send(channel, 1, **change)
    assert office.connections == 0


async def test_a_cancelled_send_leaves_no_connection_that_could_mispair_replies(office, town):
    office.answers["."] = None
    async with town.channel(connections=1) as channel:
        sending = asyncio.create_task(town.send(channel, 1))
        await office.received.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        del office.answers["."]
        assert isinstance(await town.send(channel, 2), Accepted)
    assert office.connections == 2


# --------------------------------------------------------------------------- somebody else's server


class Inbox:
    """aiosmtpd's end: what it understood of each letter."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 2.0.0 taken"


async def test_aiosmtpd_understands_a_letter_as_it_was_meant(town):
    inbox = Inbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(inbox, hostname="courrier.example.org", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    async with town.channel(port=port, bounce_domain="rebond.example.org") as channel:
        for n, address in enumerate(["lea@example.org", "anoük@example.org"]):
            assert isinstance(await town.send(channel, n, to=Recipient(address)), Accepted)
    server.close()
    first, second = inbox.envelopes
    assert (first.mail_from, first.rcpt_tos) == (
        "bounce+0.1.mac0@rebond.example.org",
        ["lea@example.org"],
    )
    assert second.rcpt_tos == ["anoük@example.org"]
    message = email.message_from_bytes(first.content, policy=email.policy.default)
    assert message.defects == []
    assert f"https://example.org/s/{0:032d}" in message.get_body(("html",)).get_content()
