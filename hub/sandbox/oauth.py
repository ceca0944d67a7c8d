# SPDX-License-Identifier: EUPL-1.2
"""OAuth 1.0a as X checks it (RFC 5849): who signed this request, and with which secrets."""

from dataclasses import dataclass, field

from aiohttp import web
from oauthlib.common import Request  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

# Clients that were pointed here signed the address they believe they call.
_REAL_ORIGINS = ("https://api.twitter.com", "https://api.x.com")


@dataclass(frozen=True, slots=True)
class XKeys:
    """The four secrets of an app and its account."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


def is_signed(request: web.Request, keys: XKeys) -> bool:
    """Whether the request bears these keys and an HMAC-SHA1 signature made with their secrets.

    A JSON body is not part of what is signed (RFC 5849 section 3.4.1.3).
    """
    header = request.headers.get("Authorization", "")
    if not header.startswith("OAuth "):
        return False
    try:
        given = signature.collect_parameters(
            uri_query=request.rel_url.raw_query_string,
            headers={"Authorization": header},
            exclude_oauth_signature=False,
        )
    except ValueError:
        return False
    named = dict(given)
    if (named.get("oauth_consumer_key"), named.get("oauth_token")) != (
        keys.consumer_key,
        keys.access_token,
    ):
        return False
    params = [(name, value) for name, value in given if name != "oauth_signature"]
    own = f"{request.scheme}://{request.host}"
    return any(
        _matches(request, origin, params, named.get("oauth_signature", ""), keys)
        for origin in (*_REAL_ORIGINS, own)
    )


def _matches(
    request: web.Request, origin: str, params: list[tuple[str, str]], given: str, keys: XKeys
) -> bool:
    signed = Request(f"{origin}{request.rel_url.raw_path}", http_method=request.method)
    signed.params = params
    signed.signature = given
    return bool(signature.verify_hmac_sha1(signed, keys.consumer_secret, keys.access_token_secret))
