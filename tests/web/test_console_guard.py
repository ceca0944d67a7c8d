# SPDX-License-Identifier: EUPL-1.2
"""Nobody sits at the console who did not sign in, and no form is taken that is not theirs."""

from datetime import timedelta
from time import perf_counter

from hub.flow.staff import officers, sessions
from hub.flow.staff.roles import Role
from hub.ledger.tables import audit
from hub.web.console.entering.sign_in import MOST_TRIES
from hub.web.console.guard import HEADER
from hub.web.desk import DESK


async def test_a_page_asked_for_without_a_session_comes_back_after_the_sign_in(office):
    hand = await office.writer(signed_in=False)
    reply = await hand.get("/console/profil")
    assert reply.status == 303
    assert reply.headers["Location"] == "/console/connexion?suite=%2Fconsole%2Fprofil"
    form = await hand.get(reply.headers["Location"])
    assert 'value="/console/profil"' in form.text


async def test_a_language_asked_for_before_the_sign_in_is_the_sign_ins(office):
    hand = await office.writer(signed_in=False)
    form = await hand.get((await hand.get("/console?lang=en")).headers["Location"])
    assert '<html lang="en"' in form.text


async def test_a_wrong_password_and_an_unknown_address_are_told_the_same(office):
    hand = await office.writer(signed_in=False)
    wrong = await hand.sign_in("autre chose")
    hand.email = "personne@example.org"
    unknown = await hand.sign_in("autre chose")
    assert wrong.status == unknown.status == 422
    assert "ne vont pas ensemble" in wrong.text
    same = wrong.text.replace("agent1@example.org", "personne@example.org")
    assert same == unknown.text


async def test_the_tenth_wrong_password_of_a_minute_is_the_last(office):
    hand = await office.writer(signed_in=False)
    replies = [await hand.sign_in("autre chose") for _ in range(11)]
    assert [each.status for each in replies[:10]] == [422] * 10
    assert replies[10].status == 429


async def test_a_town_hall_behind_one_address_signs_in_at_once_and_a_stranger_there_tries_little(
    office,
):
    crisis = [await office.officer(signed_in=False) for _ in range(20)]
    assert [(await each.sign_in()).status for each in crisis] == [303] * 20
    stranger = await office.writer(signed_in=False)
    replies = []
    for n in range(12):
        stranger.email = f"agent{n + 1}@example.org"  # another account each time
        replies.append((await stranger.sign_in("autre chose")).status)
    assert replies == [422] * 10 + [429] * 2
    for each in crisis[:12]:
        await each.post("/console/deconnexion")
        assert (await each.sign_in()).status == 303, "a browser they were in before"


async def test_nobody_is_signed_in_by_a_form_of_elsewhere(office):
    hand = await office.writer(signed_in=False)
    given = {"email": hand.email, "password": "une phrase de passe assez longue"}
    reply = await hand.post("/console/connexion", given, csrf="made up")
    assert reply.status == 403


async def test_signing_in_never_leads_to_another_site(office):
    hand = await office.writer(signed_in=False)
    for away in ("https://example.org/", "//example.org/", "/\\example.org", "/console\\@x"):
        page = await hand.get("/console/connexion?suite=" + away)
        assert 'name="suite" value=""' in page.text, away


async def test_an_unsafe_request_needs_the_token_of_its_session(office):
    hand, other = await office.writer(), await office.writer()
    for token in ("", "made up", other.csrf):
        assert (await hand.post("/console/deconnexion", csrf=token)).status == 403
    assert (await hand.get("/console/profil")).status == 200
    reply = await hand.ask("POST", "/console/deconnexion", headers={HEADER: hand.csrf})
    assert reply.status == 303
    assert (await hand.get("/console/profil")).status == 303


async def test_who_tries_an_account_from_everywhere_does_not_shut_its_owner_out(office):
    """Ten tries a minute would have kept whoever approves an alert from signing in."""
    hand = await office.writer()
    await hand.post("/console/deconnexion")
    limiter = office.door.app[DESK].limiter
    while await limiter.has_room("sign-in-as", hand.email, MOST_TRIES):
        pass
    other = await office.officer(signed_in=False)
    other.email = hand.email
    assert (await other.sign_in()).status == 429, "a browser in which they never were"
    assert (await hand.sign_in()).status == 303
    mark = next(each for each in hand.session.cookie_jar if each.key == "known")
    assert mark["httponly"]
    assert mark.value not in (await hand.get("/console/profil")).text


async def test_a_form_of_another_site_is_refused_whatever_it_carries(office):
    hand = await office.writer()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.org"}):
        body = {"csrf": hand.csrf}
        reply = await hand.ask("POST", "/console/deconnexion", data=body, headers=headers)
        assert reply.status == 403


async def test_half_an_hour_idle_ends_a_session_and_twelve_hours_end_it_in_any_case(office):
    hand, clock = await office.writer(), office.door.clock
    for _ in range(26):
        clock.leap(timedelta(minutes=29))
        reply = await hand.get("/console/profil")
    assert reply.status == 303, "over twelve hours"
    await hand.sign_in()
    clock.leap(sessions.IDLE + timedelta(seconds=1))
    assert (await hand.get("/console/profil")).status == 303


async def test_signing_in_again_ends_the_session_this_browser_had(office):
    hand = await office.writer()
    jar = {each.key: each.value for each in hand.session.cookie_jar}
    await hand.sign_in()
    old = await office.door.ask(
        "GET", "/console/profil", headers={"Cookie": f"office={jar['office']}"}
    )
    assert old.status == 303


async def test_a_disabled_officer_is_out_at_once(office):
    hand = await office.writer()

    def disable(conn):
        who = officers.load(conn, hand.number)
        officers.disable(conn, who, actor="tests", now=office.door.clock.now())

    await office.door.hub.ledger.transact(disable)
    assert (await hand.get("/console/profil")).status == 303


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(office):
    hand = await office.writer(signed_in=False)
    reply = await hand.sign_in()
    cookie = next(c for c in reply.headers.getall("Set-Cookie") if c.startswith("office="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_who_writes_or_approves_reads_and_nobody_publishes_by_writing():
    both = officers.Officer(
        1, 1, "A", "a@example.org", {Role.WRITE: ("eau",), Role.APPROVE: ("voirie",)}
    )
    assert both.principal(Role.READ).themes == ("eau", "voirie")
    assert not both.principal(Role.WRITE).may_publish
    assert both.principal(Role.APPROVE).may_publish
    assert both.principal(Role.ADMIN).themes == ()


async def test_nobodys_password_takes_as_long_to_refuse_as_somebodys(dear_passwords):
    async def quickest(kept):
        times = []
        for _ in range(5):
            began = perf_counter()
            assert not await officers.verifies(kept, "autre chose")
            times.append(perf_counter() - began)
        return min(times)

    kept = await officers.hashed("une phrase de passe assez longue")
    await quickest(None)  # the first one makes what nobody's is compared with
    known, unknown = await quickest(kept), await quickest(None)
    assert 0.5 < known / unknown < 2


async def test_a_refusal_is_noted_once_a_minute_and_names_no_address(office, log):
    hand = await office.writer(signed_in=False)
    for email in (hand.email, "personne@example.org"):
        hand.email = email
        for _ in range(3):
            await hand.sign_in("autre chose")
    lines = [each for each in await office.door.rows(audit) if each.verb == "sign_in_refused"]
    assert [line.object for line in lines] == [f"officer:{hand.number}", "console"]
    said = repr(lines) + log.getvalue()
    assert "example.org" not in said
    assert "autre chose" not in said
