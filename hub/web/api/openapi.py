# SPDX-License-Identifier: EUPL-1.2
"""`/api/v1/openapi.json`: OpenAPI 3.1, assembled from the very model that checks submissions."""

import json
from functools import cache
from typing import Any, Final

from aiohttp import web

from hub import __version__
from hub.delivery import DeliveryState
from hub.flow.submission import Submission

_REF: Final = "#/components/schemas/{model}"
_SUBMISSION: Final = _REF.format(model="Submission")
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
    schema = Submission.model_json_schema(ref_template=_REF)
    shared = schema.pop("$defs")
    states = {"type": "array", "items": {"enum": list(DeliveryState)}}
    announcement = _answer("The announcement.", {"$ref": "#/components/schemas/Announcement"})
    id_ = {"type": "string", "pattern": "^[A-Za-z0-9]{1,12}$"}
    one = {"parameters": [_parameter("path", "id", "As `POST` answered it.", id_)]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Municipal notification hub", "version": __version__},
        "security": [{"key": []}],
        "paths": {
            "/api/v1/announcements": {
                "post": {
                    "summary": "Publish an announcement, or put it before somebody who may.",
                    "parameters": [
                        _parameter(
                            "header",
                            "Idempotency-Key",
                            "The same key again is the same announcement.",
                            {"type": "string", "pattern": "^[!-~]{1,255}$"},
                        )
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": _SUBMISSION}}},
                    },
                    "responses": {"202": announcement, **_refusals(400, 401, 403, 413, 415, 422)},
                }
            },
            "/api/v1/announcements/{id}": {
                **one,
                "get": {
                    "summary": "What became of it, channel by channel.",
                    "responses": {"200": announcement, **_refusals(401, 404)},
                },
            },
            "/api/v1/announcements/{id}/deliveries": {
                **one,
                "get": {
                    "summary": "Its deliveries by page; no address is shown.",
                    "parameters": [
                        _parameter("query", "after", "The last id seen.", _whole(0, 2**62 - 1)),
                        _parameter("query", "limit", "Rows of a page.", _whole(1, 500)),
                        _parameter("query", "state", "Only these states.", states)
                        | {"style": "form", "explode": False},
                    ],
                    "responses": {
                        "200": _answer("A page.", {"type": "object"}),
                        **_refusals(400, 401, 404),
                    },
                },
            },
            **{
                f"/api/v1/announcements/{{id}}/{verb}": {
                    **one,
                    "post": {
                        "summary": summary,
                        "responses": {status: announcement, **_refusals(401, 403, 404, 409)},
                    },
                }
                for verb, status, summary in (
                    ("cancel", "200", "Stop what has not left."),
                    ("approve", "202", "Publish what waits for approval."),
                )
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Submission": schema,
                "Problem": _PROBLEM,
                "Announcement": {
                    "type": "object",
                    "required": ["id", "state", "urgency", "page_url"],
                    "properties": {
                        name: {"type": "string"} for name in ("id", "state", "urgency", "page_url")
                    },
                },
                **shared,
            },
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
    every = (*statuses, 429, 507)
    return {str(s): {"description": "Refused, and why.", "content": problem} for s in every}
