# SPDX-License-Identifier: EUPL-1.2
"""`/console/abonnes/import`: people from a file, each line judged before anybody is written."""

from typing import Final

from aiohttp import web

from hub.flow.office.importing import Importing, Sheet, Step
from hub.flow.staff.roles import Role
from hub.web.console.guard import Seat, seated
from hub.web.console.showing import see_other, show
from hub.web.csv import download
from hub.web.desk import Desk, desk
from hub.web.language import language_of
from hub.web.problems import not_found
from subscribers.catalogue import load_catalogue
from subscribers.consent_text import CONSENT_VERSION
from subscribers.import_batch import VerdictKind
from subscribers.import_lines import COLUMNS
from subscribers.importer import ImportOptions

PATH: Final = "/console/abonnes/import"
_ONE: Final = PATH + "/{key:[A-Za-z0-9_-]{10,40}}"
_INVALID: Final = 422
_SHOWN: Final = 50  # lines told on the page; the file has them all
IMPORTING: Final[web.AppKey[Importing]] = web.AppKey("importing", Importing)


def routes() -> list[web.RouteDef]:
    """The form, its example, what became of a file, and the word that writes it."""
    return [
        web.get(PATH, show_form),
        web.post(PATH, hand_in),
        web.get(PATH + "/exemple.csv", example),
        web.get(_ONE, show_sheet),
        web.post(_ONE, write),
        web.get(_ONE + "/verdicts.csv", verdicts),
    ]


def install(app: web.Application, hub: Desk) -> None:
    """Give an application its imports; they end with it, between two batches."""
    importing = app[IMPORTING] = Importing(hub.ledger, hub.clock)

    async def close(_app: web.Application) -> None:
        await importing.close()

    app.on_shutdown.append(close)


@seated(Role.CONTACTS)
async def show_form(request: web.Request, seat: Seat) -> web.StreamResponse:
    """The box for the file, and what it must hold."""
    return _form(request, seat, {})


def _form(request: web.Request, seat: Seat, faults: dict[str, str]) -> web.Response:
    hub = desk(request)
    return show(
        request,
        seat,
        "console/citizens/import.html",
        status=_INVALID if faults else 200,
        faults=faults,
        columns=COLUMNS,
        verified=bool(seat.text("verified")),
        most=hub.settings.server.client_max_size // 1_048_576,
    )


@seated(Role.CONTACTS)
async def hand_in(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Judge a file. Whoever hands it in says that they hold the proof of each consent."""
    given, hub = seat.form.get("file"), desk(request)
    content = given.file.read() if isinstance(given, web.FileField) else b""
    faults = {} if content else {"file": "missing"}
    if not seat.text("proof"):
        faults["proof"] = "missing"
    if faults or not isinstance(given, web.FileField):
        return _form(request, seat, faults)
    options = ImportOptions(
        suppression_key=hub.asking.key,
        recorded_by=seat.officer.name,
        verified=bool(seat.text("verified")),
        regions=hub.settings.people.phone_regions,
    )
    sheet = await _importing(request).hand_in(seat.officer, given.filename, content, options)
    return see_other(request, f"{PATH}/{sheet.key}")


@seated(Role.CONTACTS)
async def show_sheet(request: web.Request, seat: Seat) -> web.StreamResponse:
    """What would become of each line, or became of it."""
    sheet, language = _sheet(request, seat), language_of(request)
    lines = [
        (each.line, str(each.kind), getattr(each.sentence, language))
        for each in sheet.told[:_SHOWN]
    ]
    return show(
        request,
        seat,
        "console/citizens/import_sheet.html",
        sheet=sheet,
        lines=lines,
        counts=[(str(kind), sheet.kinds[kind]) for kind in VerdictKind],
        problem=getattr(sheet.problem, language) if sheet.problem else "",
        at_work=sheet.step in (Step.CHECKING, Step.WRITING),
    )


@seated(Role.CONTACTS)
async def write(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Write the people of a file that was judged; once."""
    sheet = _sheet(request, seat)
    await _importing(request).write(sheet, seat.officer)
    return see_other(request, f"{PATH}/{sheet.key}")


@seated(Role.CONTACTS)
async def verdicts(request: web.Request, seat: Seat) -> web.StreamResponse:
    """Every line with something to say, by its number: no contact is among it."""
    sheet, language = _sheet(request, seat), language_of(request)
    heads = {"fr": ("ligne", "verdict", "raison"), "en": ("line", "verdict", "reason")}
    rows = [(each.line, each.kind, getattr(each.sentence, language)) for each in sheet.told]
    return download("verdicts", [heads[language], *rows])


@seated(Role.CONTACTS)
async def example(request: web.Request, seat: Seat) -> web.StreamResponse:
    """A file of one made-up person, with themes and places of this town."""
    hub = desk(request)
    town = await hub.ledger.read(lambda conn: load_catalogue(conn, seat.authority.id))
    themes = [each.key for each in town.themes.values() if not each.archived]
    zones = [each.key for each in town.zones.values() if each.level == "district"]
    told = {
        "ref": "1",
        "language": "fr",
        "phone": "06 39 98 12 34",
        "email": "prenom.nom@example.org",
        "themes": " ".join(themes[:2]),
        "zones": " ".join(zones[:1]),
        "channels": "sms email",
        "consent_source": "formulaire papier",
        "consent_date": f"{hub.clock.now():%Y-%m-%d}",
        "consent_text_version": CONSENT_VERSION,
    }
    return download("exemple", [COLUMNS, [told.get(name, "") for name in COLUMNS]])


def _importing(request: web.Request) -> Importing:
    return request.config_dict[IMPORTING]


def _sheet(request: web.Request, seat: Seat) -> Sheet:
    found = _importing(request).find(request.match_info["key"], seat.officer)
    if found is None:
        raise not_found()
    return found
