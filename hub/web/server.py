# SPDX-License-Identifier: EUPL-1.2
"""The one web application: its doors, what guards them all, and what every answer carries."""

import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import ModuleType
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import Counter

from hub.announcement import UnlawfulMoveError
from hub.flow.accept.intake import UnknownAnnouncementError
from hub.flow.accept.problems import ForbiddenError, RefusedError, UnreadableError
from hub.flow.foresight.recalled import Recall
from hub.ledger.announcements import StaleAnnouncementError
from hub.ledger.database import LedgerFullError, is_busy
from hub.web import health, problems, readying
from hub.web.api import announcements as api
from hub.web.api import openapi, operating, previews, recurrences
from hub.web.callbacks import twilio
from hub.web.console import doors as console
from hub.web.console.citizens import imports
from hub.web.console.following import stream
from hub.web.console.guard import SEAT, recognise
from hub.web.console.showing import show as show_seated
from hub.web.console.writing.drafts import RECALL
from hub.web.desk import DESK, Desk
from hub.web.hooks import standard
from hub.web.language import language_of
from hub.web.machines import is_machine
from hub.web.origin import refuse_other_sites
from hub.web.portal import announcement as portal
from hub.web.portal import (
    app_files,
    archive,
    attachments,
    calendar,
    components,
    confirm,
    desk_page,
    devices,
    feeds,
    home,
    looks,
    mine,
    my_choices,
    my_contacts,
    my_data,
    poster,
    sign_in,
    static,
    stop,
    subscribe,
    texts,
    verify,
    ways,
    widget,
    x_account,
)
from hub.web.portal.drafting import MACHINES
from hub.web.problems import ProblemError
from hub.web.showing import show
from hub.web.town import TOWN, look_out, town_of

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
REFERENCE: Final = web.RequestKey("reference", str)


def make_app(desk: Desk) -> web.Application:
    """The application of one hub."""
    app = web.Application(
        middlewares=[_answer, _refuse, look_out, refuse_other_sites],
        client_max_size=desk.settings.server.client_max_size,
    )
    app[DESK] = desk
    app[TOWN] = town_of(desk.settings.portal)
    app[RECALL] = Recall(desk.clock)
    machines = (api, previews, operating, recurrences, openapi, standard, twilio, health)
    doors: tuple[ModuleType, ...] = (
        *machines,
        portal,
        home,
        looks,
        static,
        stop,
        devices,
        app_files,
    )
    doors = (*doors, archive, attachments, calendar, feeds, widget)
    doors = (*doors, desk_page, poster, x_account)
    doors = (*doors, components, texts)
    doors = (*doors, subscribe, ways, verify, confirm)
    doors = (*doors, mine, my_choices, my_contacts, my_data, sign_in)
    doors = (*doors, *console.DOORS)
    for door in doors:
        app.add_routes(door.routes())
    stream.install(app)
    imports.install(app, desk)
    readying.install(app, desk.clock)
    app.on_response_prepare.append(_secure)
    desk.metrics.register(_REQUESTS)
    desk.metrics.register(MACHINES)
    return app


_REQUESTS = Counter(
    "hub_http_requests_total", "Requests answered.", ["route", "method", "status"], registry=None
)


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if request.secure or request.config_dict[DESK].site.public_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request a reference, log it without its query, count it."""
    reference = request[REFERENCE] = uuid.uuid4().hex[:12]
    with structlog.contextvars.bound_contextvars(request=reference):
        try:
            response = await handler(request)
        except web.HTTPException as elsewhere:  # a redirection: `_refuse` lets it through
            _note(request, elsewhere, reference)
            raise
        _note(request, response, reference)
    return response


def _note(request: web.Request, response: web.StreamResponse, reference: str) -> None:
    route, method = request.match_info.route.resource, request.method
    name = route.canonical if route is not None else "(none)"
    counted = method if route is not None else "(any)"  # a made-up one makes no new series
    _REQUESTS.labels(name, counted, str(response.status)).inc()
    log.info("http", method=method, route=name, status=response.status)
    response.headers.setdefault("X-Request-Id", reference)


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal and every bug becomes an answer somebody can act on."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < HTTPStatus.BAD_REQUEST:  # on its way elsewhere: no refusal at all
            kept = {k: v for k, v in refusal.headers.items() if k != "Content-Type"}
            return web.Response(status=refusal.status, headers=kept)
        if request.path.startswith(_OFFICE):
            await recognise(request)
        return _told(request, _of_http(refusal))
    except Exception as error:  # noqa: BLE001  (nobody may see a traceback; the log has it)
        return _told(request, _of_error(error))


_REFUSED: Final = {UnreadableError: 400, ForbiddenError: 403}


def _of_error(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case RefusedError(problems=found):
            return problems.fields(found, _REFUSED.get(type(error), 422))
        case UnknownAnnouncementError():
            return problems.not_found()
        case UnlawfulMoveError() | StaleAnnouncementError():
            return ProblemError(
                409,
                "conflict",
                fr="L'état de l'annonce ne le permet pas (ou plus).",
                en=f"The announcement does not allow this (any more): {error}.",
            )
        case _ if (refused := _of_ledger(error)) is not None:
            return refused
        case _:
            log.error("http.bug", exc_info=error)
            return ProblemError(
                500,
                "internal",
                fr="Une erreur est survenue chez nous. Réessayez dans un instant.",
                en="Something went wrong on our side. Try again in a moment.",
            )


def _of_ledger(error: Exception) -> ProblemError | None:
    """Where nothing can be written now: nothing was, and the same request may come again."""
    if isinstance(error, LedgerFullError):
        return ProblemError(
            507,
            "disk_full",
            fr="Le disque est plein : rien n'a été accepté. Réessayez plus tard.",
            en="The disk is full: nothing was accepted. Try again later.",
            headers={"Retry-After": "60"},
        )
    if is_busy(error):
        return ProblemError(
            503,
            "busy",
            fr="Un autre programme écrit depuis longtemps : rien n'a été accepté. Réessayez.",
            en="Another program has been writing for long: nothing was accepted. Try again.",
            headers={"Retry-After": "5"},
        )
    return None


def _of_http(refusal: web.HTTPException) -> ProblemError:
    headers = {k: v for k, v in refusal.headers.items() if k == "Allow"}
    match refusal.status:
        case 404:
            return problems.not_found()
        case 405:
            fr, en = "Cette méthode n'est pas permise ici.", "This method is not allowed here."
        case 413:
            fr, en = "La demande est trop grosse.", "The request is too large."
        case _:
            fr, en = "La demande n'est pas acceptée.", "The request is not accepted."
    code = HTTPStatus(refusal.status).name.lower()
    return ProblemError(refusal.status, code, fr=fr, en=en, headers=headers)


_OFFICE: Final = ("/console", "/admin")
_TOLD: Final = frozenset({403, 409, 429})
"""Where the refusal's own sentence says more than the status does."""


def _told(request: web.Request, problem: ProblemError) -> web.Response:
    """As problem details at machine doors, as a page to people."""
    reference = request[REFERENCE]
    if is_machine(request.path):
        return problems.response(problem, reference)
    sentence = {"fr": problem.fr, "en": problem.en} if problem.status in _TOLD else {}
    said = sentence.get(language_of(request), "")
    signed_out = problem.code == "signed_out"
    page = _message(request, problem.status, reference, said, signed_out=signed_out)
    page.headers.update(problem.headers)
    return page


def _message(
    request: web.Request, status: int, reference: str, sentence: str, *, signed_out: bool = False
) -> web.Response:
    """Within the console for whoever sits there; where its frame itself fails, alone."""
    told: dict[str, Any] = {"status": status, "reference": reference, "sentence": sentence}
    seat = request.get(SEAT)
    if seat is not None:
        try:
            return show_seated(request, seat, "message.html", **told)
        except Exception:  # the page that tells a fault must not be one
            log.exception("http.bug")
    home: dict[str, Any] = {"home_url": "/console"} if request.path.startswith(_OFFICE) else {}
    return show(request, "message.html", **told, **home, signed_out=signed_out)
