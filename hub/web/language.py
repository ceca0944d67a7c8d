# SPDX-License-Identifier: EUPL-1.2
"""Which language a page answers in: what was asked for, else the browser's, else the town's."""

from typing import Final, TypeVar

from aiohttp import web

from hub.web import cookies
from hub.web.desk import desk

R = TypeVar("R", bound=web.StreamResponse)
COOKIE: Final = "lang"
_OFFERED: Final = ("fr", "en")


def language_of(request: web.Request) -> str:
    """`?lang=`, the cookie, Accept-Language (RFC 9110 section 12.5.4), then the town's."""
    wishes = [request.query.get("lang", ""), request.cookies.get(COOKIE, "")]
    wishes += _accepted(request.headers.get("Accept-Language", ""))
    for wish in wishes:
        if wish[:2].lower() in _OFFERED:
            return wish[:2].lower()
    return desk(request).settings.hub.language


def remember(request: web.Request, response: web.Response) -> web.Response:
    """Keep a choice made by `?lang=`: the reader's own convenience, and nothing else."""
    return keep(request, response, request.query.get("lang", ""))


def keep(request: web.Request, response: R, language: str) -> R:
    """Answer this browser in a language from now on; nothing where it is none of ours."""
    if language in _OFFERED:
        response.set_cookie(
            COOKIE,
            language,
            max_age=365 * 86400,
            httponly=True,
            samesite="Lax",
            secure=cookies.is_secure(request),
        )
    return response


def _accepted(header: str) -> list[str]:
    """Language tags by falling quality."""
    weighed = []
    for part in header.split(",")[:20]:
        tag, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=") if rest else "1"
        try:
            weighed.append((float(quality), tag))
        except ValueError:
            continue
    return [tag for quality, tag in sorted(weighed, key=lambda each: -each[0]) if quality > 0]
