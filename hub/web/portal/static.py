# SPDX-License-Identifier: EUPL-1.2
"""The few files pages need, read once and compressed once; browsers keep them for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from hub.web.problems import not_found
from templates.pages.pages import STATIC_FOLDER, asset

_TEXTS: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_KINDS: Final = {**_TEXTS, ".png": "image/png", ".ico": "image/x-icon"}


@dataclass(frozen=True, slots=True)
class File:
    """One file: `packed` is the same by gzip, empty where that is no shorter."""

    kind: str
    content: bytes
    packed: bytes
    etag: str


def _read(path: Path) -> File:
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in _TEXTS else b""
    etag = hashlib.sha256(content).hexdigest()[:12]
    return File(_KINDS[path.suffix], content, packed if len(packed) < len(content) else b"", etag)


_FILES: Final = {
    path.name: _read(path) for path in STATIC_FOLDER.iterdir() if path.suffix in _KINDS
}


def routes() -> list[web.RouteDef]:
    """Only files that were there at start, by their exact names; the address browsers ask for by
    themselves leads to the icon."""
    return [web.get("/static/{name}", send), web.get("/favicon.ico", icon)]


async def send(request: web.Request) -> web.Response:
    """One file. Kept for ever by the address that names its content; by the bare one, which one
    module uses for another, asked for again each time (RFC 9110 section 13.1.2)."""
    name = request.match_info["name"]
    file = _FILES.get(name)
    if file is None:
        raise not_found()
    named = request.query.get("v") == file.etag
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if named else "no-cache",
        "ETag": f'"{file.etag}"',
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    body = file.content
    if file.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = file.packed, "gzip"
    return web.Response(body=body, content_type=file.kind, headers=headers)


async def icon(_request: web.Request) -> web.Response:
    """Where the icon really is."""
    headers = {"Location": asset("icon.svg"), "Cache-Control": "public, max-age=86400"}
    return web.Response(status=302, headers=headers)
