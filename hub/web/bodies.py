# SPDX-License-Identifier: EUPL-1.2
"""Reads a request's body, up to a door's limit and of the kind it takes."""

import asyncio
from collections.abc import Collection
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from hub.web.problems import ProblemError

_SMALL: Final = 65_536
_MOST_PARTS: Final = 200
_PATIENCE: Final = 30.0  # seconds a body may take: who sends a byte now and then holds a connection


async def read_body(request: web.Request, limit: int, kinds: Collection[str]) -> bytes:
    """The bytes, decompressed where they came compressed.

    Raises `ProblemError` 415 for another media type, 413 past `limit` bytes, 408 where they take
    too long, 400 where they do not arrive whole.
    """
    if request.content_type not in kinds:
        raise ProblemError(
            415,
            "unsupported_media_type",
            fr=f"Envoyez du {' ou '.join(kinds)}.",
            en=f"Send {' or '.join(kinds)}.",
        )
    return await _receive(request, limit)


async def _receive(request: web.Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _whole(request, limit)
    except TimeoutError:
        raise too_slow() from None
    except (web.RequestPayloadError, ConnectionError):
        raise ProblemError(
            400,
            "broken_body",
            fr="La demande n'est pas arrivée entière, ou sa compression est abîmée.",
            en="The request did not arrive whole, or its compression is broken.",
        ) from None


async def _whole(request: web.Request, limit: int) -> bytes:
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


def too_slow() -> ProblemError:
    """What whoever dribbles is told; the connection ends with it."""
    return ProblemError(
        408,
        "too_slow",
        fr="La demande n'est pas arrivée entière à temps.",
        en="The request did not arrive whole in time.",
        headers={"Connection": "close"},
    )


async def read_form(request: web.Request) -> dict[str, str]:
    """The text fields of a small form, in either encoding (RFC 8058 section 3.2 allows both).

    What cannot be read is left out: a stop must not fail on how a mail program spells it.
    Raises `ProblemError` 413 past 64 KiB, 408 and 400 where it does not arrive whole.
    """
    raw = await _receive(request, _SMALL)
    if request.content_type == "multipart/form-data":
        return dict(_parts(request.headers["Content-Type"], raw))
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def _parts(content_type: str, raw: bytes) -> list[tuple[str, str]]:
    """One level, and few: a form holds no form. A mail parser would open boxes in boxes, for
    seconds in which nothing leaves."""
    head = BytesHeaderParser().parsebytes(
        f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    )
    edge = b"\r\n--" + (head.get_boundary() or "").encode("utf-8", "replace")
    fields = []
    for piece in (b"\r\n" + raw).split(edge, _MOST_PARTS)[1:_MOST_PARTS]:
        top, _, value = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        part: Message = BytesHeaderParser().parsebytes(top)
        name = part.get_param("name", header="Content-Disposition")
        if isinstance(name, str):
            fields.append((name, value.decode("utf-8", "replace")))
    return fields
