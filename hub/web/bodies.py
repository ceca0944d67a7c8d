# SPDX-License-Identifier: EUPL-1.2
"""Reads a request's body, up to a door's limit and of the kind it takes."""

from collections.abc import Collection
from typing import Final

from aiohttp import web

from hub.web.problems import ProblemError

_SMALL: Final = 65_536


async def read_body(request: web.Request, limit: int, kinds: Collection[str]) -> bytes:
    """The bytes. Raises `ProblemError` 415 for another media type, 413 past `limit` bytes."""
    if request.content_type not in kinds:
        raise ProblemError(
            415,
            "unsupported_media_type",
            fr=f"Envoyez du {' ou '.join(kinds)}.",
            en=f"Send {' or '.join(kinds)}.",
        )
    raw = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > limit:
            raise ProblemError(
                413,
                "too_large",
                fr=f"La demande dépasse {limit} octets.",
                en=f"The request is larger than {limit} bytes.",
            )
    return bytes(raw)


async def read_form(request: web.Request) -> dict[str, str]:
    """The text fields of a small form, whatever its encoding (RFC 8058 allows both)."""
    if (request.content_length or 0) > _SMALL:
        raise ProblemError(
            413, "too_large", fr="Formulaire trop gros.", en="The form is too large."
        )
    fields = await request.post()
    return {name: value for name, value in fields.items() if isinstance(value, str)}
