# SPDX-License-Identifier: EUPL-1.2
"""`/a/{code}/{name}`: a file of a published announcement, downloaded and never opened in place."""

from typing import Final

from aiohttp import ETag, web

from hub.flow.writing.attachments import Attachment, content_of
from hub.web.desk import desk
from hub.web.problems import not_found

NAME: Final = "{name:[a-z0-9-]{1,70}\\.(?:pdf|png|jpg)}"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def routes() -> list[web.RouteDef]:
    """The files."""
    return [web.get("/a/{code:[A-Za-z0-9]{1,12}}/" + NAME, show)]


async def show(request: web.Request) -> web.Response:
    """One file; what is not public is not there."""
    code, name = request.match_info["code"], request.match_info["name"]
    found = await desk(request).ledger.read(lambda conn: content_of(conn, code, name))
    return as_file(request, found)


def as_file(
    request: web.Request, found: tuple[Attachment, bytes] | None, *, private: bool = False
) -> web.Response:
    """The answer with a file. Raises `ProblemError` 404."""
    if found is None:
        raise not_found()
    piece, content = found
    headers = {
        **_HEADERS,
        "Content-Disposition": f'attachment; filename="{piece.name}"',
        "Cache-Control": "no-store" if private else "no-cache",
    }
    tag = ETag(piece.sha256[:20])
    told = request.if_none_match or ()
    if not private and any(each.value in (tag.value, "*") for each in told):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(body=content, headers=headers, content_type=piece.media_type)
    if not private:
        response.etag = tag
    return response
