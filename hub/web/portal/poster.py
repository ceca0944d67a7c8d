# SPDX-License-Identifier: EUPL-1.2
"""What a town prints: the poster that leads to the portal, and the form for who has no internet."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.problems import not_found
from hub.web.showing import show
from hub.web.town import TOWN
from subscribers.catalogue import Catalogue, Theme, Zone, load_catalogue
from subscribers.consent_text import CONSENT_VERSION, consent_text
from templates.pages.qr import qr_code

POSTER: Final = "/affiche"
FORM: Final = "/formulaire"
_ROWS: Final = 14
"""Themes, and places, that one sheet of A4 has room for; the rest is written by hand."""
_DAYS: Final = 365


def routes() -> list[web.RouteDef]:
    """The two sheets, each for one theme or all, one place or the town."""
    return [web.get(POSTER, poster), web.get(FORM, form)]


async def poster(request: web.Request) -> web.Response:
    """An A4 poster. `?theme=` and `?lieu=` are keys; what the code leads to has them chosen."""
    hub, language = desk(request), language_of(request)
    catalogue, theme, zone = await _asked(request)
    address = f"{hub.site.public_url}/abonnement"
    chosen = {"t": theme and theme.key, "l": zone and zone.key}
    query = urlencode({name: key for name, key in chosen.items() if key})
    plain = address.removeprefix("https://").removeprefix("http://")
    return _sheet(
        request,
        "portal/poster.html",
        catalogue,
        theme,
        zone,
        about=theme.description(language) if theme else "",
        qr=qr_code(f"{address}?{query}" if query else address, plain),
        address=plain,
        sms=_number(hub),
        keyword=_keyword(theme, language),
    )


async def form(request: web.Request) -> web.Response:
    """The paper form, to fill in by hand and bring to the town hall; nothing on it is ticked."""
    hub, language = desk(request), language_of(request)
    catalogue, theme, zone = await _asked(request)
    offered = _offered(catalogue, theme)
    places = [each for each in catalogue.zones.values() if _is_district(each)]
    return _sheet(
        request,
        "portal/form.html",
        catalogue,
        theme,
        zone,
        offered=[each.name(language) for each in offered[:_ROWS]],
        more_themes=len(offered) > _ROWS,
        places=[] if zone else [each.name(language) for each in places[:_ROWS]],
        sms=_number(hub),
        kept_years=max(1, hub.settings.retention.consents // _DAYS),
        dpo=hub.settings.portal.dpo,
        address=f"{hub.site.public_url}/confidentialite",
    )


def _sheet(
    request: web.Request,
    name: str,
    catalogue: Catalogue,
    theme: Theme | None,
    zone: Zone | None,
    **more: Any,
) -> web.Response:
    hub, language = desk(request), language_of(request)
    shown: dict[str, Any] = {
        "theme": theme.name(language) if theme else "",
        "zone": zone.name(language) if zone else "",
        "theme_key": theme.key if theme else "",
        "zone_key": zone.key if zone else "",
        "all_themes": _named(_open_themes(catalogue), language),
        "all_zones": _named([z for z in catalogue.zones.values() if not z.archived], language),
        "consent": consent_text(hub.authority_name, language),
        "consent_version": CONSENT_VERSION,
        "contact": request.config_dict[TOWN].contact,
    }
    return show(request, name, **shown, **more)


async def _asked(request: web.Request) -> tuple[Catalogue, Theme | None, Zone | None]:
    """The theme and place of the query; an unknown one is no page."""
    hub = desk(request)
    catalogue = await hub.ledger.read(lambda conn: load_catalogue(conn, hub.authority))
    theme_key, zone_key = request.query.get("theme", ""), request.query.get("lieu", "")
    theme = catalogue.themes_by_key.get(theme_key)
    zone = catalogue.zones_by_key.get(zone_key)
    for key, found in ((theme_key, theme), (zone_key, zone)):
        if key and (found is None or found.archived):
            raise not_found()
    return catalogue, theme, zone


def _open_themes(catalogue: Catalogue) -> list[Theme]:
    return [theme for theme in catalogue.themes.values() if not theme.archived]


def _offered(catalogue: Catalogue, theme: Theme | None) -> list[Theme]:
    """The theme with those below it, or the town's widest; the advised first."""
    themes = _open_themes(catalogue)
    if theme is not None:
        return [each for each in themes if theme.id in catalogue.theme_lineage([each.id])]
    widest = [each for each in themes if each.parent is None]
    return sorted(widest, key=lambda each: not each.advised)


def _named(each: Sequence[Theme] | Sequence[Zone], language: str) -> list[tuple[str, str]]:
    return [(one.key, one.name(language)) for one in each]


def _is_district(zone: Zone) -> bool:
    return zone.level == "district" and not zone.archived


def _number(hub: Desk) -> str:
    """The number one writes to; "" where nobody can."""
    sms = hub.settings.channels.sms
    return sms.sender if sms is not None and sms.two_way else ""


def _keyword(theme: Theme | None, language: str) -> str:
    """What to write there (`hub.flow.citizens.words`)."""
    word = "JOIN" if language == "en" else "ABO"
    return f"{word} {theme.key.replace('-', ' ').upper()}" if theme else word
