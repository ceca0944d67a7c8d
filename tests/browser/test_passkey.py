# SPDX-License-Identifier: EUPL-1.2
"""A passkey, made and signed with by Chromium and an authenticator of its own."""

import shutil
import socket
from contextlib import AsyncExitStack
from urllib.parse import parse_qs

import pyotp
import pytest
import pytest_asyncio
from door_rig import open_door
from looking import look

from hub.flow.staff import officers
from hub.flow.staff.roles import Role
from hub.ledger import office_tables, tables

pytestmark = pytest.mark.asyncio(loop_scope="session")
PASSWORD, EMAIL = "une phrase de passe assez longue", "agent@example.org"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(seeded, tmp_path_factory):
    """A hub at a name, with one officer: browsers make no passkeys for a number."""
    port, folder = free_port(), tmp_path_factory.mktemp("named") / "data"
    home = f"http://localhost:{port}"
    shutil.copytree(seeded, folder)
    async with AsyncExitStack() as stack:
        named = {"server": {"port": port}, "hub": {"public_url": home}}
        door = await open_door(stack, folder, **named)

        def appoint(conn):
            who = (conn, door.hub.town.authority, EMAIL, "J. Morel", {Role.WRITE: None})
            now = door.clock.now()
            return officers.appoint(*who, actor="tests", now=now, password=PASSWORD)

        await door.hub.ledger.transact(appoint)
        yield door, home


async def authenticator(tab):
    """One inside the machine, whose finger is always there."""
    line = await tab.context.new_cdp_session(tab)
    await line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    await line.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def test_a_passkey_is_made_and_then_opens_the_console_alone(place, browser):
    door, home = place
    async with browser.tab(home) as tab:
        await authenticator(tab)
        await tab.goto(f"{home}/console/connexion")
        await tab.fill("#email", EMAIL)
        await tab.fill("#password", PASSWORD)
        await tab.click("text=Se connecter")
        await tab.goto(f"{home}/console/profil")
        assert await tab.locator("text=Ajouter une clé").count() == 0, "a second proof comes first"
        await tab.goto(f"{home}/console/profil/preuve")
        secret = (await tab.inner_text("main code")).replace(" ", "")
        await tab.fill("#code", pyotp.TOTP(secret).at(door.clock.now()))
        await tab.fill("#current", PASSWORD)
        await tab.click("text=Ajouter cette seconde preuve")
        await tab.goto(f"{home}/console/profil/cles")
        assert await look(tab, "fr") == []
        await tab.fill("#label", "Téléphone de la mairie")
        await tab.fill("#current", PASSWORD)
        await tab.click("main form button")
        assert await look(tab, "fr") == []
        await tab.click("text=Créer la clé")
        await tab.wait_for_url(f"{home}/console/profil")
        assert "La clé d’accès est gardée" in await tab.inner_text("main")
        assert "Téléphone de la mairie" in await tab.inner_text("main")

        await tab.context.clear_cookies()
        await tab.goto(f"{home}/console/connexion?suite=/console/profil")
        assert await look(tab, "fr") == []
        async with tab.expect_request(f"{home}/console/connexion/cle") as sent:
            await tab.click("text=Entrer avec une clé")
        await tab.wait_for_url(f"{home}/console/profil")
        answer = parse_qs((await sent.value).post_data)["credential"][0]
        assert "J. Morel" in await tab.inner_text("h1 + .lead")
        (key,) = await door.rows(office_tables.passkey)
        assert key.used is not None
        entered = await door.rows(tables.audit, tables.audit.c.verb == "sign_in")
        assert entered[-1].detail == {"proof": "passkey"}

        await tab.goto(f"{home}/console/connexion")
        token = await tab.get_attribute("[name=csrf] >> nth=0", "value")
        again = {"csrf": token, "credential": answer}
        await tab.request.post(f"{home}/console/connexion/cle/defi", form={"csrf": token})
        reply = await tab.request.post(f"{home}/console/connexion/cle", form=again, max_redirects=0)
        assert reply.headers["location"] == "/console/connexion", "an answer is good once"

        await tab.click("text=Entrer avec une clé")
        await tab.wait_for_url(f"{home}/console")
        await tab.goto(f"{home}/console/profil")
        await tab.click("main li button")
        assert "La clé d’accès est retirée" in await tab.inner_text("main")
        await tab.context.clear_cookies()
        await tab.goto(f"{home}/console/connexion")
        await tab.click("text=Entrer avec une clé")
        await tab.wait_for_selector("text=n’ouvre pas la console")
