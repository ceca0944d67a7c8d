# SPDX-License-Identifier: EUPL-1.2
"""`/abonnement/verification`: each address proved on its own, then it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.asking import Verdict
from hub.flow.citizens.enrolling import Standing
from hub.flow.citizens.following import follow_link
from hub.web import visits
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal import devices, drafting
from hub.web.portal.drafting import Draft, Proof
from hub.web.portal.masking import readable
from hub.web.portal.refusing import why_not_asked, why_not_taken
from hub.web.portal.steps import (
    DONE,
    PROOFS,
    THEMES,
    admitted,
    enrolling,
    lost,
    spoken,
    town,
)
from hub.web.portal.summary import summary_of
from hub.web.showing import see_other, show
from hub.web.strangers import origin_of
from subscribers.wording import Sentence

TRIAL: Final = "/abonnement/essai"
_CODE: Final = "code"


def routes() -> list[web.RouteDef]:
    """The third question, and the end."""
    return [
        web.get(PROOFS, ask),
        web.post(PROOFS, take),
        web.get(DONE, done),
        web.post(TRIAL, try_out),
    ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One address as the page shows it. `state`: open, verified, expired, spent or refused (no
    code could be asked for); `again`: when another may be asked for, None once it may."""

    channel: ChannelName
    address: str
    state: str
    again: datetime | None


async def ask(request: web.Request) -> web.Response:
    """What is proved and what is left to prove."""
    draft = await drafting.draft_of(request)
    if draft is None or not draft.handed_in:
        return lost(request)
    return await _page(request, draft, {})


async def take(request: web.Request) -> web.StreamResponse:
    """A code, or the wish for another one."""
    form, draft = await admitted(request), await drafting.draft_of(request)
    if draft is None or not draft.handed_in:
        return lost(request)
    again = form.get("again", "")
    for name, proof in draft.proofs.items():
        if again == name:
            return await _send_again(request, draft, name, proof)
    if ChannelName.SMS not in draft.proofs:
        return see_other(PROOFS)
    return await _take_code(request, draft, form.get(_CODE, ""))


async def _take_code(request: web.Request, draft: Draft, given: str) -> web.StreamResponse:
    hub, proof = desk(request), draft.proofs[ChannelName.SMS]
    if not given.strip():
        return await _page(request, draft, {_CODE: _NO_CODE})
    confirmed = await enrolling(request).confirm_code(proof.number, given, draft.person)
    if confirmed.person is None:
        answered, now = confirmed.answered, hub.clock.now()
        if answered.verdict is Verdict.USED and await _is_verified(request, draft):
            return await onward(request, draft)
        zone = ZoneInfo(hub.settings.hub.timezone)
        return await _page(request, draft, {_CODE: why_not_taken(answered, proof.again, now, zone)})
    answer = await onward(request, replace(draft, person=confirmed.person))
    await visits.open_visit(request, answer, confirmed.person)
    return answer


async def _is_verified(request: web.Request, draft: Draft) -> bool:
    """Whether the number is proved already: the button was pressed twice."""
    standing = await _standing(request, draft)
    return ChannelName.SMS in standing and standing[ChannelName.SMS].verified


async def onward(request: web.Request, draft: Draft) -> web.StreamResponse:
    """To what is left to prove, else to the end: then what was typed is kept no longer."""
    if await left_to_prove(request, draft) or draft.device:
        answer = see_other(PROOFS)
        await drafting.keep(request, answer, draft)
    else:
        answer = see_other(DONE)
        await drafting.keep(request, answer, drafting.finished(draft))
    return answer


async def left_to_prove(request: web.Request, draft: Draft) -> list[ChannelName]:
    """The addresses of a draft that are not proved yet."""
    standing = await _standing(request, draft)
    proved = {name for name, each in standing.items() if each.verified}
    return [name for name in draft.proofs if name not in proved]


async def _send_again(
    request: web.Request, draft: Draft, name: ChannelName, proof: Proof
) -> web.StreamResponse:
    hub = desk(request)
    asked = await enrolling(request).ask_again(
        *(proof.number, name, proof.address, origin_of(request)), person=draft.person
    )
    if asked.challenge is None:
        zone, now = ZoneInfo(hub.settings.hub.timezone), hub.clock.now()
        field = _CODE if name is ChannelName.SMS else "sent-email"
        return await _page(request, draft, {field: why_not_asked(asked, name, now, zone)})
    newer = Proof(asked.challenge.id, proof.address, asked.until)
    answer = see_other(f"{PROOFS}?envoye={name}")
    await drafting.keep(request, answer, replace(draft, proofs={**draft.proofs, name: newer}))
    return answer


async def _standing(request: web.Request, draft: Draft) -> Mapping[ChannelName, Standing]:
    numbers = {str(name): proof.number for name, proof in draft.proofs.items()}
    return await enrolling(request).standing(numbers)


_NO_CODE: Final = Sentence(
    "Écrivez les 6 chiffres reçus par SMS.", "Enter the 6 digits we sent by text message."
)


async def _page(request: web.Request, draft: Draft, faults: Mapping[str, Sentence]) -> web.Response:
    hub, language = desk(request), language_of(request)
    now, standing = hub.clock.now(), await _standing(request, draft)
    waiting = [
        _waiting(name, proof, standing.get(name), now) for name, proof in draft.proofs.items()
    ]
    sent = request.query.get("envoye", "")
    device = await devices.context(request)
    return show(
        request,
        "portal/subscribe_proofs.html",
        status=422 if faults else 200,
        private=True,
        waiting=waiting,
        sent=sent if sent in draft.proofs and not faults else "",
        now=now,
        wants_device=draft.device,
        proved=any(each.state == "verified" for each in waiting) or bool(device["device"]["mine"]),
        email_offered=ChannelName.EMAIL not in draft.proofs,
        errors=spoken(faults, language),
        **device,
    )


def _waiting(name: ChannelName, proof: Proof, standing: Standing | None, now: datetime) -> Waiting:
    again = proof.again if proof.again > now else None
    if standing is None:
        state = "refused" if proof.number == 0 else "expired"
    elif standing.verified:
        state = "verified"
    elif standing.open:
        state = "open"
    else:
        state = "spent" if standing.expires > now else "expired"
    return Waiting(name, readable(name, proof.address), state, again)


# --------------------------------------------------------------------------- the end


async def done(request: web.Request) -> web.StreamResponse:
    """What they will receive, for whoever proved an address; the link to follow, for X alone."""
    draft, visit = await drafting.draft_of(request), await visits.visitor(request)
    if visit is not None:
        catalogue, hub = await town(request), desk(request)
        about = await summary_of(hub.ledger, visit.person, catalogue, language_of(request))
        if about is not None:
            said = request.query.get("essai", "")
            left = [] if draft is None else await left_to_prove(request, draft)
            more = {"about": about, "csrf": visit.csrf, "trial": said, "left": left}
            return _end(request, state="done", draft=draft, **more)
    if draft is None:
        return see_other(THEMES)
    standing = await _standing(request, draft)
    if any(each.verified for each in standing.values()):
        return _end(request, state="elsewhere", draft=draft)
    if draft.handed_in:
        return see_other(PROOFS)
    return _end(request, state="follow", draft=draft) if draft.follows else see_other(THEMES)


def _end(request: web.Request, *, state: str, draft: Draft | None, **context: Any) -> web.Response:
    account = desk(request).settings.portal.x_account
    follows = draft is not None and draft.follows
    return show(
        request,
        "portal/subscribe_done.html",
        private=True,
        state=state,
        account=account if follows else "",
        follow_url=follow_link(account),
        **context,
    )


async def try_out(request: web.Request) -> web.StreamResponse:
    """A trial message to every proved address of the visitor."""
    form, visit = await admitted(request), await visits.visitor(request)
    if visit is None:
        return see_other(DONE)
    visits.check(form, visit)
    asked = await enrolling(request).try_out(visit.person, origin_of(request))
    left = any(each.refusal is None for each in asked)
    return see_other(f"{DONE}?essai={'parti' if left else 'attendre'}")
