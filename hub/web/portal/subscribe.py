# SPDX-License-Identifier: EUPL-1.2
"""`/abonnement`: the way in, and the first question: what about."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hub.reports.frequency import frequencies
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal import drafting
from hub.web.portal.answering import (
    Fault,
    Faults,
    offered_themes,
    relevant,
    themes_in,
    zones_in,
)
from hub.web.portal.drafting import Draft
from hub.web.portal.steps import START, THEMES, WAYS, admitted, spoken, town
from hub.web.showing import see_other, show
from subscribers.catalogue import Catalogue


def routes() -> list[web.RouteDef]:
    """The way in, and the first question."""
    return [
        web.get(START, begin),
        web.get(THEMES, ask_themes),
        web.post(THEMES, take_themes),
    ]


# --------------------------------------------------------------------------- the way in


async def begin(request: web.Request) -> web.Response:
    """What it takes, and where a poster's choices lead. Keeps nothing."""
    catalogue, language = await town(request), language_of(request)
    fields = _from_poster(catalogue, request.query)
    return show(
        request,
        "portal/subscribe_start.html",
        themes=[theme.name(language) for theme in themes_in(catalogue, fields)],
        zones=[zone.name(language) for zone in zones_in(catalogue, fields)],
        onward=THEMES + (f"?{request.query_string}" if fields else ""),
    )


def _from_poster(catalogue: Catalogue, query: Mapping[str, str]) -> dict[str, str]:
    """`?t=eau,travaux&l=tanneries` as the fields they choose; what we do not know is left out."""
    fields = {f"theme-{key}": "1" for key in _keys(query.get("t", ""))}
    fields |= {f"zone-{key}": "1" for key in _keys(query.get("l", ""))}
    themes = {f"theme-{theme.key}": "1" for theme in themes_in(catalogue, fields)}
    zones = {f"zone-{zone.key}": "1" for zone in zones_in(catalogue, fields)}
    return themes | zones | ({"where": "some"} if zones else {})


def _keys(listed_keys: str) -> list[str]:
    return [key.strip() for key in listed_keys.split(",")[:50]]


# --------------------------------------------------------------------------- 1: what about


async def ask_themes(request: web.Request) -> web.Response:
    """The first question. Nothing is ticked but what a poster, or this draft, has chosen."""
    catalogue, draft = await town(request), await drafting.draft_of(request)
    poster = _from_poster(catalogue, request.query)
    fields = poster or ({} if draft is None else draft.fields)
    return await _themes_page(request, catalogue, fields, {}, draft=draft)


async def take_themes(request: web.Request) -> web.StreamResponse:
    """Keep them, and go on."""
    form = relevant(await admitted(request))
    catalogue, draft = await town(request), await drafting.draft_of(request) or Draft()
    if not themes_in(catalogue, form):
        faults = {"themes": Fault.NO_THEME.value}
        return await _themes_page(request, catalogue, form, faults, draft=draft)
    kept = {name: value for name, value in draft.fields.items() if not name.startswith("theme-")}
    answer = see_other(WAYS)
    await drafting.keep(request, answer, draft.with_fields(kept | form))
    return answer


async def _themes_page(
    request: web.Request,
    catalogue: Catalogue,
    fields: Mapping[str, str],
    faults: Faults,
    *,
    draft: Draft | None,
) -> web.Response:
    hub, language = desk(request), language_of(request)
    often = await frequencies(hub.ledger, hub.authority, hub.clock.now())
    shown: list[dict[str, Any]] = []
    for theme in offered_themes(catalogue):
        row = {
            "key": theme.key,
            "name": theme.name(language),
            "about": theme.description(language),
            "advised": theme.advised,
            "ticked": bool(fields.get(f"theme-{theme.key}")),
            "often": often.get(theme.key),
            "below": [],
        }
        inner = bool(shown) and theme.parent is not None
        (shown[-1]["below"] if inner else shown).append(row)
    places = [zone.key for zone in zones_in(catalogue, fields)]
    return show(
        request,
        "portal/subscribe_themes.html",
        status=422 if faults else 200,
        private=draft is not None or bool(fields),
        themes=shown,
        places=places,
        errors=spoken(faults, language),
    )
