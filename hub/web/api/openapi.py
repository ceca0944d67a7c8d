# SPDX-License-Identifier: EUPL-1.2
"""`/api/v1/openapi.json`: OpenAPI 3.1, assembled from the very model that checks submissions."""

import json
from functools import cache
from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName, Reason
from hub import __version__
from hub.delivery import DeliveryState
from hub.flow.accept.submission import Submission
from hub.web.references import SHAPE

_REF: Final = "#/components/schemas/{model}"
_BASE: Final = "/api/v1/announcements"
_AGAIN: Final = "/api/v1/recurrences"
_SUBMISSION: Final = _REF.format(model="Submission")
_BODY: Final = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": _SUBMISSION}}},
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "detail_fr": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message_fr", "message_en"],
                "properties": {
                    name: {"type": "string"}
                    for name in ("pointer", "code", "message_fr", "message_en")
                },
            },
        },
    },
}


def routes() -> list[web.RouteDef]:
    """The document."""
    return [web.get("/api/v1/openapi.json", show)]


async def show(_request: web.Request) -> web.Response:
    """The document; public, it holds nothing of a town's."""
    return web.Response(text=json.dumps(document()), content_type="application/json")


@cache
def document() -> dict[str, Any]:
    """The API in OpenAPI's words."""
    one = f"{_BASE}/{{id}}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "Municipal notification hub", "version": __version__},
        "security": [{"key": []}],
        "paths": {
            _BASE: {"post": _post()},
            one: {**_ONE, "get": _show()},
            f"{one}/deliveries": {**_ONE, "get": _deliveries()},
            f"{one}/cancel": {**_ONE, "post": _act("200", "Stop what has not left.")},
            f"{one}/approve": {**_ONE, "post": _act("202", "Publish what waits for approval.")},
            f"{one}/redrive": {**_ONE, "post": _redrive()},
            "/api/v1/parked": {"get": _told("What waits for a human, by reason.")},
            "/api/v1/channels": {"get": _told("How each channel and its providers are.")},
            "/api/v1/channels/{channel}/pause": {**_ROAD, "post": _switch("Let nothing leave.")},
            "/api/v1/channels/{channel}/resume": {**_ROAD, "post": _switch("Let all leave again.")},
            "/api/v1/previews": {"post": _ahead("What it would become: texts, people, cost.")},
            "/api/v1/audience": {"post": _ahead("How many it would reach; null: fewer than 5.")},
            _AGAIN: {"get": _recurrences()},
            f"{_AGAIN}/{{id}}/stop": {**_ONE, "post": _stop()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    submission = Submission.model_json_schema(ref_template=_REF)
    shared = submission.pop("$defs")
    shown = ("id", "state", "urgency", "page_url")
    announcement = {
        "type": "object",
        "required": list(shown),
        "properties": {name: {"type": "string"} for name in shown},
    }
    named = {"Submission": submission, "Announcement": announcement, "Problem": _PROBLEM}
    return {**named, **shared}


def _post() -> dict[str, Any]:
    key = {"type": "string", "pattern": "^[!-~]{1,255}$"}
    same = "The same key again is the same announcement."
    return {
        "summary": "Publish an announcement, or put it before somebody who may.",
        "parameters": [_parameter("header", "Idempotency-Key", same, key)],
        "requestBody": _BODY,
        "responses": {"202": _ANNOUNCEMENT, **_refusals(400, 401, 403, 413, 415, 422)},
    }


def _ahead(summary: str) -> dict[str, Any]:
    """Of the very body `POST` of an announcement takes; nothing is written."""
    responses = {
        "200": _answer("As of now.", {"type": "object"}),
        **_refusals(400, 401, 403, 413, 415, 422),
    }
    return {"summary": summary, "requestBody": _BODY, "responses": responses}


def _show() -> dict[str, Any]:
    return {
        "summary": "What became of it, channel by channel.",
        "responses": {"200": _ANNOUNCEMENT, **_refusals(401, 404)},
    }


def _deliveries() -> dict[str, Any]:
    states = {"type": "array", "items": {"enum": list(DeliveryState)}}
    return {
        "summary": "Its deliveries by page; no address is shown.",
        "parameters": [
            _parameter(
                "query", "after", "The last id seen.", {"type": "string", "pattern": f"^{SHAPE}$"}
            ),
            _parameter("query", "limit", "Rows of a page.", _whole(1, 500)),
            _parameter("query", "state", "Only these states.", states)
            | {"style": "form", "explode": False},
        ],
        "responses": {"200": _answer("A page.", {"type": "object"}), **_refusals(400, 401, 404)},
    }


def _act(status: str, summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {status: _ANNOUNCEMENT, **_refusals(401, 403, 404, 409)},
    }


def _told(summary: str) -> dict[str, Any]:
    responses = {"200": _answer("All.", {"type": "object"}), **_refusals(401)}
    return {"summary": summary, "responses": responses}


def _switch(summary: str) -> dict[str, Any]:
    responses = {"200": _answer("As it is now.", {"type": "object"}), **_refusals(401, 403, 404)}
    return {"summary": summary, "responses": responses}


def _redrive() -> dict[str, Any]:
    truth = {"type": "boolean"}
    wanted = (
        ("reason", "Only those of this reason, failed ones too.", {"enum": list(Reason)}),
        ("delivery", "This one alone, parked or failed.", _whole(1, 2**62 - 1)),
        ("failed", "What failed too, whatever its reason.", truth),
        ("abandon", "End them as failed instead.", truth),
    )
    return {
        "summary": "Send again what is parked. What may have left is asked of the provider first.",
        "parameters": [_parameter("query", name, what, schema) for name, what, schema in wanted],
        "responses": {
            "200": _answer("How many, and how many may have left.", {"type": "object"}),
            **_refusals(400, 401, 403, 404),
        },
    }


def _recurrences() -> dict[str, Any]:
    return {
        "summary": "What comes again, and when next.",
        "responses": {"200": _answer("All.", {"type": "object"}), **_refusals(401)},
    }


def _stop() -> dict[str, Any]:
    return {
        "summary": "It comes no more; `id` is that of its first announcement.",
        "responses": {
            "200": _answer("As it ended.", {"type": "object"}),
            **_refusals(401, 403, 404),
        },
    }


def _parameter(where: str, name: str, what: str, schema: dict[str, Any]) -> dict[str, Any]:
    required = where == "path"
    return {
        "name": name,
        "in": where,
        "description": what,
        "required": required,
        "schema": schema,
    }


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _answer(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _refusals(*statuses: int) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
    every = (*statuses, 429, 503, 507)
    return {str(s): {"description": "Refused, and why.", "content": problem} for s in every}


_ANNOUNCEMENT: Final = _answer("The announcement.", {"$ref": _REF.format(model="Announcement")})
_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9]{1,12}$"}
_ROADS: Final = {"enum": list(ChannelName)}
_ROAD: Final = {"parameters": [_parameter("path", "channel", "Which.", _ROADS)]}
_ONE: Final = {"parameters": [_parameter("path", "id", "As `POST` answered it.", _ID)]}
