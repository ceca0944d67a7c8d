# SPDX-License-Identifier: EUPL-1.2
"""A form that changes something is ours, or it is refused: no other site acts for a reader."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.web.desk import desk
from hub.web.problems import ProblemError

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_STRANGERS: Final = ("/api/", "/hooks/", "/callbacks/", "/sandbox/api/", "/stop/", "/s/")
"""Machines prove themselves otherwise; a mail provider posts one-click stops (RFC 8058)."""


@web.middleware
async def refuse_other_sites(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse a form sent from another site, by what the browser itself says of it.

    `Sec-Fetch-Site` where it is sent (Fetch Metadata), else `Origin` (RFC 6454 section 7). An old
    browser that says neither is held by its cookie alone (SameSite) and by the form's own token.
    """
    if request.method not in _SAFE and not request.path.startswith(_OF_STRANGERS):
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        foreign = site not in (None, "same-origin", "none")
        if foreign or (site is None and origin is not None and not _ours(request, origin)):
            raise ProblemError(
                403,
                "other_site",
                fr="Ce formulaire vient d'un autre site. Ouvrez la page ici, puis recommencez.",
                en="This form was sent from another site. Open the page here, then try again.",
            )
    return await handler(request)


def _ours(request: web.Request, origin: str) -> bool:
    public = urlsplit(desk(request).site.public_url)
    here = origin.removeprefix("https://").removeprefix("http://")
    return origin == f"{public.scheme}://{public.netloc}" or here == request.host
