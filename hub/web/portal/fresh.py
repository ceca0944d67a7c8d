# SPDX-License-Identifier: EUPL-1.2
"""What readers keep of a public page, and how they ask whether it changed (RFC 9110, 9111)."""

import hashlib
from datetime import UTC, datetime
from typing import Final

from aiohttp import ETag, web

PAGE: Final = "no-cache"
"""Kept, and asked about each time: nobody reads a page from before the alert."""
SHARED: Final = "public, max-age=60"
"""Feeds, calendars and the widget, where no cookie matters: a proxy may answer for a minute."""


def fresh(
    request: web.Request,
    response: web.Response,
    *,
    caching: str = PAGE,
    modified: datetime | None = None,
) -> web.Response:
    """`response` with its ETag, or 304 where the reader has it already.

    `modified` is when the latest of what it shows changed.
    """
    assert isinstance(response.body, bytes)
    digest = hashlib.sha256(response.body).hexdigest()[:20]
    response.etag = ETag(digest, is_weak=True)  # it is the same page, compressed or not
    response.headers["Cache-Control"] = caching
    if caching == SHARED:
        response.headers["Vary"] = "Accept-Encoding"
        response.enable_compression()
    if modified is not None:
        # whole seconds only can be told: rounded up, so that a change within one is not missed
        whole = -(-modified.timestamp() // 1)
        response.last_modified = datetime.fromtimestamp(whole, UTC)
    if not _has(request, response):
        return response
    kept = ("ETag", "Cache-Control", "Vary", "Last-Modified", "Content-Security-Policy")
    headers = {name: response.headers[name] for name in kept if name in response.headers}
    answer = web.Response(status=304, headers=headers)
    for cookie in response.cookies.values():
        answer.cookies[cookie.key] = cookie
    return answer


def _has(request: web.Request, response: web.Response) -> bool:
    """If-None-Match decides alone where it is sent (RFC 9110 section 13.2.2)."""
    tags = request.if_none_match
    if tags is not None:
        own = response.etag
        return own is not None and any(tag.value in (own.value, "*") for tag in tags)
    since, modified = request.if_modified_since, response.last_modified
    return since is not None and modified is not None and modified <= since
