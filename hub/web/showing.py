# SPDX-License-Identifier: EUPL-1.2
"""Answers with a page: what every page shows of the town, and who may keep a copy on the way."""

from typing import Any, Final

from aiohttp import web

from hub.web import cookies
from hub.web.desk import desk
from hub.web.language import language_of, remember
from hub.web.town import LOOK, TOWN
from subscribers.catalogue import Authority
from templates.pages.around import Alert, Around
from templates.pages.pages import crowded_page, page

PRIVATE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""A personal page: kept by nobody on the way, listed nowhere."""
_SHARED: Final = {"Vary": "Accept-Language, Cookie, Accept-Encoding"}


def show(
    request: web.Request,
    name: str,
    *,
    status: int = 200,
    private: bool = False,
    crowded: bool = False,
    authority: Authority | None = None,
    **context: Any,
) -> web.Response:
    """The page of a template, in the reader's language, with what it needs.

    `authority` is whose page it is, by default the town this instance shows to its citizens;
    `crowded`, whether all the town may come for it at once.
    """
    hub = desk(request)
    make = crowded_page if crowded else page
    body = make(
        name,
        language_of(request),
        timezone=authority.timezone if authority else hub.settings.hub.timezone,
        authority=authority.name if authority else hub.authority_name,
        sandbox=hub.banner,
        status=status,
        around=around(request),
        **context,
    )
    headers = PRIVATE if private else _SHARED
    response = web.Response(status=status, text=body, content_type="text/html", headers=headers)
    if not private:  # beside a secret, a page's length would tell (BREACH)
        response.enable_compression()
    return remember(request, response)


def around(request: web.Request) -> Around:
    """What stands around the page this request asked for."""
    hub, town, language = desk(request), request.config_dict[TOWN], language_of(request)
    portal, look = hub.settings.portal, cookies.read(request, LOOK)
    alerts = []
    for thread in town.alerts:
        titles = thread.current.titles
        spoken = next(
            name for name in (language, hub.settings.hub.language, *titles) if name in titles
        )
        alerts.append(Alert(titles[spoken], f"/a/{thread.first.code}", spoken))
    return Around(
        path=request.path,
        query=tuple(request.query.items()),
        look=look if look in ("light", "dark") else "",
        public_url=hub.site.public_url,
        stylesheet=town.stylesheet_address,
        logo=town.logo_address,
        accessibility=portal.accessibility,
        contact=town.contact,
        alerts=alerts,
    )


def see_other(location: str) -> web.Response:
    """After a form was taken: a page that can be reloaded (RFC 9110 section 15.4.4)."""
    return web.Response(status=303, headers={"Location": location, **PRIVATE})
