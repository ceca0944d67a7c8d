# SPDX-License-Identifier: EUPL-1.2
"""A citizen's own numbers and mailboxes: add one, prove it, hear from it again, remove it."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.asking import Asked, Refusal, Verdict
from hub.flow.citizens.contacting import Contacting, Unasked
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.portal.mine import HOME, at_home, back, page, preferring, taken_form
from hub.web.portal.sign_in import count_form, origin_of, read_address
from hub.web.references import SHAPE, Kind
from hub.web.showing import see_other
from hub.web.visits import Visit
from subscribers.addresses import AddressProblem
from subscribers.challenges import Challenge
from subscribers.wording import Sentence
from templates.pages import moments

_ADD: Final = f"{HOME}/coordonnees"
_CODE: Final = f"{HOME}/code"
_CHANNELS: Final = {"sms": ChannelName.SMS, "email": ChannelName.EMAIL}
_FULL: Final = Sentence(
    "Vous avez déjà cinq coordonnées de cette sorte. Retirez-en une d'abord.",
    "You have five contacts of this kind already. Remove one first.",
)
_LATER: Final = Sentence(
    "Un code a été demandé il y a peu. Réessayez à {time}.",
    "A code was asked for a moment ago. Try again at {time}.",
)
_WRONG: Final = {
    Verdict.WRONG: Sentence(
        "Ce code n'est pas le bon. Essais restants : {left}.",
        "This is not the right code. Tries left: {left}.",
    ),
    Verdict.SPENT: Sentence(
        "Trop d'essais. Demandez un nouveau code.", "Too many tries. Ask for a new code."
    ),
    Verdict.EXPIRED: Sentence(
        "Ce code a expiré. Demandez-en un nouveau.", "This code has expired. Ask for a new one."
    ),
    Verdict.USED: Sentence(
        "Ce code a déjà servi, ou un code plus récent le remplace.",
        "This code was used already, or a newer one took its place.",
    ),
}


def routes() -> list[web.RouteDef]:
    """Adding, proving, and what the buttons beside a contact do."""
    return [
        web.get(_ADD, ask),
        web.post(_ADD, add),
        web.post(f"{_ADD}/{{contact:{SHAPE}}}", change),
        web.get(_CODE, ask_code),
        web.post(_CODE, prove),
    ]


# ------------------------------------------------------------------ adding


async def ask(request: web.Request) -> web.Response:
    """A number or a mailbox."""
    _hub, visit = await at_home(request)
    channel = request.query.get("canal", "")
    return _form(request, visit, channel if channel in _CHANNELS else "email")


async def add(request: web.Request) -> web.Response:
    """Write it down and send its code or link."""
    await count_form(request)
    hub, visit, form = await taken_form(request)
    name, typed = form.get("channel", ""), form.get("address", "").strip()[:320]
    channel = _CHANNELS.get(name)
    if channel is None:
        return see_other(_ADD)
    address = read_address(hub, channel, typed)
    if isinstance(address, AddressProblem):
        said = address.sentence.spoken(language_of(request))
        return _form(request, visit, name, typed, said)
    asked = await _contacting(hub).add(visit.person, channel, address, origin_of(request))
    return _asked(request, visit, asked, name, typed)


def _asked(
    request: web.Request, visit: Visit, asked: Asked | Unasked, name: str, typed: str
) -> web.Response:
    language = language_of(request)
    match asked:
        case Unasked.HELD:
            return back("connu")
        case Unasked.FULL:
            return _form(request, visit, name, typed, _FULL.spoken(language))
        case Unasked.GONE:
            return see_other(HOME)
        case Asked(refusal=Refusal()):
            said = _LATER.spoken(language).format(time=_hour(request, asked.until))
            return _form(request, visit, name, typed, said, 429)
        case Asked(challenge=Challenge() as written) if written.channel is ChannelName.SMS:
            names = desk(request).references
            return see_other(f"{_CODE}?n={names.of(Kind.CODE, written.id)}")
        case _:
            return back("lien")


def _form(  # noqa: PLR0917 (what was typed, and what is wrong with it)
    request: web.Request,
    visit: Visit,
    channel: str,
    typed: str = "",
    said: str = "",
    status: int = 422,
) -> web.Response:
    response = page(
        request,
        visit,
        "mine_contact.html",
        channel=channel,
        address=typed,
        errors={"address": said} if said else {},
    )
    response.set_status(status if said else 200)
    return response


def _hour(request: web.Request, moment: datetime) -> str:
    hub, language = desk(request), language_of(request)
    return moments.clock(moments.in_zone(moment, ZoneInfo(hub.settings.hub.timezone)), language)


def _contacting(hub: Desk) -> Contacting:
    return Contacting(hub.asking, preferring(hub))


# ------------------------------------------------------------------ proving


async def ask_code(request: web.Request) -> web.Response:
    """Where the code from an SMS is typed."""
    _hub, visit = await at_home(request)
    return _code_page(request, visit, request.query.get("n", ""))


async def prove(request: web.Request) -> web.Response:
    """Look at a code: five guesses, counted before they are looked at."""
    hub, visit, form = await taken_form(request)
    asked = form.get("n", "")
    challenge = hub.references.number(Kind.CODE, asked)
    answered = await _contacting(hub).answer(visit.person, challenge, form.get("code", ""))
    if answered.verdict is Verdict.RIGHT:
        return back("verifie")
    if answered.verdict is Verdict.UNKNOWN:
        return see_other(HOME)
    said = _WRONG[answered.verdict].spoken(language_of(request)).format(left=answered.left)
    return _code_page(request, visit, asked, said)


def _code_page(request: web.Request, visit: Visit, asked: str, said: str = "") -> web.Response:
    errors = {"code": said} if said else {}
    known = asked if desk(request).references.number(Kind.CODE, asked) else ""
    response = page(request, visit, "mine_code.html", asked=known, errors=errors)
    response.set_status(422 if said else 200)
    return response


# ------------------------------------------------------------------ beside each contact


async def change(request: web.Request) -> web.Response:
    """Remove it, send its code or link again, or write to it again."""
    hub, visit, form = await taken_form(request)
    contact = hub.references.number(Kind.CONTACT, request.match_info["contact"])
    wish = form.get("do", "")
    contacting, choices = _contacting(hub), preferring(hub)
    if await contacting.own(visit.person, contact) is None:
        return see_other(HOME)
    match wish:
        case "remove":
            gone = await choices.remove(visit.person, contact)
            return back("retire" if gone else "dernier")
        case "again":
            used = await choices.use_again(visit.person, contact, hub.asking.key)
            return back("reprend" if used else "inconnu")
        case "resend":
            await count_form(request)
            asked = await contacting.resend(visit.person, contact, origin_of(request))
            if isinstance(asked, Asked) and asked.refusal is not None:
                return back("attendre")
            return _asked(request, visit, asked, "", "")
        case _:
            return see_other(HOME)
