# SPDX-License-Identifier: EUPL-1.2
"""`hub catalogue`: the town's themes and zones, written from a file, shown as trees."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from channels.base import ChannelName
from hub.cli.desk import Desk, at_desk
from hub.cli.files import read_text
from hub.cli.options import CONFIG, Config, Refusal
from hub.ledger.audit import record
from subscribers import crier
from subscribers.catalogue import Catalogue, Theme, Zone, load_catalogue
from subscribers.catalogue_file import ImportReport, import_catalogue
from subscribers.catalogue_text import as_geojson, as_toml

_catalogue = typer.Typer(help="Themes and zones: what one can subscribe to.")


class _Undone(Exception):
    """Ends the transaction of a dry run, and of a file with problems; carries its report."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_catalogue, name="catalogue", no_args_is_help=True)


@_catalogue.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="Themes and zones.")],
    areas: Annotated[
        Path | None, typer.Option(metavar="FILE.geojson", help="The outlines of zones.")
    ] = None,
    archive_missing: Annotated[
        bool, typer.Option("--archive-missing", help="Archive what the file no longer names.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    config: Config = CONFIG,
) -> None:
    """Write themes and zones, all or nothing. Running it twice changes nothing."""
    document = read_text(file)
    drawn = None if areas is None else read_text(areas)

    async def write(desk: Desk) -> ImportReport:
        def work(conn: Connection) -> ImportReport:
            report = import_catalogue(conn, document, drawn, archive_missing=archive_missing)
            if report.problems or dry_run:
                raise _Undone(report)
            if ChannelName.X in desk.intake.channels:  # the town's account tells every theme
                town = load_catalogue(conn, desk.principal.authority)
                crier.appoint(conn, town, desk.clock.now())
            changes = {"created": len(report.created), "updated": len(report.updated)}
            _journal(conn, desk, {**changes, "archived": len(report.archived)})
            return report

        return await desk.ledger.transact(work)

    try:
        report = at_desk(config, write)
    except _Undone as undone:
        report = undone.report
    if report.problems:
        raise Refusal("\n".join(problem.en for problem in report.problems))
    typer.echo("\n".join(_changes(report, dry_run)))


def _journal(conn: Connection, desk: Desk, detail: Mapping[str, int]) -> None:
    who = desk.principal
    now = desk.clock.now()
    record(conn, now, who.name, "import", "catalogue", authority=who.authority, detail=detail)


def _changes(report: ImportReport, dry_run: bool) -> Iterator[str]:
    for what, keys in (
        ("created", report.created),
        ("updated", report.updated),
        ("archived", report.archived),
    ):
        yield from (f"{what:8}  {key}" for key in keys)
    yield f"{report.unchanged} unchanged." + (" Nothing was written." if dry_run else "")


@_catalogue.command()
def show(config: Config = CONFIG) -> None:
    """Print both trees, with the keys that --theme and --zone take."""

    async def read(desk: Desk) -> str:
        catalogue = await desk.catalogue()
        return "\n".join(_trees(catalogue, desk.settings.hub.language))

    typer.echo(at_desk(config, read))


@_catalogue.command()
def export(
    areas: Annotated[
        Path | None, typer.Option(metavar="FILE.geojson", help="Write the outlines there.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Print themes and zones as `hub catalogue import` takes them: what officers changed too."""

    async def read(desk: Desk) -> Catalogue:
        return await desk.catalogue()

    town = at_desk(config, read)
    if areas is not None:
        areas.write_text(as_geojson(town), encoding="utf-8")
    typer.echo(as_toml(town), nl=False)


def _trees(catalogue: Catalogue, language: str) -> Iterator[str]:
    yield f"{catalogue.name} ({catalogue.key})"
    yield "themes"
    yield from _tree(list(catalogue.themes.values()), None, language)
    yield "zones"
    yield from _tree(list(catalogue.zones.values()), None, language)


def _tree(
    entries: Sequence[Theme | Zone], parent: int | None, language: str, depth: int = 1
) -> Iterator[str]:
    for entry in entries:
        if entry.parent == parent:
            marks = (
                [entry.level, "" if entry.area else "no area"] if isinstance(entry, Zone) else []
            )
            marks += ["archived"] if entry.archived else []
            said = ", ".join(filter(None, marks))
            yield f"{'  ' * depth}{entry.key}  {entry.name(language)}{said and f'  ({said})'}"
            yield from _tree(entries, entry.id, language, depth + 1)
