# SPDX-License-Identifier: EUPL-1.2
"""The few files pages need. Their addresses change with their content: browsers keep them."""

from aiohttp import web

from hub.web.problems import not_found
from templates.pages.pages import STATIC_FOLDER

_KINDS = {".css": "text/css", ".svg": "image/svg+xml"}
_FILES = {path.name: path for path in STATIC_FOLDER.iterdir() if path.suffix in _KINDS}


def routes() -> list[web.RouteDef]:
    """Only files that were there at start, by their exact names."""
    return [web.get("/static/{name}", send)]


async def send(request: web.Request) -> web.StreamResponse:
    """One file."""
    path = _FILES.get(request.match_info["name"])
    if path is None:
        raise not_found()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Type": _KINDS[path.suffix],
    }
    return web.FileResponse(path, headers=headers)
