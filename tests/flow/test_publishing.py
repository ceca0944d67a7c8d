# SPDX-License-Identifier: EUPL-1.2
"""What an officer wrote leaves once somebody else has read it, and can be taken back awhile."""

import asyncio
from datetime import timedelta

import pytest
from office_town import BOTH, WATER, appoint, compose, edit, load, publishing
from sqlalchemy import func, select

from channels.base import ChannelName
from hub.announcement import State, UnlawfulMoveError
from hub.flow.accept.intake import UnknownAnnouncementError
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ForbiddenError, RefusedError
from hub.flow.accept.recurrence import Repeat, local_day
from hub.flow.office.agenda import agenda
from hub.flow.office.to_do import to_do
from hub.flow.staff.roles import Role
from hub.flow.staff.scope import scope_of
from hub.flow.writing import attachments, compositions, dropped, four_eyes
from hub.flow.writing.compositions import EditedMeanwhileError, NotEditableError
from hub.flow.writing.four_eyes import OwnAnnouncementError
from hub.flow.writing.publishing import ChangedMeanwhileError
from hub.ledger import announcements, audit, tables
from hub.ledger.announcements import StaleAnnouncementError, digest_of

SMS = ChannelName.SMS


@pytest.fixture
async def hub(make_hub):
    return await make_hub(SMS)


async def verbs(hub, code):
    lines = await hub.ledger.read(lambda conn: audit.of_object(conn, f"announcement:{code}"))
    return [line["verb"] for line in lines]


async def asked(hub, author, **fields):
    """Approval of something was asked for."""
    written = await compose(hub, author, **fields)
    return await publishing(hub).submit(written.code, author)


async def test_a_request_is_an_announcement_under_the_code_the_draft_had(hub):
    morel = await appoint(hub, "Morel")
    written = await compose(hub, morel)
    found = await publishing(hub).submit(written.code, morel, version=written.version)
    assert (found.code, found.state, found.author) == (written.code, State.TO_APPROVE, "Morel")
    again = await publishing(hub).submit(written.code, morel, version=written.version)
    assert again.id == found.id
    assert (await verbs(hub, found.code)).count("submit") == 1


async def test_nothing_asked_for_is_changed_before_it_is_decided(hub):
    morel = await appoint(hub, "Morel")
    found = await asked(hub, morel)
    with pytest.raises(NotEditableError):
        await edit(hub, found.code, morel, body="Autre chose.")


async def test_what_is_wrong_is_said_and_nothing_is_written(hub):
    morel = await appoint(hub, "Morel")
    written = await compose(hub, morel, title="")
    with pytest.raises(RefusedError):
        await publishing(hub).submit(written.code, morel)
    assert (await load(hub, written.code, morel)).editable
    count = select(func.count()).select_from(tables.announcement)
    assert await hub.ledger.read(lambda conn: conn.execute(count).scalar_one()) == 0


async def test_what_was_saved_since_the_page_was_shown_is_not_asked_for(hub):
    morel = await appoint(hub, "Morel")
    written = await compose(hub, morel)
    await edit(hub, written.code, morel, body="Vendredi.")
    with pytest.raises(EditedMeanwhileError):
        await publishing(hub).submit(written.code, morel, version=written.version)


async def test_nobody_approves_what_they_wrote_and_is_told_who_may(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await appoint(hub, "Roche", {Role.WRITE: None})
    found = await asked(hub, morel)
    with pytest.raises(OwnAnnouncementError) as refused:
        await publishing(hub).approve(found.code, morel)
    assert refused.value.others == ("Diallo",)
    assert (await publishing(hub).approve(found.code, diallo)).state is State.WAITING


async def test_whoever_changed_it_wrote_it_too(hub):
    morel, diallo, roche = [await appoint(hub, name) for name in ("Morel", "Diallo", "Roche")]
    found = await asked(hub, morel)
    await publishing(hub).return_(found.code, diallo, "L'heure manque.")
    await edit(hub, found.code, diallo, body="Jeudi dès 8 h.")
    await publishing(hub).submit(found.code, diallo)
    for each, waiting in ((morel, 0), (diallo, 0), (roche, 1)):
        assert len(await hub.ledger.read(lambda conn, who=each: to_do(conn, who))) == waiting
    for each in (morel, diallo):
        with pytest.raises(OwnAnnouncementError):
            await publishing(hub).approve(found.code, each)
    approved = await publishing(hub).approve(found.code, roche)
    assert approved.contents["fr"].body == "Jeudi dès 8 h."
    assert approved.id == found.id


async def test_whoever_asked_for_what_another_wrote_does_not_approve_it_as_well(hub):
    """A draft that its author never finished would have left by one person's will."""
    morel, diallo, roche = [await appoint(hub, name) for name in ("Morel", "Diallo", "Roche")]
    written = await compose(hub, morel)
    found = await publishing(hub).submit(written.code, diallo)
    with pytest.raises(OwnAnnouncementError) as refused:
        await publishing(hub).approve(found.code, diallo)
    assert refused.value.others == ("Roche",)
    assert (await publishing(hub).approve(found.code, roche)).state is State.WAITING


async def test_what_was_changed_and_asked_for_meanwhile_is_not_published_as_it_was_shown(hub):
    """Of two at one draft whose theme needs nobody else, the second has not read the first's."""
    morel, diallo = [await appoint(hub, name) for name in ("Morel", "Diallo")]
    office = publishing(hub, alone=frozenset({"eau"}))
    shown = await compose(hub, morel)
    await edit(hub, shown.code, morel, body="Vendredi.")
    await office.submit(shown.code, morel)
    with pytest.raises(EditedMeanwhileError):
        await office.submit(shown.code, diallo, version=shown.version, alone=True)


async def test_who_may_only_write_decides_nothing(hub):
    morel, roche = await appoint(hub, "Morel"), await appoint(hub, "Roche", {Role.WRITE: None})
    found = await asked(hub, morel)
    for act in (
        publishing(hub).approve(found.code, roche),
        publishing(hub).return_(found.code, roche, "Non."),
        publishing(hub).reject(found.code, roche, "Non."),
        publishing(hub).undo(found.code, roche),
    ):
        with pytest.raises((ForbiddenError, UnknownAnnouncementError)):
            await act


async def test_all_the_themes_of_an_announcement_are_its_approvers(hub):
    morel = await appoint(hub, "Morel")
    half = await appoint(hub, "Petit", {Role.APPROVE: ("eau",)})
    found = await asked(hub, morel, themes=["eau", "cantine"])
    with pytest.raises(ForbiddenError):
        await publishing(hub).approve(found.code, half)


async def test_another_town_knows_nothing_of_it(hub):
    morel, other = await appoint(hub, "Morel"), await appoint(hub, "Loin", authority=2)
    found = await asked(hub, morel)
    office = publishing(hub)
    for act in (
        office.submit(found.code, other),
        office.approve(found.code, other),
        office.return_(found.code, other, "Non."),
        office.reject(found.code, other, "Non."),
        office.take_up(found.code, other),
        office.withdraw(found.code, other),
        office.undo(found.code, other),
    ):
        with pytest.raises(UnknownAnnouncementError):
            await act


async def test_a_return_and_a_refusal_need_a_reason(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await asked(hub, morel)
    for reason in ("", "  \n", "x" * 501):
        for decide in (publishing(hub).return_, publishing(hub).reject):
            with pytest.raises(RefusedError):
                await decide(found.code, diallo, reason)
    returned = await publishing(hub).return_(found.code, diallo, " L'heure\nmanque. ")
    draft = await load(hub, found.code, morel)
    assert returned.state is State.DRAFT
    assert (draft.editable, draft.returned_by) == (True, diallo.id)
    assert draft.returned_reason == "L'heure manque."


async def test_what_was_refused_is_over(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await asked(hub, morel)
    assert (await publishing(hub).reject(found.code, diallo, "En double.")).state == "cancelled"
    assert (await publishing(hub).submit(found.code, morel)).state == "cancelled"
    with pytest.raises(UnlawfulMoveError):
        await publishing(hub).approve(found.code, diallo)


async def test_what_is_approved_is_what_was_read(hub):
    morel, diallo, roche = [await appoint(hub, name) for name in ("Morel", "Diallo", "Roche")]
    found = await asked(hub, morel)
    await publishing(hub).return_(found.code, roche, "L'heure manque.")
    await edit(hub, found.code, morel, body="Jeudi dès 9 h.")
    now = await publishing(hub).submit(found.code, morel)
    with pytest.raises(ChangedMeanwhileError) as changed:
        await publishing(hub).approve(found.code, diallo, digest=digest_of(found))
    assert changed.value.current.contents["fr"].body == "Jeudi dès 9 h."
    assert await publishing(hub).approve(found.code, diallo, digest=digest_of(now))


async def add_file(hub, code, officer, content):
    def write(conn):
        found, now = compositions.load(conn, code, officer), hub.clock.now()
        attachments.attach(conn, found, officer, ("arrete.pdf", content, "L'arrêté."), now)

    await hub.write(write)


async def test_another_file_is_another_announcement_to_who_approves(hub):
    morel, diallo, roche = [await appoint(hub, name) for name in ("Morel", "Diallo", "Roche")]
    written = await compose(hub, morel)
    await add_file(hub, written.code, morel, b"%PDF-1.7 un")
    found = await publishing(hub).submit(written.code, morel)
    read = four_eyes.reading(found, await load(hub, found.code, diallo))
    await publishing(hub).return_(found.code, roche, "Ce n'est pas le bon arrêté.")
    await add_file(hub, found.code, morel, b"%PDF-1.7 deux")
    await publishing(hub).submit(found.code, morel)
    with pytest.raises(ChangedMeanwhileError):
        await publishing(hub).approve(found.code, diallo, digest=read)


async def test_a_draft_thrown_away_is_erased_with_its_files_after_a_month(hub):
    morel = await appoint(hub, "Morel")
    kept, gone = [await compose(hub, morel) for _ in range(2)]
    for each in (kept, gone):
        await add_file(hub, each.code, morel, b"%PDF-1.7 un")
    await hub.write(lambda conn: compositions.drop(conn, gone, morel, hub.clock.now()))
    later = hub.clock.now() + dropped.KEPT + timedelta(seconds=1)
    assert await hub.write(lambda conn: dropped.forget(conn, later - timedelta(days=1), 10)) == 0
    assert await hub.write(lambda conn: dropped.forget(conn, later, 10)) == 1
    files = await hub.ledger.read(lambda conn: attachments.of_codes(conn, [kept.code, gone.code]))
    assert list(files) == [kept.code]
    assert await load(hub, kept.code, morel) is not None


async def test_of_two_who_approve_at_once_one_is_told_it_is_done(hub):
    morel, *two = [await appoint(hub, name) for name in ("Morel", "Diallo", "Roche")]
    found = await asked(hub, morel)
    office = publishing(hub)
    both = [office.approve(found.code, each) for each in two]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(each, UnlawfulMoveError) for each in answers) == 1
    assert (await verbs(hub, found.code)).count("approve") == 1


async def test_two_requests_at_once_are_one(hub):
    morel = await appoint(hub, "Morel")
    written = await compose(hub, morel)
    office = publishing(hub)
    one, two = await asyncio.gather(*(office.submit(written.code, morel) for _ in range(2)))
    assert one.id == two.id
    assert (await verbs(hub, written.code)).count("submit") == 1


# --------------------------------------------------------------------------- alone, and training


async def test_a_theme_that_needs_nobody_else_is_published_by_its_author_and_the_journal_says_so(
    hub,
):
    morel = await appoint(hub, "Morel")
    office = publishing(hub, alone=frozenset({"eau"}))
    written = await compose(hub, morel)
    assert (await office.submit(written.code, morel, alone=True)).state is State.WAITING
    assert (await verbs(hub, written.code))[-2:] == ["submit", "publish_alone"]


async def test_one_theme_that_needs_somebody_is_enough_to_need_them(hub):
    morel = await appoint(hub, "Morel")
    office = publishing(hub, alone=frozenset({"eau"}))
    written = await compose(hub, morel, themes=["eau", "cantine"])
    with pytest.raises(OwnAnnouncementError):
        await office.submit(written.code, morel, alone=True)
    assert (await load(hub, written.code, morel)).editable, "nothing was written"


async def test_who_may_not_approve_publishes_nothing_alone(hub):
    roche = await appoint(hub, "Roche", {Role.WRITE: None})
    written = await compose(hub, roche)
    with pytest.raises((ForbiddenError, UnknownAnnouncementError)):
        await publishing(hub, alone=frozenset({"eau"})).submit(written.code, roche, alone=True)


async def test_in_training_anybody_approves_their_own(hub):
    morel = await appoint(hub, "Morel")
    found = await asked(hub, morel)
    assert (await publishing(hub, training=True).approve(found.code, morel)).state == "waiting"


# --------------------------------------------------------------------------- the undo delay


async def test_nothing_leaves_before_the_undo_delay_is_over_and_all_leaves_after(hub):
    await hub.people(range(1, 4), SMS)
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.start()
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    hub.clock.leap(25)
    await hub.idle()
    assert (await hub.announcement(found)).state is State.WAITING
    assert not hub[SMS].sent
    hub.clock.leap(6)
    await hub.ends(found)
    assert len(hub[SMS].sent) == 3


async def test_what_is_taken_back_in_time_never_leaves_and_is_a_draft_again(hub):
    await hub.people(range(1, 4), SMS)
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.start()
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    undone = await publishing(hub).undo(found.code, morel)
    assert (undone.state, undone.release_at) == (State.DRAFT, None)
    hub.clock.leap(3600)
    await hub.idle()
    assert not hub[SMS].sent
    assert (await load(hub, found.code, morel)).editable
    with pytest.raises(UnlawfulMoveError):
        await publishing(hub).approve(found.code, diallo)


async def test_once_it_leaves_it_is_too_late_to_take_it_back(hub):
    await hub.people(range(1, 4), SMS)
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.start()
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    hub.clock.leap(31)
    await hub.ends(found)
    with pytest.raises(UnlawfulMoveError):
        await publishing(hub).undo(found.code, diallo)


async def test_what_waits_when_the_daemon_dies_leaves_when_it_is_back(hub):
    await hub.people(range(1, 4), SMS)
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.start()
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    await hub.crash()
    hub.clock.leap(31)
    await hub.start()
    await hub.ends(found)
    assert len(hub[SMS].sent) == 3


async def test_what_was_taken_back_before_the_daemon_died_stays_so(hub):
    await hub.people(range(1, 4), SMS)
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.start()
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    await publishing(hub).undo(found.code, diallo)
    await hub.crash()
    hub.clock.leap(31)
    await hub.start()
    await hub.idle()
    assert (await hub.announcement(found)).state is State.DRAFT
    assert not hub[SMS].sent


async def test_what_is_urgent_waits_for_nothing(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await asked(hub, morel, level="urgent")
    assert (await publishing(hub).approve(found.code, diallo)).state is State.RUNNING


async def test_what_has_its_hour_waits_for_it_and_is_taken_back_until_then(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    later = {"when": "at", "date": "2026-11-25", "time": "08:00"}
    found = await asked(hub, morel, **later)
    assert (await publishing(hub).approve(found.code, diallo)).state is State.SCHEDULED
    assert (await publishing(hub).undo(found.code, morel)).state is State.DRAFT
    await edit(hub, found.code, morel, **later, body="Autrement.")
    assert (await publishing(hub).submit(found.code, morel)).state is State.TO_APPROVE


async def times_told(hub, days=30):
    """What the calendar says is to come."""
    reader = await appoint(hub, f"Lecteur {days}", {Role.READ: None})

    def read(conn):
        scope, now = scope_of(conn, reader, Role.READ), hub.clock.now()
        return agenda(conn, scope, now, now + timedelta(days=days), now)

    return [each.standing.value for each in await hub.ledger.read(read)]


async def test_what_was_refused_or_taken_back_stands_in_no_calendar(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    weekly = {"when": "repeat", "every": "week", "repeat_at": "12:00", "until": "2026-12-07"}
    one, two = await asked(hub, morel, **weekly), await asked(hub, morel, **weekly)
    assert await times_told(hub) == ["to_approve", "to_approve", "again", "again", "again", "again"]
    await publishing(hub).reject(one.code, diallo, "En double.")
    await publishing(hub).withdraw(two.code, morel)
    kept = select(tables.recurrence.c.ended).where(tables.recurrence.c.code == one.code)
    assert await hub.ledger.read(lambda conn: conn.execute(kept).scalar_one()) is not None
    assert await times_told(hub, 31) == []


async def test_what_comes_again_comes_with_its_files(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    weekly = {"when": "repeat", "every": "week", "repeat_at": "12:00"}
    written = await compose(hub, morel, **weekly)
    await add_file(hub, written.code, morel, b"%PDF-1.7 un")
    await publishing(hub).submit(written.code, morel)
    await publishing(hub).approve(written.code, diallo)
    again = tables.announcement.c.source == f"recurrence:{written.code}"

    async def came():
        query = select(tables.announcement.c.code).where(again)
        return await hub.ledger.read(lambda conn: conn.execute(query).scalars().all())

    hub.clock.leap(8 * 86_400)
    await hub.until(came)
    (code,) = await came()
    found = await hub.ledger.read(lambda conn: attachments.content_of(conn, code, "arrete.pdf"))
    assert found is not None
    assert found[1] == b"%PDF-1.7 un"


async def test_what_is_asked_for_again_on_another_day_comes_again_on_that_day(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    weekly = {"when": "repeat", "every": "week", "repeat_at": "12:00"}
    found = await asked(hub, morel, **weekly)  # on a Monday
    await publishing(hub).return_(found.code, diallo, "Pas le lundi.")
    hub.clock.leap(3 * 86_400)
    now = await publishing(hub).submit(found.code, morel)
    (kept,) = await hub.ledger.read(lambda conn: conn.execute(select(tables.recurrence)).all())
    assert kept.next - now.publish_at == timedelta(days=7)


async def test_what_comes_again_is_kept_once_and_as_it_was_last_approved(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    weekly = {"when": "repeat", "every": "week", "repeat_at": "08:00", "interval": "1"}
    found = await asked(hub, morel, **weekly)
    await publishing(hub).return_(found.code, diallo, "Trop tôt.")
    await edit(hub, found.code, morel, repeat_at="09:00")
    await publishing(hub).submit(found.code, morel)
    rows = await hub.ledger.read(lambda conn: conn.execute(select(tables.recurrence)).all())
    assert [row.rule["at"][:5] for row in rows] == ["09:00"]


DAILY = {"when": "repeat", "every": "day", "repeat_at": "08:00", "interval": "1"}


async def test_another_rule_is_another_announcement_to_who_approves(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await asked(hub, morel, **DAILY | {"every": "week", "starts": "2026-11-30"})
    read = four_eyes.reading(found, await load(hub, found.code, diallo))
    await publishing(hub).withdraw(found.code, morel)
    await edit(hub, found.code, morel, every="day")
    await publishing(hub).submit(found.code, morel)
    with pytest.raises(ChangedMeanwhileError):
        await publishing(hub).approve(found.code, diallo, digest=read)


async def test_nothing_comes_again_of_what_can_still_be_taken_back(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    await hub.people([1], SMS)
    found = await asked(hub, morel, **DAILY)
    second = found.publish_at + timedelta(days=1)
    hub.clock.leap((second - hub.clock.now()).total_seconds() - 10)
    assert (await publishing(hub).approve(found.code, diallo)).state is State.WAITING
    hub.clock.leap(15)
    await hub.engine.round()
    await publishing(hub).undo(found.code, morel)
    assert hub[SMS].numbers == []
    count = select(func.count()).select_from(tables.announcement)
    assert await hub.ledger.read(lambda conn: conn.execute(count).scalar_one()) == 1


# --------------------------------------------------------------------------- keys and sources

KEY = Principal("api:1", "Bibliothèque", 1)


async def test_what_a_key_asked_for_is_approved_by_any_officer_who_may(hub):
    diallo = await appoint(hub, "Diallo")
    found = await hub.publish(KEY)
    assert (await publishing(hub).approve(found.code, diallo)).state is State.WAITING
    undone = await publishing(hub).undo(found.code, diallo)
    assert undone.state is State.TO_APPROVE, "nobody here wrote it: it waits for a decision again"


async def test_what_a_key_asked_for_is_corrected_by_an_officer_and_read_by_another(hub):
    diallo, roche = await appoint(hub, "Diallo"), await appoint(hub, "Roche")
    found = await hub.publish(KEY)
    with pytest.raises(RefusedError):
        await publishing(hub).return_(found.code, diallo, "À revoir.")
    await publishing(hub).take_up(found.code, diallo)
    await edit(hub, found.code, diallo, body="Vendredi.")
    now = await publishing(hub).submit(found.code, diallo)
    assert (now.id, now.code, now.contents["fr"].body) == (found.id, found.code, "Vendredi.")
    with pytest.raises(OwnAnnouncementError):
        await publishing(hub).approve(found.code, diallo)
    assert (await publishing(hub).approve(found.code, roche)).state is State.WAITING
    again = await hub.ledger.read(lambda conn: announcements.source_of(conn, found.id))
    assert again == "api:1", "posting it again is answered as before"


async def test_what_a_key_asked_to_repeat_still_does_once_an_officer_took_it_up(hub):
    diallo = await appoint(hub, "Diallo")
    rule = {"every": "week", "at": "08:00", "count": 3, "valid_hours": 12}
    found = await hub.publish(KEY, repeat=rule)
    await publishing(hub).take_up(found.code, diallo)
    now = await publishing(hub).submit(found.code, diallo)
    assert (now.publish_at, now.expires) == (found.publish_at, found.expires)
    (kept,) = await hub.ledger.read(lambda conn: conn.execute(select(tables.recurrence)).all())
    said = Repeat.model_validate(kept.rule)
    first = local_day(found.created, "Europe/Paris")
    assert [day for day, _ in said.moments(first, "Europe/Paris")] == [
        day for day, _ in Repeat.model_validate(rule).moments(first, "Europe/Paris")
    ]


async def test_no_key_publishes_what_came_back_to_its_author(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await asked(hub, morel)
    await publishing(hub).return_(found.code, diallo, "À revoir.")
    clerk = Principal("cli", "clerk", 1, may_publish=True)
    with pytest.raises(UnlawfulMoveError):
        await hub.intake.approve(found.code, clerk)


async def test_what_a_key_stopped_while_it_was_corrected_is_over_and_can_be_thrown_away(hub):
    diallo, clerk = await appoint(hub, "Diallo"), Principal("cli", "clerk", 1, may_publish=True)
    found = await hub.publish(KEY)
    await publishing(hub).take_up(found.code, diallo)
    await hub.intake.cancel(found.code, clerk)
    with pytest.raises(UnlawfulMoveError):
        await publishing(hub).submit(found.code, diallo)
    draft, now = await load(hub, found.code, diallo), hub.clock.now()
    await hub.write(lambda conn: compositions.drop(conn, draft, diallo, now))
    assert (await hub.announcement(found)).state is State.CANCELLED


async def test_a_request_taken_back_is_a_draft_again(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo", BOTH)
    found = await asked(hub, morel)
    assert (await publishing(hub).withdraw(found.code, morel)).state is State.DRAFT
    with pytest.raises(UnlawfulMoveError):
        await publishing(hub).approve(found.code, diallo)
    draft = await load(hub, found.code, morel)
    assert (draft.editable, draft.returned_by, dict(draft.document)) == (True, None, WATER)


async def test_what_stands_in_the_journal_says_who_and_holds_no_word_of_the_text(hub):
    morel, diallo = await appoint(hub, "Morel"), await appoint(hub, "Diallo")
    found = await publishing(hub).approve((await asked(hub, morel)).code, diallo)
    lines = await hub.ledger.read(lambda conn: audit.of_object(conn, f"announcement:{found.code}"))
    assert [(line["actor"], line["verb"]) for line in lines] == [
        ("Morel", "begin"),
        ("Morel", "submit"),
        ("Diallo", "approve"),
    ]
    assert "Jeudi" not in str([dict(line) for line in lines])


async def test_a_draft_that_somebody_moved_is_not_rewritten(hub):
    found = await hub.publish(KEY)
    with pytest.raises(StaleAnnouncementError):
        await hub.write(lambda conn: announcements.rewrite(conn, found.id, found))
