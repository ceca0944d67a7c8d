# SPDX-License-Identifier: EUPL-1.2
"""What a provider took, as the phone it reached shows it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parseaddr
from itertools import islice
from typing import Final

from channels.base import ChannelName
from hub.reports.awaited import Awaited
from hub.sandbox.effects import Effect
from hub.sandbox.faults import Fault, Faults
from hub.web.sandbox.stage import SWITCHES, TIMELINE, Address, Persona, Phones, Stage
from templates.fit import shorten, weight
from templates.gsm import economical
from templates.pages.pages import Phone, PhoneMessage, PhoneSwitch
from templates.pages.wording import ShownState

_MESSAGES: Final = 50  # on a phone
_EXCERPT: Final = 240  # characters of a letter, which has a page of its own
_GONE: Final = "replaced"  # a later notification took its place on the screen
_STATES: Final[Mapping[str, ShownState]] = {
    "delivered": ShownState.DELIVERED,
    "received": ShownState.DELIVERED,
    "undelivered": ShownState.PERM_FAILED,
    "failed": ShownState.TECH_FAILED,
    "unreadable": ShownState.TECH_FAILED,
    "held": ShownState.TEMP_FAILED,
    "dropped": ShownState.EXPIRED,
    "expired": ShownState.EXPIRED,
    "public": ShownState.ACCEPTED_FINAL,
}


def phone_of(
    persona: Persona, phones: Phones, stage: Stage, language: str, awaited: Iterable[Awaited]
) -> Phone:
    """A persona's phone: what came, what is still on its way, and its switches."""
    came = _messages(phones, stage, persona.addresses, basic=persona.basic)
    address = f"/sandbox/{persona.key}"
    numbers = persona.at(ChannelName.SMS)
    return Phone(
        name=persona.name,
        about=persona.about.get(language) or persona.about.get("fr", ""),
        messages=[*came, *map(_on_its_way, awaited)],
        answers=f"{address}/reponse" if phones.inbound and numbers else "",
        url=address,
        switches=_switches(persona, stage, address),
        plain=any(each.plain for each in came),
    )


def timeline(phones: Phones, stage: Stage) -> Phone:
    """The town's account on X, which everybody reads."""
    return Phone(
        name="X",
        about="",
        messages=_messages(phones, stage, frozenset({TIMELINE})),
        public=True,
        url="/sandbox/x",
        switches=[PhoneSwitch("limit", "/sandbox/x/limite", _limited(stage.faults))]
        if ChannelName.X in stage.stand_ins
        else [],
    )


def _limited(faults: Faults) -> bool:
    return faults.of(ChannelName.X).rates.get(Fault.THROTTLE, 0) > 0


def _switches(persona: Persona, stage: Stage, address: str) -> Sequence[PhoneSwitch]:
    found = []
    for name, channels in SWITCHES.items():
        theirs = [
            (channel, each)
            for channel in channels
            if channel in stage.stand_ins
            for each in persona.at(channel)
        ]
        if theirs:
            on = all(each in getattr(stage.faults.of(c), name) for c, each in theirs)
            found.append(PhoneSwitch(name, f"{address}/{name}", on))
    return found


def _messages(
    phones: Phones, stage: Stage, addresses: frozenset[Address], *, basic: bool = False
) -> list[PhoneMessage]:
    found = [
        effect
        for channel, address in addresses
        for effect in islice(phones.effects.to(channel, address), _MESSAGES)
        if effect.seq > stage.cleared and effect.state != _GONE
    ]
    ordered = sorted(found, key=lambda effect: effect.seq)
    return [message_of(effect, stage.faults, basic=basic) for effect in ordered]


def message_of(
    effect: Effect, faults: Faults, *, basic: bool = False, whole: bool = False
) -> PhoneMessage:
    """One message as a screen shows it; `basic` screens know plain letters only, and of a letter
    there is an excerpt unless the `whole` is asked for."""
    sender, subject, text = as_shown(effect)
    if effect.channel is ChannelName.EMAIL and not whole:
        text = shorten(text, _EXCERPT)
    shown = economical(text) if basic else text
    post = effect.channel is ChannelName.X
    return PhoneMessage(
        channel=effect.channel,
        at=effect.at,
        sender=sender,
        subject=subject,
        text=shown,
        state=_state(effect, faults),
        parts=effect.extra.get("num_segments", 0) if effect.channel is ChannelName.SMS else 0,
        weight=weight(text) if post and effect.to == TIMELINE[1] else 0,
        letter=f"/sandbox/emails/{effect.seq}" if effect.channel is ChannelName.EMAIL else "",
        plain=shown != text,
    )


def _state(effect: Effect, faults: Faults) -> ShownState:
    """The citizen's side of it: what is still at the provider is not received."""
    if effect.channel is ChannelName.SMS and effect.state not in _STATES:
        off = effect.to in faults.of(ChannelName.SMS).off
        return ShownState.TEMP_FAILED if off else ShownState.SENDING
    return _STATES.get(effect.state, ShownState.ACCEPTED_FINAL)


def as_shown(effect: Effect) -> tuple[str, str, str]:
    """Sender, subject and text as a phone shows them, not as they travelled."""
    match effect.channel:
        case ChannelName.WEBPUSH:
            try:
                shown = json.loads(effect.text)["notification"]
            except (ValueError, KeyError, TypeError):  # it could not be decrypted
                return "", "", ""
            return "", shown["title"], shown["body"]
        case ChannelName.EMAIL:
            name, address = parseaddr(effect.sender)
            return name or address, effect.subject, effect.text
        case ChannelName.X:
            return f"@{effect.sender}", "", effect.text
        case ChannelName.SMS:
            return effect.sender, "", effect.text


def _on_its_way(each: Awaited) -> PhoneMessage:
    return PhoneMessage(
        channel=each.channel,
        at=each.at,
        sender="",
        text=each.title,
        state=each.state,
        until=each.until,
    )
