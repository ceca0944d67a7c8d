# SPDX-License-Identifier: EUPL-1.2
"""The JSON X answers with: posts, pages, and its two kinds of errors."""

import hashlib
import html
from datetime import datetime
from typing import Any

from aiohttp import web

from hub.sandbox.effects import Effect


def problem(status: int, title: str, detail: str | None = None) -> web.Response:
    """X's error body, served as application/problem+json."""
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail or title}
    return web.json_response(body, status=status, content_type="application/problem+json")


def invalid(message: str, **parameters: str) -> web.Response:
    """X's body for a request that makes no sense, naming what it was given."""
    body = {
        "errors": [
            {
                "parameters": {name: [value] for name, value in parameters.items()},
                "message": message,
            }
        ],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }
    return web.json_response(body, status=400, content_type="application/problem+json")


def post_object(effect: Effect, fields: frozenset[str]) -> dict[str, Any]:
    """A post as the API returns it: links wrapped by t.co, and &, <, > escaped."""
    # Half a second to import: only a stand-in that is used waits for it.
    from twitter_text import (  # type: ignore[import-untyped]  # noqa: PLC0415
        extract_urls_with_indices,
    )

    text, urls = effect.text, []
    for found in reversed(extract_urls_with_indices(effect.text)):
        start, end = found["indices"]
        digest = hashlib.sha256(found["url"].encode()).hexdigest()[:10]
        short = f"https://t.co/{digest}"
        text = f"{text[:start]}{short}{text[end:]}"
        urls.append({"url": short, "expanded_url": found["url"], "display_url": found["url"]})
    post: dict[str, Any] = {
        "id": effect.ref,
        "text": html.escape(text, quote=False),
        "edit_history_tweet_ids": [effect.ref],
    }
    if "created_at" in fields:
        post["created_at"] = timestamp(effect.at)
    if "entities" in fields and urls:
        post["entities"] = {"urls": urls[::-1]}
    if "referenced_tweets" in fields and (reply := effect.extra.get("in_reply_to")):
        post["referenced_tweets"] = [{"type": "replied_to", "id": reply}]
    return post


def page(found: list[dict[str, Any]], more: bool) -> web.Response:
    """A list as X pages it, newest first; where there is nothing, ``data`` is left out."""
    meta: dict[str, Any] = {"result_count": len(found)}
    if not found:
        return web.json_response({"meta": meta})
    meta |= {"newest_id": found[0]["id"], "oldest_id": found[-1]["id"]}
    if more:
        meta["next_token"] = found[-1]["id"]
    return web.json_response({"data": found, "meta": meta})


def timestamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds, as X writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
