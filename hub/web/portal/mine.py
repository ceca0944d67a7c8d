# SPDX-License-Identifier: EUPL-1.2
"""`/mes-alertes`: what somebody receives, on one page, with a way to change or stop each of it."""

from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from channels.base import ChannelName
from hub.flow.citizens.preferring import Chosen, Preferring, chosen
from hub.flow.citizens.undoing import PATIENCE, Taken, Undoing
from hub.web.bodies import read_form
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.portal import devices, drafting
from hub.web.portal.masking import masked
from hub.web.portal.sign_in import way_in
from hub.web.portal.x_account import X_CODES
from hub.web.references import Kind, References
from hub.web.showing import PRIVATE, see_other, show
from hub.web.visits import Visit, check, close_visit, visitor
from subscribers import sessions
from subscribers.catalogue import Theme
from templates.pages.wording import channel_name, reason_sentence, translations

HOME: Final = "/mes-alertes"
_PAUSES: Final = {"week": timedelta(days=7), "month": timedelta(days=30)}


def routes() -> list[web.RouteDef]:
    """The page, and what its buttons do."""
    return [
        web.get(HOME, overview),
        web.post(f"{HOME}/pause", pause),
        web.post(f"{HOME}/arreter", stop),
        web.post(f"{HOME}/annuler", undo),
        web.post(f"{HOME}/quitter", leave),
    ]


# ------------------------------------------------------------------ what all their pages share


async def at_home(request: web.Request) -> tuple[Desk, Visit]:
    """The desk and the visitor. Raises `HTTPSeeOther` to the way in where nobody is."""
    visit = await visitor(request)
    if visit is None:
        raise web.HTTPSeeOther(HOME, headers=PRIVATE)
    return desk(request), visit


async def taken_form(request: web.Request) -> tuple[Desk, Visit, dict[str, str]]:
    """As `at_home`, with a form of this very visit. Raises `ProblemError` 403 for another's, 429
    where it is one too many."""
    hub, visit = await at_home(request)
    await hub.limiter.admit("visit", str(visit.person), hub.settings.limits.public_per_minute)
    form = await read_form(request)
    check(form, visit)
    return hub, visit, form


async def own(hub: Desk, visit: Visit) -> Chosen:
    """What the visitor chose. Raises `HTTPSeeOther` where they were erased a moment ago."""
    found = await hub.ledger.read(lambda conn: chosen(conn, visit.person))
    if found is None:
        raise web.HTTPSeeOther(HOME, headers=PRIVATE)
    return found


def preferring(hub: Desk) -> Preferring:
    """What changes their choices."""
    return Preferring(hub.ledger, hub.engine.wishes, hub.clock)


def page(request: web.Request, visit: Visit, name: str, **context: Any) -> web.Response:
    """One of their pages: private, and saying when the visit ends."""
    return show(
        *(request, f"portal/{name}"),
        private=True,
        visit_seconds=int((visit.expires - desk(request).clock.now()).total_seconds()),
        **{"csrf": visit.csrf, "visit_ends": visit.expires, "errors": {}, **context},
    )


def back(done: str, where: str = HOME) -> web.Response:
    """To the page again, which says what was `done`."""
    return see_other(f"{where}?fait={done}")


def clock_words(minute: int, language: str) -> str:
    """Minutes after midnight as people say them: "21 h", "8 h 30"; "21:00"."""
    hour, rest = divmod(minute, 60)
    if language == "en":
        return f"{hour:02d}:{rest:02d}"
    return f"{hour}\N{NO-BREAK SPACE}h" + (f"\N{NO-BREAK SPACE}{rest:02d}" if rest else "")


# ------------------------------------------------------------------ the page


async def overview(request: web.Request) -> web.Response:
    """Everything at a glance; without a visit, the way in."""
    visit = await visitor(request)
    if visit is None:
        return way_in(request)
    hub = desk(request)
    has = await own(hub, visit)
    return page(
        request,
        visit,
        "mine.html",
        done=request.query.get("fait", ""),
        undoable=_undoable(visit, hub.clock.now()),
        **shown(hub, has, language_of(request)),
        by_x=X_CODES in request.config_dict,
        **await devices.context(request),
    )


def shown(hub: Desk, has: Chosen, language: str) -> dict[str, Any]:
    """What the page says of somebody's choices."""
    person, now = has.person, hub.clock.now()
    themes = by_theme(has)
    channels = tuple(dict.fromkeys(channel for _, channel, _ in has.rows))
    paused = person.paused_until is not None and person.paused_until > now
    quiet = person.quiet
    if quiet is not None and quiet.start == quiet.end:
        quiet = None
    return {
        "themes": [
            {
                "id": theme.id,
                "name": theme.name(language),
                "channels": [channel_name(each, language) for each in by],
            }
            for theme, by in themes
        ],
        "places": [has.town.zones[each].name(language) for each in person.zones],
        "by": [translations(language).gettext(f"by.{each}") for each in channels],
        "contacts": [
            _contact(point, language, hub.references) for point in has.contacts if _written(point)
        ],
        "others": any(not _written(point) for point in has.contacts),
        "quiet": quiet and [clock_words(each, language) for each in (quiet.start, quiet.end)],
        "urgent_breaks_quiet": person.urgent_breaks_quiet,
        "cadences": {
            str(channel): [str(each) for each in sorted(cadences)]
            for channel, cadences in has.cadences.items()
        },
        "paused_until": person.paused_until if paused else None,
        "keeps_urgent": person.pause_keeps_urgent,
        "consent_given": has.consent.given_at if has.consent and has.agreed else None,
        "language_wanted": person.language,
    }


def by_theme(has: Chosen) -> list[tuple[Theme, list[ChannelName]]]:
    """The themes somebody asked for, in the town's order, with the channels of each."""
    found: dict[int, list[ChannelName]] = {}
    for theme, channel, _ in has.rows:
        found.setdefault(theme, []).append(channel)
    return [(theme, found[theme.id]) for theme in has.town.themes.values() if theme.id in found]


def _written(point: Any) -> bool:
    return point.channel is not ChannelName.WEBPUSH


def _contact(point: Any, language: str, names: References) -> dict[str, Any]:
    return {
        "id": names.of(Kind.CONTACT, point.id),
        "channel": str(point.channel),
        "masked": masked(point.channel, point.address),
        "verified": point.verified_at,
        "suspended": point.suspended_at,
        "why": reason_sentence(point.suspended_reason, language) if point.suspended_at else "",
        "complained": point.suspended_reason in ("complaint", "opted_out"),
    }


def _undoable(visit: Visit, now: datetime) -> bool:
    return visit.undo is not None and now - Taken.read(visit.undo).at <= PATIENCE


# ------------------------------------------------------------------ what its buttons do


async def pause(request: web.Request) -> web.Response:
    """A week, a month, or not any more."""
    hub, visit, form = await taken_form(request)
    length = _PAUSES.get(form.get("for", ""))
    until = None if length is None else hub.clock.now() + length
    keeps = until is None or form.get("keeps_urgent") == "1"
    await preferring(hub).pause(visit.person, until, keeps_urgent=keeps)
    return back("reprise" if until is None else "pause")


async def stop(request: web.Request) -> web.Response:
    """One theme with all below it, or everything; it can be taken back while the visit lasts."""
    hub, visit, form = await taken_form(request)
    asked = form.get("theme", "")
    if asked == "all":
        ended = await preferring(hub).stop(visit.person, None)
    elif asked.isascii() and asked.isdigit():
        ended = await preferring(hub).stop(visit.person, [int(asked[:18])])
    else:
        return see_other(HOME)
    await remember(hub, visit, ended)
    return back("arret")


async def remember(hub: Desk, visit: Visit, ended: Taken | None) -> None:
    """Keep what a stop took, to be taken back during this visit."""
    if ended is not None and ended.rows:
        document = ended.document()
        await hub.ledger.transact(
            lambda conn: sessions.remember(conn, visit.token, document), hurry=True
        )


async def undo(request: web.Request) -> web.Response:
    """Take the last stop of this visit back."""
    hub, visit, _form = await taken_form(request)
    if visit.undo is None:
        return see_other(HOME)
    what = Taken.read(visit.undo)
    restored = await Undoing(hub.ledger, hub.engine.wishes, hub.clock).undo(what)
    await hub.ledger.transact(lambda conn: sessions.remember(conn, visit.token, None), hurry=True)
    return back("tard" if restored is None else "annule")


async def leave(request: web.Request) -> web.Response:
    """End the visit; what was typed to subscribe here goes too, for others may come."""
    await taken_form(request)
    response = see_other("/")
    await close_visit(request, response)
    await drafting.forget(request, response)
    return response
