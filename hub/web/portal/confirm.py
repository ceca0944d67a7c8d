# SPDX-License-Identifier: EUPL-1.2
"""`/c/{token}`: an e-mail address is proved. GET shows a button, for scanners open links too."""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.asking import Verdict
from hub.flow.citizens.enrolling import Confirmable
from hub.web import visits
from hub.web.language import language_of
from hub.web.portal import drafting
from hub.web.portal.masking import masked
from hub.web.portal.steps import DONE, enrolling, town
from hub.web.portal.verify import onward
from hub.web.showing import see_other, show
from hub.web.strangers import count_stranger

_LINK: Final = "/c/{token:[A-Za-z0-9_=-]{1,64}}"


def routes() -> list[web.RouteDef]:
    """GET and POST of the link."""
    return [web.get(_LINK, look), web.post(_LINK, confirm)]


async def look(request: web.Request) -> web.Response:
    """What would be confirmed. Changes nothing, however often a scanner fetches it."""
    answered, about = await enrolling(request).look(request.match_info["token"])
    if answered.verdict is Verdict.UNKNOWN:
        await count_stranger(request)
    return await _page(request, answered.verdict, about)


async def confirm(request: web.Request) -> web.StreamResponse:
    """The address is theirs; repeating says so, and opens nothing."""
    token, draft = request.match_info["token"], await drafting.draft_of(request)
    room = enrolling(request)
    confirmed = await room.confirm_link(token, None if draft is None else draft.person)
    if confirmed.person is None:
        if confirmed.answered.verdict is Verdict.UNKNOWN:
            await count_stranger(request)
        _, about = await room.look(token)
        return await _page(request, confirmed.answered.verdict, about)
    asked = confirmed.answered.challenge
    answer: web.StreamResponse = see_other(DONE)
    if draft is not None and asked is not None and draft.person == asked.subscriber:
        answer = await onward(request, replace(draft, person=confirmed.person))
    await visits.open_visit(request, answer, confirmed.person)
    return answer


async def _page(request: web.Request, verdict: Verdict, about: Confirmable | None) -> web.Response:
    state = "gone"
    if about is not None and verdict is Verdict.RIGHT:
        state = "ask"
    elif verdict is Verdict.USED:  # by its reader, or because a newer one took its place
        state = "used" if about is not None and about.verified else "replaced"
    return show(
        request,
        "portal/confirm.html",
        status=200 if state in {"ask", "used"} else 410,
        private=True,
        state=state,
        token_url=request.path,
        **await _words(request, about),
    )


async def _words(request: web.Request, about: Confirmable | None) -> dict[str, Any]:
    if about is None:
        return {"masked_contact": "", "themes": [], "zones": [], "others": []}
    catalogue, language = await town(request), language_of(request)
    return {
        "masked_contact": masked(ChannelName.EMAIL, about.address),
        "themes": [catalogue.themes_by_key[key].name(language) for key in about.themes],
        "zones": [catalogue.zones_by_key[key].name(language) for key in about.zones],
        "others": [(channel, masked(channel, address)) for channel, address in about.others],
    }
