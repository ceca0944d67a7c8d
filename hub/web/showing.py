# SPDX-License-Identifier: EUPL-1.2
"""Answers with a page: what every page shows of the town, and who may keep a copy on the way."""

from typing import Any, Final

from aiohttp import web

from hub.web.desk import desk
from hub.web.language import language_of, remember
from templates.pages.pages import page

PRIVATE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""A personal page: kept by nobody on the way, listed nowhere."""


def show(
    request: web.Request,
    name: str,
    *,
    status: int = 200,
    private: bool = False,
    **context: Any,
) -> web.Response:
    """The page of a template, in the reader's language, with what it needs."""
    hub = desk(request)
    body = page(
        name,
        language_of(request),
        timezone=hub.settings.hub.timezone,
        authority=hub.authority_name,
        sandbox=hub.sandbox,
        status=status,
        **context,
    )
    headers = PRIVATE if private else {}
    response = web.Response(status=status, text=body, content_type="text/html", headers=headers)
    return remember(request, response)


def see_other(location: str) -> web.Response:
    """After a form was taken: a page that can be reloaded (RFC 9110 section 15.4.4)."""
    return web.Response(status=303, headers={"Location": location, **PRIVATE})
