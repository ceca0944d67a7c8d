# SPDX-License-Identifier: EUPL-1.2
"""`/abonnement/coordonnees`: where and how; then all the answers are handed in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.enrolling import Enrolled, NobodyAskedError
from hub.flow.citizens.following import follow, follow_link
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal import drafting
from hub.web.portal.answering import BY, Faults, read_answers, relevant, themes_in, zones_in
from hub.web.portal.drafting import STAMP, Draft, Proof
from hub.web.portal.map import draw
from hub.web.portal.places import listed
from hub.web.portal.refusing import why_not_asked
from hub.web.portal.steps import (
    DONE,
    FIELDS,
    PROOFS,
    WAYS,
    admitted,
    enrolling,
    lost,
    offer_of,
    spoken,
    town,
)
from hub.web.showing import see_other, show
from hub.web.strangers import origin_of
from subscribers.answers import Answers
from subscribers.catalogue import Catalogue
from subscribers.consent_text import consent_text
from templates.pages import moments


def routes() -> list[web.RouteDef]:
    """The second question."""
    return [web.get(WAYS, ask_ways), web.post(WAYS, take_ways)]


async def ask_ways(request: web.Request) -> web.Response:
    """The second question, with what was answered before."""
    draft, catalogue = await drafting.draft_of(request), await town(request)
    if draft is None or not themes_in(catalogue, draft.fields):
        return lost(request)
    return _ways_page(request, catalogue, draft.fields, {})


async def take_ways(request: web.Request) -> web.StreamResponse:
    """Look for a street; or hand all the answers in, and have the addresses proved."""
    form, catalogue = await admitted(request), await town(request)
    draft = await drafting.draft_of(request)
    if draft is None:
        return lost(request)
    # the themes this very page was showing: another tab may have chosen others since
    fields = relevant(form)
    if _searches(form, draft):
        answer = see_other(f"{WAYS}#trouves")
        await drafting.keep(request, answer, draft.with_fields(fields))
        return answer
    answers = read_answers(catalogue, fields, offer_of(request), language_of(request))
    if not isinstance(answers, Answers):
        return _ways_page(request, catalogue, fields, answers, stamp=form.get(STAMP, ""))
    return await _hand_in(request, catalogue, form, draft.with_fields(fields), answers)


def _searches(form: Mapping[str, str], draft: Draft) -> bool:
    """Whether the button beside the search was pressed, or Enter in its field."""
    typed = form.get("q", "").strip()
    new = typed != draft.fields.get("q", "").strip()
    nowhere = form.get("where") == "some" and not any(n.startswith("zone-") for n in form)
    return form.get("act") == "search" or (bool(typed) and new and nowhere)


async def _hand_in(
    request: web.Request,
    catalogue: Catalogue,
    form: Mapping[str, str],
    draft: Draft,
    answers: Answers,
) -> web.StreamResponse:
    follows = bool(draft.fields.get("by-x")) and offer_of(request).follow
    if follows and not draft.follows:
        hub = desk(request)
        await follow(hub.ledger, hub.authority, catalogue.timezone, hub.clock)
    draft = replace(draft, follows=follows)
    if not answers.channels:  # X alone: the town speaks to everybody there, nothing is kept
        answer = see_other(DONE)
        await drafting.keep(request, answer, replace(Draft(), follows=True))
        return answer
    try:
        enrolled = await _enrol(request, form, draft, answers)
    except NobodyAskedError as refused:
        if await _handed_in_twice(request, answers):
            return see_other(PROOFS)
        faults = _faults_of(request, refused)
        return _ways_page(request, catalogue, draft.fields, faults, stamp=form.get(STAMP, ""))
    answer = see_other(PROOFS)
    await drafting.keep(request, answer, _handed_in(draft, answers, enrolled))
    return answer


async def _enrol(
    request: web.Request, form: Mapping[str, str], draft: Draft, answers: Answers
) -> Enrolled:
    room, origin = enrolling(request), origin_of(request)
    if drafting.is_machine(request, form):
        drafting.count_machine()
        return await room.turn_away(answers, origin)
    before = {str(name): proof.number for name, proof in draft.proofs.items()}
    return await room.enrol(answers, origin, person=draft.person, before=before)


def _handed_in(draft: Draft, answers: Answers, enrolled: Enrolled) -> Draft:
    proofs = {}
    for name, asked in enrolled.asked.items():
        former = draft.proofs.get(name)
        address = answers.contacts[name]
        if asked.challenge is None:
            proofs[name] = Proof(0, address, asked.until)
        elif former is not None and former.number == asked.challenge.id:
            proofs[name] = former
        else:
            proofs[name] = Proof(asked.challenge.id, address, asked.until)
    return replace(
        draft,
        person=enrolled.person,
        proofs=proofs,
        handed_in=True,
        device=ChannelName.WEBPUSH in answers.channels,
    )


async def _handed_in_twice(request: web.Request, answers: Answers) -> bool:
    """Whether a button pressed twice has handed these very addresses in a moment ago."""
    draft = await drafting.draft_of(request)
    given = {} if draft is None else {name: each.address for name, each in draft.proofs.items()}
    return given == dict(answers.contacts)


def _faults_of(request: web.Request, refused: NobodyAskedError) -> Faults:
    hub = desk(request)
    zone, now = ZoneInfo(hub.settings.hub.timezone), hub.clock.now()
    return {
        FIELDS[name]: why_not_asked(asked, name, now, zone) for name, asked in refused.asked.items()
    }


def _ways_page(
    request: web.Request,
    catalogue: Catalogue,
    fields: Mapping[str, str],
    faults: Faults,
    *,
    stamp: str = "",
) -> web.Response:
    language, offer = language_of(request), offer_of(request)
    ticked = {zone.key for zone in zones_in(catalogue, fields)}
    typed = fields.get("q", "").strip()
    found, tree = listed(catalogue, language, ticked, typed)
    account = desk(request).settings.portal.x_account
    return show(
        request,
        "portal/subscribe_ways.html",
        status=422 if faults else 200,
        private=True,
        fields=fields,
        themes=[(theme.key, theme.name(language)) for theme in themes_in(catalogue, fields)],
        ways=[by for by in BY if by in offer.channels],
        account=account,
        follow_url=follow_link(account),
        found=found,
        tree=tree,
        typed=typed,
        drawing=draw(catalogue, language, ticked),
        digest_time=_clock(desk(request).settings.engine.digest_time, language),
        digest_day=desk(request).settings.engine.digest_day,
        consent=consent_text(catalogue.name, language),
        stamp=stamp or drafting.stamp(request),
        errors=spoken(faults, language),
    )


def _clock(time: str, language: str) -> str:
    """ "18:00" of hub.toml as it is read: "18 h 00"."""
    moment = datetime.combine(date.min, time_of_day.fromisoformat(time), UTC)
    return moments.clock(moment, language)
