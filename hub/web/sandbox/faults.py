# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong at the stand-ins, switched on and off by a form (UX.md 7.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName
from hub.sandbox.faults import GOOD_DAY, ChannelFaults, Fault
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.sandbox.stage import Stage, form_and_back, stage_of
from hub.web.showing import show
from templates.pages.wording import translations

_LONGEST: Final = 60  # seconds
_SERVICE: Final[Mapping[str, Mapping[Fault, float]]] = {
    "well": {},
    "down": {Fault.ERROR: 1.0},
    "limit": {Fault.THROTTLE: 1.0},
    "silent": {Fault.VANISH: 1.0},
}
"""How the whole service behaves. Silent: it takes the message and never answers."""
RECEIPTS: Final = ("lost", "duplicate", "unordered")
"""What can go wrong with receipts; of the four roads, SMS alone has them."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One channel's part of the form, as it was typed or as it stands."""

    channel: ChannelName
    service: str = "well"
    latency: str = "0"
    failing: str = "0"
    receipts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault that is on: its key, and how many (seconds, percent, phones) where it counts."""

    channel: ChannelName
    key: str
    count: int = 0


def routes() -> list[web.RouteDef]:
    """The page and its form."""
    return [
        web.get("/sandbox/pannes", show_faults),
        web.post("/sandbox/pannes", change),
        web.post("/sandbox/pannes/fin", end),
    ]


def troubles(stage: Stage) -> list[Trouble]:
    """Everything that is wrong now, channel by channel."""
    found = []
    for channel in stage.stand_ins:
        lever, now = _standing(stage, channel), stage.faults.of(channel)
        if lever.service != "well":
            found.append(Trouble(channel, lever.service))
        if now.latency:
            found.append(Trouble(channel, "latency", round(now.latency)))
        if lever.failing != "0":
            found.append(Trouble(channel, "failing", int(lever.failing)))
        found += [Trouble(channel, name) for name in RECEIPTS if name in lever.receipts]
        for name in ("off", "full"):
            if theirs := getattr(now, name):
                found.append(Trouble(channel, name, len(theirs)))
    return found


async def show_faults(request: web.Request) -> web.Response:
    """What is wrong now, what people see of it, and the levers."""
    stage = stage_of(request)
    return _page(request, [_standing(stage, channel) for channel in stage.stand_ins], {})


def _page(
    request: web.Request, levers: list[Lever], errors: Mapping[str, str], status: int = 200
) -> web.Response:
    return show(
        request,
        "sandbox_faults.html",
        status=status,
        levers=levers,
        errors=errors,
        troubles=troubles(stage_of(request)),
        now=desk(request).clock.now(),
    )


async def change(request: web.Request) -> web.Response:
    """Take the whole form, or none of it."""
    stage = stage_of(request)
    form, _ = await form_and_back(request)
    levers = [_typed(channel, form) for channel in stage.stand_ins]
    say = translations(language_of(request)).gettext
    errors = {
        f"{lever.channel}-{name}": say(sentence) % {"most": most}
        for lever in levers
        for name, typed, most, sentence in (
            ("latency", lever.latency, _LONGEST, "fault.wrong.latency"),
            ("failing", lever.failing, 100, "fault.wrong.failing"),
        )
        if not (typed.isascii() and typed.isdecimal() and int(typed) <= most)
    }
    if errors:
        return _page(request, levers, errors, status=422)
    for lever in levers:
        stage.faults.put(lever.channel, _faults(lever, stage.faults.of(lever.channel)))
    raise web.HTTPSeeOther("/sandbox/pannes")


async def end(request: web.Request) -> web.Response:
    """A good day everywhere: phones on, mailboxes emptied."""
    stage_of(request).faults.put_all({})
    _, back = await form_and_back(request)
    return back


def _typed(channel: ChannelName, form: Mapping[str, str]) -> Lever:
    service = form.get(f"{channel}-service", "well")
    return Lever(
        channel,
        service if service in _SERVICE else "well",
        form.get(f"{channel}-latency", "").strip() or "0",
        form.get(f"{channel}-failing", "").strip() or "0",
        frozenset(name for name in RECEIPTS if form.get(f"{channel}-{name}")),
    )


def _standing(stage: Stage, channel: ChannelName) -> Lever:
    """A channel's lever as the faults stand, whoever set them (the JSON interface sets others)."""
    now = stage.faults.of(channel)
    whole = [name for name, rates in _SERVICE.items() if rates and now.rates == rates]
    some = now.undelivered if channel is ChannelName.SMS else now.rates.get(Fault.ERROR, 0)
    return Lever(
        channel,
        whole[0] if whole else "well",
        str(round(now.latency)),
        "0" if whole and channel is not ChannelName.SMS else str(round(100 * some)),
        frozenset(name for name in RECEIPTS if getattr(now, f"{name}_receipts") > 0),
    )


def _faults(lever: Lever, now: ChannelFaults) -> ChannelFaults:
    """Whose phone is off and which mailbox is full stays as it is: that is another form's."""
    share = int(lever.failing) / 100
    wanted: dict[str, Any] = {"rates": _SERVICE[lever.service], "latency": int(lever.latency)}
    if lever.channel is ChannelName.SMS:
        wanted |= {"undelivered": share}
        wanted |= {f"{name}_receipts": float(name in lever.receipts) for name in RECEIPTS}
    elif lever.service == "well" and share:
        wanted["rates"] = {Fault.ERROR: share}
    kept = {name: getattr(now, name) for name in ("off", "full", "dead", "bounced", "gives_up")}
    return ChannelFaults.model_validate(GOOD_DAY.model_dump() | kept | wanted)
