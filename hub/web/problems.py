# SPDX-License-Identifier: EUPL-1.2
"""RFC 9457 problem details: what is wrong, which field, how to put it right, in both languages."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from hub.flow.accept.problems import Problem

CONTENT_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A door's refusal."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        fr: str,
        en: str,
        errors: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.fr = fr
        self.en = en
        self.errors = errors
        self.headers = dict(headers or {})


def response(problem: ProblemError, reference: str) -> web.Response:
    """The refusal on the wire. `reference` is what to quote when asking for help."""
    body = {
        "type": f"about:blank#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.en,
        "detail_fr": problem.fr,
        "instance": f"urn:request:{reference}",
    }
    if problem.errors:
        body["errors"] = [
            {"pointer": e.pointer, "code": e.code, "message_fr": e.fr, "message_en": e.en}
            for e in problem.errors
        ]
    return web.Response(
        status=problem.status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def fields(errors: Sequence[Problem], status: int) -> ProblemError:
    """A refusal that names fields."""
    return ProblemError(
        status,
        {400: "unreadable", 403: "forbidden"}.get(status, "invalid"),
        fr="La demande n'est pas acceptée : voyez `errors`.",
        en="The request is not accepted: see `errors`.",
        errors=errors,
    )


def not_found() -> ProblemError:
    """There is no such thing, or not for this caller: both look alike."""
    return ProblemError(
        404, "not_found", fr="Il n'y a rien à cette adresse.", en="Nothing is here."
    )
