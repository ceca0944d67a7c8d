# SPDX-License-Identifier: EUPL-1.2
"""`/mes-alertes/donnees`: what is held of somebody and what they were sent; to take or erase."""

import csv
import io
import json
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from hub.flow.citizens.erasing import Erasing
from hub.reports.history import PAGE, History, Sent, history
from hub.web.desk import Desk
from hub.web.language import language_of
from hub.web.portal.mine import HOME, at_home, by_theme, own, page, shown, taken_form
from hub.web.showing import PRIVATE, see_other, show
from hub.web.visits import close_visit
from subscribers.privacy import export_person
from templates.pages.wording import channel_name, reason_sentence, state_label, translations

_DATA: Final = f"{HOME}/donnees"
_ALL: Final = 100_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet reads as a formula at the start of a cell (OWASP, CSV injection)."""


def routes() -> list[web.RouteDef]:
    """See, take, erase."""
    return [
        web.get(_DATA, see),
        web.get(f"{_DATA}.json", as_json),
        web.get(f"{_DATA}.csv", as_csv),
        web.get(f"{_DATA}/supprimer", ask_erasure),
        web.post(f"{_DATA}/supprimer", erase),
        web.get(f"{_DATA}/supprimees", erased),
    ]


# ------------------------------------------------------------------ seeing


async def see(request: web.Request) -> web.Response:
    """What is held, in words, and a page of what was sent."""
    hub, visit = await at_home(request)
    has, language, now = await own(hub, visit), language_of(request), hub.clock.now()
    asked = request.query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    number = max(number, 1)
    found = await hub.ledger.read(lambda conn: history(conn, visit.person, language, now, number))
    return page(
        request,
        visit,
        "mine_data.html",
        **{**shown(hub, has, language), "themes": len(by_theme(has))},
        created=has.person.created,
        consent=has.consent,
        devices=len(has.contacts) - sum(each.channel != "webpush" for each in has.contacts),
        sent=[_line(each, language) for each in found.sent],
        total=found.total,
        page_number=number,
        pages=max(1, -(-found.total // PAGE)),
        dpo=hub.settings.portal.dpo,
    )


def _line(sent: Sent, language: str) -> dict[str, Any]:
    return {
        "at": sent.at,
        "channel": channel_name(sent.channel, language),
        "title": sent.title or _kind(sent, language),
        "url": f"/a/{sent.code}" if sent.code else "",
        "state": state_label(sent.state, language),
        "why": reason_sentence(sent.reason, language) if sent.reason else "",
    }


def _kind(sent: Sent, language: str) -> str:
    """What is no announcement: a code, a link, a summary of several."""
    key = f"note.{sent.note}" if sent.note else "note.digest"
    return translations(language).gettext(key)


# ------------------------------------------------------------------ taking


async def as_json(request: web.Request) -> web.Response:
    """Every stored field, and what was sent (GDPR art. 15 and 20)."""
    hub, visit = await at_home(request)
    language, now = language_of(request), hub.clock.now()

    def read(conn: Connection) -> dict[str, Any]:
        held = export_person(conn, visit.person) or {}
        found = history(conn, visit.person, language, now, limit=_ALL)
        return {**held, "sent": _plain(found, language)}

    body = json.dumps(await hub.ledger.read(read), ensure_ascii=False, indent=2)
    return _file(hub, now, "json", "application/json", body.encode())


async def as_csv(request: web.Request) -> web.Response:
    """The same as a table for a spreadsheet: what, which field, its value."""
    hub, visit = await at_home(request)
    language, now = language_of(request), hub.clock.now()

    def read(conn: Connection) -> tuple[dict[str, Any], History]:
        held = export_person(conn, visit.person) or {}
        return held, history(conn, visit.person, language, now, limit=_ALL)

    held, found = await hub.ledger.read(read)
    written = io.StringIO(newline="")
    table = csv.writer(written, delimiter=";")
    table.writerow(["table", "n", "field", "value"])
    for name, rows in {**held, "sent": _plain(found, language)}.items():
        for number, row in enumerate(rows if isinstance(rows, list) else [rows], 1):
            for field, value in row.items():
                table.writerow([name, number, field, safe_cell(value)])
    return _file(hub, now, "csv", "text/csv", written.getvalue().encode("utf-8-sig"))


def safe_cell(value: Any) -> str:
    """A value as a cell that no spreadsheet computes: it begins with an apostrophe then."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(found: History, language: str) -> list[dict[str, Any]]:
    lines = [_line(each, language) for each in found.sent]
    return [{**each, "at": each["at"].isoformat()} for each in lines]


def _file(hub: Desk, now: datetime, ending: str, kind: str, body: bytes) -> web.Response:
    name = f"mes-alertes-{now:%Y-%m-%d}.{ending}"
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)


# ------------------------------------------------------------------ erasing


async def ask_erasure(request: web.Request) -> web.Response:
    """What disappears, what stays and when; one button."""
    hub, visit = await at_home(request)
    has = await own(hub, visit)
    return page(
        request,
        visit,
        "mine_erase.html",
        **shown(hub, has, language_of(request)),
        backups=hub.settings.retention.backups,
    )


async def erase(request: web.Request) -> web.Response:
    """Erase the person; the visit ends with them."""
    hub, visit, form = await taken_form(request)
    key = hub.asking.key if form.get("do_not_contact") == "1" else None
    erasing = Erasing(hub.ledger, hub.engine.wishes, hub.clock, hub.asking.key)
    await erasing.erase(visit.person, actor="citizen", do_not_contact=key)
    response = see_other(f"{_DATA}/supprimees")
    await close_visit(request, response)
    return response


async def erased(request: web.Request) -> web.Response:
    """Whoever comes here is told the same: it knows nobody any more."""
    return show(request, "portal/mine_erased.html", private=True)
