# SPDX-License-Identifier: EUPL-1.2
"""Connecting to the mail server: securing the line, signing in, checking, taking leave."""

import ssl
from pathlib import Path

import pytest
import trustme

from channels.base import Accepted, ChannelDown, CheckFailed, Reason, Retry
from channels.email.settings import EmailSettings


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(office, authority, tmp_path: Path):
    """The server with a certificate of a private authority, and an account."""
    office.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(office.tls)
    office.extensions += ["STARTTLS", "AUTH PLAIN"]
    office.account = ("valmont", "s3cret")
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return {"security": "starttls", "ca_file": ca_file, "username": "valmont"}


async def test_a_letter_crosses_starttls_and_sign_in(office, secured, town):
    chosen = secured | {"password": "s3cret"}
    async with town.channel(**chosen) as channel:
        for n in range(3):
            sent = await town.send(channel, n)
            assert isinstance(sent, Accepted)
    assert office.connections == 1
    verbs = [command.partition(" ")[0] for command in office.commands]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_a_wrong_password_closes_the_road_with_an_alarm_and_is_not_quoted(
    office, secured, town
):
    async with town.channel(**secured, password="wr0ng") as channel:
        with pytest.raises(ChannelDown) as down:
            await town.send(channel, 1)
        with pytest.raises(CheckFailed, match="authentication") as failed:
            await channel.check()
    assert (down.value.reason, down.value.alarm) == (Reason.AUTHENTICATION, True)
    assert "wr0ng" not in repr(down.value) + repr(failed.value) + repr(channel)


async def test_a_certificate_nobody_vouches_for_is_not_trusted(office, secured, town):
    chosen = secured | {"ca_file": None, "password": "s3cret"}
    async with town.channel(**chosen) as channel:
        assert await town.send(channel, 1) == Retry(Reason.NETWORK)
        with pytest.raises(CheckFailed, match="did not answer"):
            await channel.check()
    assert not any(command.startswith("AUTH") for command in office.commands)


async def test_a_server_without_starttls_never_sees_the_password(office, secured, town):
    office.extensions.remove("STARTTLS")
    async with town.channel(**secured, password="s3cret") as channel:
        with pytest.raises(ChannelDown) as down:
            await town.send(channel, 1)
    assert down.value.alarm
    assert not any(command.startswith("AUTH") for command in office.commands)


async def test_a_server_that_refuses_at_the_door_closes_the_road(office, town):
    office.answers["greeting"] = "554 5.7.1 no thanks"
    async with town.channel() as channel:
        with pytest.raises(ChannelDown) as down:
            await town.send(channel, 1)
    assert (down.value.reason, down.value.alarm) == (Reason.PROVIDER_ERROR, True)


async def test_check_signs_in_and_sends_nothing(office, secured, town):
    async with town.channel(**secured, password="s3cret") as channel:
        said = await channel.check()
    assert "250" in said
    assert [command.partition(" ")[0] for command in office.commands[-2:]] == ["NOOP", "QUIT"]
    assert office.mails == []


async def test_check_without_an_account_says_so(office, town):
    async with town.channel() as channel:
        assert "no account" in await channel.check()


@pytest.mark.parametrize("answers", [{"greeting": None}, {"NOOP": None}])
async def test_check_of_a_silent_server_fails_in_time(office, town, answers):
    office.answers |= answers
    async with town.channel(timeout=0.2) as channel:
        with pytest.raises(CheckFailed, match="did not answer"):
            await channel.check()


async def test_a_server_silent_at_quit_does_not_hold_the_daemon(office, town):
    office.answers["QUIT"] = None
    async with town.channel(timeout=0.2) as channel:
        await town.send(channel, 1)
    assert office.commands[-1] == "QUIT"


async def test_a_server_gone_at_quit_is_no_matter(office, town):
    office.answers["QUIT"] = "reset"
    async with town.channel() as channel:
        assert isinstance(await town.send(channel, 1), Accepted)


def test_a_password_never_crosses_a_network_in_clear():
    with pytest.raises(ValueError, match="starttls or tls"):
        EmailSettings.model_validate(
            {
                "host": "mail.example.org",
                "security": "none",
                "username": "valmont",
                "sender": "mairie@example.org",
            }
        )
