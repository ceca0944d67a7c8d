# SPDX-License-Identifier: EUPL-1.2
"""The few cookies that open something: ours alone, read by no script, sent to no other site."""

from aiohttp import web

from hub.web.desk import desk


def _name(request: web.Request, name: str) -> str:
    """`__Host-` binds it to this very host (RFC 6265bis section 4.1.3.2); browsers refuse the
    prefix without TLS, as on the sandbox's loopback."""
    return f"__Host-{name}" if is_secure(request) else name


def is_secure(request: web.Request) -> bool:
    """Whether citizens come by TLS, to us or to the proxy in front."""
    return request.secure or desk(request).site.public_url.startswith("https://")


def read(request: web.Request, name: str) -> str | None:
    """The value this browser keeps, None where it keeps none."""
    return request.cookies.get(_name(request, name))


def keep(
    request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int
) -> None:
    """Have the browser keep it for that long."""
    response.set_cookie(
        _name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def drop(request: web.Request, response: web.StreamResponse, name: str) -> None:
    """Have the browser forget it."""
    response.del_cookie(_name(request, name), path="/", secure=is_secure(request), httponly=True)
