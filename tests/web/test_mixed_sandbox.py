# SPDX-License-Identifier: EUPL-1.2
"""One channel in the sandbox, another for real: every page says which, and nobody plays with it."""

import shutil
from contextlib import AsyncExitStack

import aiohttp
import pytest
from door_rig import TownClock, authority_of, make_settings

from channels.base import ChannelName
from hub.app import listen, open_hub
from hub.cli.check import check
from hub.cli.desk import in_use
from hub.clock import PlayedClock
from hub.demo_town import town
from hub.flow.staff import officers, sessions
from hub.flow.staff.roles import EVERYTHING, Role
from hub.flow.staff.sessions import Stage
from hub.sandbox.server import Sandbox
from hub.standing_in import clock_for, real, stood_in
from hub.web.console.guard import COOKIE
from hub.web.desk import DESK

MIXED = "SMS en bac à sable, E-mail réel."


@pytest.fixture
async def mail_server():
    """Somebody's real mail server: here, one more stand-in that the hub does not know as such."""
    async with Sandbox(TownClock()) as server:
        yield server


@pytest.fixture
async def mixed(make_door, mail_server):
    """SMS to the stand-in, e-mail to that server."""
    email = mail_server.channel_settings()["email"]
    return await make_door(
        sandbox={"channels": ["sms"]},
        channels={"email": email},
        console={"second_proof": "nobody"},
    )


async def test_each_channel_goes_where_it_belongs(mixed, mail_server, news):
    key = await mixed.key()
    code = (await mixed.post(key, news)).json["id"]
    await mixed.settled(key, code)
    assert {e.channel for e in mixed.sandbox.effects.select()} == {ChannelName.SMS}
    assert {e.channel for e in mail_server.effects.select()} == {ChannelName.EMAIL}


async def test_every_page_names_what_is_real(mixed):
    officer = await signed_in(mixed)
    for path in ("/", "/sandbox", "/aide", "/abonnement", "/console"):
        page = (await mixed.ask("GET", path, headers=officer)).text
        assert MIXED in page, path
        assert "Bac à sable : aucun message réel" not in page.replace("\xa0", " ")
        assert "Bac à sable</title>" in page
    assert "SMS in the sandbox, E-mail for real." in (await mixed.ask("GET", "/?lang=en")).text


async def signed_in(door, grants=EVERYTHING):
    """The cookie of an officer's open session."""

    def start(conn):
        town_hall, now = authority_of(conn, town.KEY), door.clock.now()
        number = officers.appoint(
            *(conn, town_hall, f"{len(grants)}@example.org", "Agent", grants),
            actor="tests",
            now=now,
        )
        return sessions.start(conn, number, now, stage=Stage.OPEN)

    return {"Cookie": f"{COOKIE}={await door.hub.ledger.transact(start)}"}


async def test_only_who_runs_the_hub_sees_what_real_people_were_sent(mixed):
    for path in ("", "/amina", "/x", "/pannes", "/heure", "/exercices", "/emails/1", "/flux"):
        answer = await mixed.ask("GET", f"/sandbox{path}")
        assert answer.status == 303, path
        assert answer.headers["Location"].startswith("/console/connexion?suite=%2Fsandbox"), path
    for path in ("pannes", "amina/off", "telephones/vider"):
        answer = await mixed.ask("POST", f"/sandbox/{path}", data={"on": "1"})
        assert answer.status == 403, path
    assert not mixed.sandbox.faults.of(ChannelName.SMS).off
    assert (await mixed.ask("GET", "/sandbox", headers=await signed_in(mixed))).status == 200
    writer = await signed_in(mixed, {Role.WRITE: None})
    assert (await mixed.ask("GET", "/sandbox", headers=writer)).status == 303
    stale = {"Cookie": f"{COOKIE}={'x' * 43}"}
    assert (await mixed.ask("GET", "/sandbox", headers=stale)).status == 303
    assert (await mixed.ask("GET", "/sandbox/api/messages")).status == 404


async def test_nothing_that_training_allows_is_allowed(mixed):
    officer = {"headers": await signed_in(mixed)}
    assert not mixed.app[DESK].sandbox
    before = mixed.clock.now()
    for path, form in (
        ("/sandbox/heure", {"to": "+1"}),
        ("/sandbox/exercices/crue/suite", {"step": "1"}),
    ):
        assert (await mixed.ask("POST", path, data=form, **officer)).status == 403, path
    assert (mixed.clock.now() - before).total_seconds() < 60
    assert not mixed.sandbox.effects.select()
    hours = await mixed.ask("GET", "/sandbox/heure", **officer)
    assert "un canal est réel" in hours.text
    assert "<button" not in hours.text[hours.text.index("<main") : hours.text.index("</main>")]
    script = await mixed.ask("GET", "/sandbox/exercices/crue", **officer)
    assert "un canal est réel" in script.text


async def test_faults_are_offered_of_the_stand_ins_alone(mixed):
    officer = {"headers": await signed_in(mixed)}
    page = (await mixed.ask("GET", "/sandbox/pannes", **officer)).text
    assert 'name="sms-service"' in page
    assert "email-service" not in page
    assert "VilleValmont" not in (await mixed.ask("GET", "/sandbox", **officer)).text


async def test_outside_a_sandbox_no_such_address_exists(seeded, tmp_path, mail_server):
    shutil.copytree(seeded, tmp_path / "data")
    email = {"email": mail_server.channel_settings()["email"]}
    settings = make_settings(tmp_path / "data", sandbox={"enabled": False}, channels=email)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(open_hub(settings, TownClock(), listen(settings)))
        session = await stack.enter_async_context(aiohttp.ClientSession(hub.base_url))
        for path in (
            *("", "/amina", "/x", "/pannes", "/heure", "/exercices", "/exercices/crue"),
            *("/emails/1", "/emails/1/html", "/flux", "/api/messages", "/api/faults"),
        ):
            async with session.get(f"/sandbox{path}") as answer:
                assert answer.status == 404, path
        for path in ("telephones/vider", "heure", "pannes", "amina/off", "exercices/crue/suite"):
            async with session.post(f"/sandbox/{path}", data={"to": "+1"}) as answer:
                assert answer.status == 404, path
        async with session.get("/") as answer:
            assert "bac à sable" not in (await answer.text()).lower()


def test_the_settings_know_which_are_real_and_which_clock_is_theirs(door_settings):
    letters = {"email": {"sender": "mairie@example.org"}}
    some = door_settings(sandbox={"channels": ["sms"]}, channels=letters)
    assert (stood_in(some), real(some)) == ([ChannelName.SMS], [ChannelName.EMAIL])
    assert in_use(some) == [ChannelName.SMS, ChannelName.EMAIL]
    assert not isinstance(clock_for(some), PlayedClock)
    whole = door_settings(channels=letters)
    assert (stood_in(whole), real(whole)) == (list(ChannelName), [])
    assert isinstance(clock_for(whole), PlayedClock)
    none = door_settings(sandbox={"enabled": False}, channels=letters)
    assert (stood_in(none), real(none)) == ([], [ChannelName.EMAIL])


def test_hub_check_tries_the_real_ones_and_names_the_others(tmp_path, capsys):
    config = tmp_path / "hub.toml"
    config.write_text(
        '[sandbox]\nenabled = true\nchannels = ["sms"]\n'
        '[channels.email]\nsender = "mairie@example.org"\nhost = "127.0.0.1"\nport = 1\n',
        "utf-8",
    )
    with pytest.raises(BaseException, match="1"):
        check(config)
    lines = capsys.readouterr().out.splitlines()
    assert "ok       sms        The sandbox stands in for it." in lines
    assert any(line.startswith("problem  email") for line in lines)
    config.write_text("[sandbox]\nenabled = true\n", "utf-8")
    with pytest.raises(BaseException, match="1"):
        check(config)
    assert "ok       channels   The sandbox stands in for all; no credential is tried." in (
        capsys.readouterr().out.splitlines()
    )
