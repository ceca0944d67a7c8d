# SPDX-License-Identifier: EUPL-1.2
"""`/sandbox`: what each persona of the demonstration has received, and how far sending is.

Only served where a sandbox runs; elsewhere the address does not exist.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from itertools import islice
from typing import Final

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.ledger import announcements
from hub.reports.progress import progress
from hub.sandbox.effects import Effect, Effects
from hub.web.bodies import read_form
from hub.web.desk import desk
from hub.web.language import language_of, remember
from hub.web.portal.announcement import is_public
from hub.web.showing import around
from templates.pages.pages import AnnouncementProgress, Phone, PhoneMessage, RunProgress, page
from templates.pages.wording import ShownState
from templates.render import choose

_SHOWN: Final = 5  # announcements
_LONGEST: Final = 160  # characters of an answer
_MESSAGES: Final = 50  # on a phone
_STATES: Final[Mapping[str, ShownState]] = {
    "delivered": ShownState.DELIVERED,
    "undelivered": ShownState.PERM_FAILED,
    "failed": ShownState.TECH_FAILED,
}


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whose phone is shown: `about` by language, `addresses` on each channel."""

    name: str
    about: Mapping[str, str]
    addresses: frozenset[tuple[ChannelName, str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Phones:
    """The personas, and the record of what reached them. `inbound` takes their SMS to the town
    (from, to, body); None where the town cannot be answered."""

    effects: Effects
    personas: Sequence[Persona]
    inbound: Callable[[str, str, str], Awaitable[int | None]] | None = None


PHONES: web.AppKey[Phones] = web.AppKey("phones", Phones)


def routes() -> list[web.RouteDef]:
    """The page, and the answer box of each phone."""
    return [web.get("/sandbox", show), web.post("/sandbox/phones/{phone:[0-9]{1,3}}", write)]


async def write(request: web.Request) -> web.Response:
    """One persona's SMS to the town, as Twilio takes it; then the phones again."""
    hub, phones = desk(request), request.config_dict[PHONES]
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise web.HTTPForbidden  # a form on another site
    number = _number_at(phones, int(request.match_info["phone"]))
    sms, body = hub.settings.channels.sms, (await read_form(request)).get("body", "")
    if sms is None or number is None or phones.inbound is None:
        raise web.HTTPNotFound
    await phones.inbound(number, sms.sender, body[:_LONGEST])
    raise web.HTTPSeeOther("/sandbox")


def _number_at(phones: Phones, index: int) -> str | None:
    if index >= len(phones.personas):
        return None
    theirs = phones.personas[index].addresses
    return next((at for channel, at in sorted(theirs) if channel is ChannelName.SMS), None)


async def show(request: web.Request) -> web.Response:
    """Phones, the public timeline, and the progress of the latest announcements."""
    hub, language = desk(request), language_of(request)
    phones = request.config_dict[PHONES]

    def read(conn: Connection) -> list[AnnouncementProgress]:
        latest = announcements.latest(conn, hub.authority, 4 * _SHOWN)
        shown = [each for each in latest if is_public(each)][:_SHOWN]
        return [
            AnnouncementProgress(
                title=choose(each.contents, language, hub.settings.hub.language).title,
                url=f"/a/{each.code}",
                urgency=each.urgency,
                runs=[
                    RunProgress(
                        channel=run.channel,
                        total=run.total,
                        handed_over=run.handed_over,
                        received=run.received,
                        waiting=run.waiting,
                        failed=run.failed,
                    )
                    for run in progress(conn, each.id)
                ],
            )
            for each in shown
        ]

    body = page(
        "sandbox.html",
        language,
        timezone=hub.settings.hub.timezone,
        authority=hub.authority_name,
        sandbox=True,
        around=around(request),
        phones=_phones(phones, language),
        announcements=await hub.ledger.read(read),
        now=hub.clock.now(),
    )
    return remember(request, web.Response(text=body, content_type="text/html"))


def _phones(phones: Phones, language: str) -> list[Phone]:
    timeline = Phone(
        name="X",
        about="",
        messages=_messages(phones.effects, frozenset({(ChannelName.X, "public")})),
        public=True,
    )
    theirs = [
        Phone(
            name=each.name,
            about=each.about.get(language) or each.about.get("fr", ""),
            messages=_messages(phones.effects, each.addresses),
            answers=f"/sandbox/phones/{index}"
            if phones.inbound and _number_at(phones, index)
            else "",
        )
        for index, each in enumerate(phones.personas)
    ]
    return [*theirs, timeline]


def _messages(
    effects: Effects, addresses: frozenset[tuple[ChannelName, str]]
) -> list[PhoneMessage]:
    found = [
        effect
        for channel, address in addresses
        for effect in islice(effects.to(channel, address), _MESSAGES)
    ]
    return [_message(effect) for effect in sorted(found, key=lambda effect: effect.seq)]


def _message(effect: Effect) -> PhoneMessage:
    sender, subject, text = _as_shown(effect)
    return PhoneMessage(
        channel=effect.channel,
        at=effect.at,
        sender=sender,
        subject=subject,
        text=text,
        state=_STATES.get(effect.state, ShownState.ACCEPTED_FINAL),
    )


def _as_shown(effect: Effect) -> tuple[str, str, str]:
    """Sender, subject and text as a phone shows them, not as they travelled."""
    match effect.channel:
        case ChannelName.WEBPUSH:
            shown = json.loads(effect.text)["notification"]
            return "", shown["title"], shown["body"]
        case ChannelName.EMAIL:
            name, address = parseaddr(effect.sender)
            return name or address, effect.subject, effect.text
        case ChannelName.X:
            return f"@{effect.sender}", "", effect.text
        case ChannelName.SMS:
            return effect.sender, "", effect.text
