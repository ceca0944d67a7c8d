# SPDX-License-Identifier: EUPL-1.2
"""What holds at every door: headers, methods, an answer somebody can act on, and no traceback."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from channels.base import ChannelName
from hub.app import Keys, UnusableError, listen, make_channels, open_hub
from hub.ledger import tables
from hub.web.portal import widget
from hub.web.server import CSP
from subscribers import tables as people_tables

FILLED = (
    ("{code}", "zzzzzz"),
    ("{source}", "vigicrues"),
    ("{token}", "x" * 32),
    ("{short}", "y" * 16),
    ("{channel}", "sms"),
    ("{persona}", "amina"),
    ("{switch}", "off"),
    ("{script}", "crue"),
    ("/static/{name}", "/static/app.css"),
    ("zzzzzz/{name}", "zzzzzz/arrete.pdf"),
    ("pieces/{name}", "pieces/arrete.pdf"),
    ("{name}", "aide"),
    ("{number}", "1"),
    *(
        (name, "ZZZZZZZZ")
        for name in ("{asked}", "{contact}", "{delivery}", "{people}", "{person}")
    ),
    ("{theme}", "eau"),
    ("{zone}", "tanneries"),
    ("{key}", "0" * 32),
    ("{language}", "fr"),
)
MACHINES = ("/api", "/hooks", "/sandbox/api", "/healthz", "/readyz", "/metrics", "/callbacks")


def walk(door):
    """The methods of every resource of the application, by a path that fits it."""
    found = {}
    for resource in door.app.router.resources():
        path = resource.canonical
        for name, value in FILLED:
            path = path.replace(name, value)
        assert "{" not in path, f"{path}: say in FILLED what stands there"
        found.setdefault(path, set()).update(route.method for route in resource)
    return found


def for_machines(path):
    return any(path == each or path.startswith(f"{each}/") for each in MACHINES)


async def test_every_door_that_was_promised_is_there(door):
    assert {
        *("/", "/a/zzzzzz", f"/stop/{'x' * 32}", f"/s/{'y' * 16}", "/static/app.css", "/sandbox"),
        *("/api/v1/announcements", "/api/v1/announcements/zzzzzz", "/api/v1/openapi.json"),
        *(f"/api/v1/announcements/zzzzzz/{verb}" for verb in ("deliveries", "cancel", "approve")),
        *("/hooks/vigicrues", "/healthz", "/readyz", "/metrics"),
    } <= set(walk(door))


async def test_every_answer_of_every_door_is_guarded_and_has_a_reference(door):
    key = await door.key()
    for path, methods in walk(door).items():
        for method in sorted(methods | {"PROPFIND", "OPTIONS"}):
            for headers in ({}, {"Authorization": f"Bearer {key}"}):
                answer = await door.ask(method, path, headers=headers)
                where = (method, path, answer.status)
                assert answer.status < 500, where
                framed = path == "/widget" and answer.status == 200
                policy = widget.policy(("*",)) if framed else CSP
                assert answer.headers["Content-Security-Policy"] == policy, where
                assert answer.headers["X-Content-Type-Options"] == "nosniff", where
                assert answer.headers["Referrer-Policy"] == "same-origin", where
                assert len(answer.headers["X-Request-Id"]) == 12, where
                assert "Strict-Transport-Security" not in answer.headers, where
                assert b"Traceback" not in answer.raw, where


async def test_a_method_that_a_door_does_not_know_is_refused_in_its_own_voice(door):
    for path, methods in walk(door).items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"} - methods:
            answer = await door.ask(method, path)
            assert answer.status == 405, (method, path)
            assert set(answer.headers["Allow"].split(",")) == methods, (method, path)
            voice = "application/problem+json" if for_machines(path) else "text/html"
            assert answer.kind == voice, (method, path)
            if voice != "text/html":
                assert answer.json["code"] == "method_not_allowed"


async def test_no_get_changes_anything(door, news):
    door.sandbox.faults.set("sms", lost_receipts=1.0)  # they change something, whenever they come
    key = await door.key()
    dated = {"expires": (door.clock.now() + timedelta(days=2)).isoformat()}
    code = (await door.post(key, news | dated)).json["id"]
    await door.settled(key, code)

    async def planned():
        # what waits for a digest keeps its run open
        runs = await door.rows(tables.run, tables.run.c.channel != "email")
        return {run.state for run in runs} == {"done"}

    await door.until(planned)
    amina = await door.person("v0001")
    token, short = door.stop_token(ChannelName.SMS, amina, 1), door.short_token(amina, 1)
    before = await everything(door)
    for path, methods in walk(door).items():
        real = path.replace("zzzzzz", code).replace("x" * 32, token).replace("y" * 16, short)
        for method in methods & {"GET", "HEAD"}:
            answer = await door.ask(method, real, headers={"Authorization": f"Bearer {key}"})
            # to an icon, the way in, the first question; no logo, no link of ours
            assert answer.status in {200, 302, 303, 404, 410}, (method, real)
    assert await everything(door) == before


async def everything(door):
    whole = (*tables.metadata.sorted_tables, *people_tables.metadata.sorted_tables)
    # but the lease, which the daemon renews by itself
    rows = [await door.rows(table) for table in whole if table is not tables.lease]
    return [*rows, await door.counts()]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "machine"),
    [
        ("/api", True),
        ("/api/", True),
        ("/api/v2/announcements", True),
        ("/api/v1/announcements/zzzzzz/nothing", True),
        ("/api/v1/announcements/not-a-code", True),
        ("/hooks", True),
        ("/hooks/", True),
        ("/hooks/UPPER", True),
        ("/hooks/a/b", True),
        ("/sandbox/api", True),
        ("/sandbox/api/nothing", True),
        ("/callbacks/twilio", True),
        ("/healthz/", True),
        ("/apiary", False),
        ("/nothing", False),
        ("/a/", False),
        ("/a/%2e%2e", False),
        ("/a/abcdefghijklm", False),
        ("/%FF", False),
        ("/%ED%A0%80", False),
        ("/stop/", False),
    ],
)
async def test_what_is_nowhere_is_told_to_machines_as_a_problem_and_to_people_as_a_page(
    shared, path, machine
):
    answer = await shared.ask("GET", path)
    assert answer.status == 404
    if machine:
        assert answer.kind == "application/problem+json"
        assert answer.json["code"] == "not_found"
        assert answer.json["instance"] == f"urn:request:{answer.headers['X-Request-Id']}"
        assert answer.json["detail_fr"]
    else:
        assert answer.kind == "text/html"
        assert answer.headers["X-Request-Id"] in answer.text
        assert answer.text.count("<h1") == 1
        assert "Erreur" in answer.text


async def test_a_bug_is_told_without_its_traceback_and_logged_with_it(door, news, log):
    key = await door.key()
    code = (await door.post(key, news)).json["id"]
    await door.settled(key, code)
    broken = update(tables.announcement).values(document={"contents": {"fr": "+33639980001"}})
    await door.hub.ledger.transact(lambda conn: conn.execute(broken) and None)
    answer = await door.with_key(key, "GET", code)
    assert (answer.status, answer.json["code"]) == (500, "internal")
    page = await door.ask("GET", f"/a/{code}")
    assert (page.status, page.kind) == (500, "text/html")
    for told in (answer.text, page.text):
        assert "TypeError" not in told
        assert "Traceback" not in told
    assert answer.json["instance"].removeprefix("urn:request:") in log.getvalue()
    assert "TypeError" in log.getvalue()
    assert "39980001" not in log.getvalue()


async def test_made_up_methods_and_paths_make_no_new_metric(door):
    for n in range(5):
        await door.ask("PROPFIND", f"/nothing/{n}")
    shown = (await door.ask("GET", "/metrics")).text
    assert "PROPFIND" not in shown
    assert "nothing" not in shown
    assert 'route="(none)"' in shown


# --------------------------------------------------------------------------- watching


async def test_alive_ready_and_the_figures(door, news):
    key = await door.key()
    late = news | {"publish_at": "2026-11-25T08:00:00+01:00"}
    await door.post(key, late)
    await door.settled(key, (await door.post(key, news)).json["id"])
    assert (await door.ask("GET", "/healthz")).json == {"status": "ok"}
    ready = await door.ask("GET", "/readyz")
    assert ready.status == 200
    assert ready.json == {
        "status": "ready",
        "channels": dict.fromkeys(("sms", "email", "x", "webpush"), "open"),
    }
    figures = await door.ask("GET", "/metrics")
    assert figures.headers["Content-Type"].startswith("text/plain; version=")
    lines = dict(line.rsplit(" ", 1) for line in figures.text.splitlines() if line[0] != "#")
    assert lines['hub_ready_deliveries{lane="bulk"}'] == "0.0"
    assert lines["hub_parked_deliveries"] == "0.0"
    assert lines['hub_channel_open{channel="sms"}'] == "1.0"
    assert "@" not in figures.text
    assert "+33" not in figures.text


async def test_a_closed_road_is_told_and_does_not_make_the_hub_unready(door, news):
    door.sandbox.twilio._authorization = "Basic of another account"
    await door.post(await door.key(), news | {"channels": ["sms"]})
    await door.until(lambda: not door.hub.engine.roads[ChannelName.SMS].open)
    ready = await door.ask("GET", "/readyz")
    assert ready.status == 200
    assert ready.json["channels"]["sms"] == "closed: authentication"
    figures = (await door.ask("GET", "/metrics")).text
    assert 'hub_channel_open{channel="sms"} 0.0' in figures
    assert 'hub_channel_open{channel="email"} 1.0' in figures


# --------------------------------------------------------------------------- starting


async def test_https_is_insisted_on_where_the_town_has_it(make_door):
    door = await make_door(hub={"public_url": "https://alertes.example.org"})
    answer = await door.ask("GET", "/")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("secret", [None, "", "dmFsbW9udA==", "not base64!" * 5])
def test_without_a_secret_of_thirty_two_bytes_nothing_starts(door_settings, secret):
    with pytest.raises(UnusableError, match=r"32 random bytes"):
        Keys.of(door_settings(hub={"secret": secret}))


def test_each_purpose_has_its_own_key(door_settings):
    keys = Keys.of(door_settings())
    assert len({keys.slips, keys.stops, keys.seal, keys.suppression}) == 4


async def test_an_authority_the_ledger_does_not_know_stops_the_start(door_settings, door, tmp_path):
    settings = door_settings(hub={"data": tmp_path / "empty", "authority": "nulle-part"})
    server = listen(settings)
    with server, pytest.raises(UnusableError, match="nulle-part"):
        async with open_hub(settings, door.clock, server):
            pass


def test_a_port_that_is_taken_is_said_in_one_sentence(door_settings):
    with listen(door_settings()) as server:
        port = server.getsockname()[1]
        with pytest.raises(UnusableError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            listen(door_settings(server={"port": port}))


def test_an_ipv6_address_can_be_listened_on(door_settings):
    with listen(door_settings(server={"host": "::1"})) as server:
        assert server.getsockname()[0] == "::1"


def test_a_channel_that_misses_something_is_named(door_settings, door_clock):
    settings = door_settings(channels={"sms": {"account_sid": "AC0", "auth_token": "t"}})
    with pytest.raises(UnusableError, match=r"channels\.sms"):
        make_channels(settings, door_clock)
