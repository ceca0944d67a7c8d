# SPDX-License-Identifier: EUPL-1.2
"""The forms behind `/mes-alertes`: which themes by which channel, which places, which hours."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.preferring import Chosen
from hub.web.desk import Desk
from hub.web.language import language_of
from hub.web.portal.mine import HOME, at_home, back, own, page, preferring, remember, taken_form
from hub.web.visits import Visit
from subscribers.catalogue import Zone
from subscribers.consent_text import consent_text
from subscribers.preferences import Cadence
from subscribers.wording import Sentence
from templates.pages.wording import channel_name

_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:hH]?\s?([0-5]\d)?")
_FIELDS: Final = ("quiet", "start", "end", "urgent", "cadence", "language")
_CONSENT: Final = Sentence(
    "Cochez la case pour accepter, ou ne choisissez aucun thème.",
    "Tick the box to agree, or choose no theme.",
)
_PLACE: Final = Sentence(
    "Choisissez au moins un lieu, ou toute la ville.",
    "Choose at least one place, or the whole town.",
)
_HOUR: Final = Sentence(
    "Écrivez une heure, par exemple 21:00.", "Write an hour, for example 21:00."
)


def routes() -> list[web.RouteDef]:
    """A form each, and what it posts to."""
    return [
        web.get(f"{HOME}/themes", ask_themes),
        web.post(f"{HOME}/themes", set_themes),
        web.get(f"{HOME}/lieux", ask_places),
        web.post(f"{HOME}/lieux", set_places),
        web.get(f"{HOME}/reglages", ask_hours),
        web.post(f"{HOME}/reglages", set_hours),
    ]


# ------------------------------------------------------------------ themes


async def ask_themes(request: web.Request) -> web.Response:
    """One group a theme, one box a channel."""
    hub, visit = await at_home(request)
    has = await own(hub, visit)
    ticked = {(theme, channel) for theme, channel, _ in has.rows}
    return _themes_page(request, hub, visit, has, ticked)


async def set_themes(request: web.Request) -> web.Response:
    """Have exactly what is ticked."""
    hub, visit, form = await taken_form(request)
    has = await own(hub, visit)
    offered = _offered(has)
    wanted = {
        (theme, channel)
        for theme in has.town.themes
        for channel in offered
        if form.get(f"t-{theme}-{channel}")
    }
    agrees = form.get("consent") == "1"
    held = {(theme, channel) for theme, channel, _ in has.rows}
    if wanted - held and not has.agreed and not agrees:
        said = {"consent": _CONSENT.spoken(language_of(request))}
        return _themes_page(request, hub, visit, has, wanted, said)
    ended = await preferring(hub).themes(visit.person, wanted, offered, agrees=agrees)
    await remember(hub, visit, ended)
    return back("themes")


def _offered(has: Chosen) -> list[ChannelName]:
    """The channels somebody can be reached on, and those they asked for before."""
    found = {point.channel for point in has.contacts} | {channel for _, channel, _ in has.rows}
    return [channel for channel in ChannelName if channel in found]


def _themes_page(  # noqa: PLR0917 (what is shown, to whom)
    request: web.Request,
    hub: Desk,
    visit: Visit,
    has: Chosen,
    ticked: set[tuple[int, ChannelName]],
    errors: dict[str, str] | None = None,
) -> web.Response:
    language, offered = language_of(request), _offered(has)
    held = {theme for theme, _, _ in has.rows}
    groups = [
        {
            "id": theme.id,
            "name": theme.name(language),
            "about": theme.description(language),
            "within": has.town.themes[theme.parent].name(language) if theme.parent else "",
            "boxes": [
                {
                    "name": f"t-{theme.id}-{channel}",
                    "label": channel_name(channel, language),
                    "checked": (theme.id, channel) in ticked,
                }
                for channel in offered
            ],
        }
        for theme in has.town.themes.values()
        if not theme.archived or theme.id in held
    ]
    response = page(
        request,
        visit,
        "mine_themes.html",
        groups=groups,
        agreed=has.agreed,
        consent=consent_text(hub.authority_name, language),
        errors=errors or {},
    )
    response.set_status(422 if errors else 200)
    return response


# ------------------------------------------------------------------ places


async def ask_places(request: web.Request) -> web.Response:
    """The whole town, or some of its places."""
    hub, visit = await at_home(request)
    has = await own(hub, visit)
    return _places_page(request, visit, has, set(has.person.zones))


async def set_places(request: web.Request) -> web.Response:
    """Have exactly these."""
    hub, visit, form = await taken_form(request)
    has = await own(hub, visit)
    ticked = {zone for zone in has.town.zones if form.get(f"z-{zone}")}
    if form.get("where") == "all":
        ticked = set()
    elif not ticked:
        said = {"places": _PLACE.spoken(language_of(request))}
        return _places_page(request, visit, has, ticked, said)
    await preferring(hub).places(visit.person, ticked)
    return back("lieux")


@dataclass(frozen=True, slots=True)
class _Place:
    """A place with all that lies in it; `open` where one of those is ticked."""

    id: int
    name: str
    checked: bool
    below: Sequence["_Place"]

    @property
    def open(self) -> bool:
        return any(each.checked for each in self.below)


def _places_page(
    request: web.Request,
    visit: Visit,
    has: Chosen,
    ticked: set[int],
    errors: dict[str, str] | None = None,
) -> web.Response:
    response = page(
        request,
        visit,
        "mine_places.html",
        places=list(_places(has, ticked, language_of(request))),
        whole_town=not ticked and not errors,
        errors=errors or {},
    )
    response.set_status(422 if errors else 200)
    return response


def _places(has: Chosen, ticked: set[int], language: str) -> Iterator[_Place]:
    """The districts, each with its streets and buildings in one list."""
    zones = has.town.zones
    shown = [each for each in zones.values() if not each.archived or each.id in ticked]

    def is_top(zone: Zone) -> bool:
        parent = None if zone.parent is None else zones[zone.parent]
        return zone.level != "town" and (parent is None or parent.level == "town")

    def top_of(zone: Zone) -> int:
        while not is_top(zone) and zone.parent is not None:
            zone = zones[zone.parent]
        return zone.id

    for top in filter(is_top, shown):
        below = [each for each in shown if each.id != top.id and top_of(each) == top.id]
        yield _Place(
            top.id,
            top.name(language),
            top.id in ticked,
            [_Place(each.id, each.name(language), each.id in ticked, ()) for each in below],
        )


# ------------------------------------------------------------------ hours, cadence, language


async def ask_hours(request: web.Request) -> web.Response:
    """Quiet hours, cadence of the e-mails, language, which channel is tried first."""
    hub, visit = await at_home(request)
    has = await own(hub, visit)
    quiet = has.person.quiet
    mail = has.cadences.get(ChannelName.EMAIL, frozenset())
    given = {
        "quiet": "1" if quiet is not None and quiet.start != quiet.end else "",
        "start": _clock(quiet.start if quiet else 21 * 60),
        "end": _clock(quiet.end if quiet else 8 * 60),
        "urgent": "1" if has.person.urgent_breaks_quiet else "",
        "cadence": str(next(iter(mail))) if len(mail) == 1 else "",
        "language": has.person.language,
    }
    return _hours_page(request, visit, has, given)


async def set_hours(request: web.Request) -> web.Response:
    """Keep them; nothing changes where an hour cannot be read."""
    hub, visit, form = await taken_form(request)
    has = await own(hub, visit)
    wants_quiet = form.get("quiet") == "1"
    hours = {name: _minutes(form.get(name, "")) for name in ("start", "end")}
    said = _HOUR.spoken(language_of(request))
    errors = {name: said for name, found in hours.items() if wants_quiet and found is None}
    if errors:
        return _hours_page(request, visit, has, form, errors)
    start, end = hours["start"], hours["end"]
    language = form.get("language", "")
    await preferring(hub).hours(
        visit.person,
        quiet=(start, end) if wants_quiet and start is not None and end is not None else None,
        urgent_breaks_quiet=form.get("urgent") == "1",
        language=language if language in ("fr", "en") else has.person.language,
        order=_order(has, [form.get(f"order-{n}", "") for n in range(1, 5)]),
    )
    cadence = form.get("cadence", "")
    if cadence in set(Cadence) and has.cadences.get(ChannelName.EMAIL):
        await preferring(hub).cadence(visit.person, ChannelName.EMAIL, Cadence(cadence))
    return back("reglages")


def _order(has: Chosen, wishes: Sequence[str] = ()) -> list[ChannelName]:
    """As wished, each once; what is left out follows as it was before."""
    known = [ChannelName(each) for each in wishes if each in set(ChannelName)]
    return list(dict.fromkeys([*known, *has.person.channel_order, *_offered(has)]))


def _minutes(text: str) -> int | None:
    """``21:00``, ``21h``, ``21 h 30`` as minutes after midnight."""
    found = _CLOCK.fullmatch(text.replace("\N{NO-BREAK SPACE}", " ").replace(" ", ""))
    return None if found is None else int(found[1]) * 60 + int(found[2] or 0)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _hours_page(
    request: web.Request,
    visit: Visit,
    has: Chosen,
    given: dict[str, Any],
    errors: dict[str, str] | None = None,
) -> web.Response:
    language, usable = language_of(request), _offered(has)
    response = page(
        request,
        visit,
        "mine_hours.html",
        given={**dict.fromkeys(_FIELDS, ""), **given},
        by_mail=bool(has.cadences.get(ChannelName.EMAIL)),
        order=[str(each) for each in _order(has) if each in usable],
        channel_names=[(str(each), channel_name(each, language)) for each in usable],
        errors=errors or {},
    )
    response.set_status(422 if errors else 200)
    return response
