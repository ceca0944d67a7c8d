# SPDX-License-Identifier: EUPL-1.2
"""`hub announce`: publish an announcement, or see beforehand what it would become."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.cli.desk import Desk, at_desk, refusing
from hub.cli.files import read_bytes
from hub.cli.forecast import Forecast, document, lines
from hub.cli.options import CONFIG, Config, Refusal
from hub.driving import limits_of
from hub.flow.accept.intake import Accepted
from hub.flow.accept.submission import Submission, iso, parse, read_json
from hub.flow.foresight.looking_ahead import looking_ahead, month_of
from hub.tariff import prices_of
from templates.content import Kind

Title = Annotated[str | None, typer.Option(help="One line, at most 200 characters.")]
Body = Annotated[str | None, typer.Option(help="The message, in Markdown.")]
File = Annotated[
    str | None,
    typer.Option(help="The announcement as JSON, as the API takes it; - reads standard input."),
]
Themes = Annotated[
    list[str] | None, typer.Option("--theme", metavar="KEY", help="A theme; repeat it.")
]
Zones = Annotated[
    list[str] | None,
    typer.Option("--zone", metavar="KEY", help="A zone; repeat it. None: the whole town."),
]
Area = Annotated[
    str | None, typer.Option("--polygon", metavar="FILE.geojson", help="An area drawn on a map.")
]
Level = Annotated[Urgency | None, typer.Option(help="How much it may disturb.")]
Channels = Annotated[
    list[ChannelName] | None,
    typer.Option(
        "--channel",
        metavar="sms|email|x|webpush",
        help="Only on this channel; repeat it. None: on all.",
    ),
]
Moment = Annotated[
    str | None, typer.Option(metavar="TIME", help="RFC 3339, such as 2026-11-26T08:00:00+01:00.")
]
Short = Annotated[str | None, typer.Option(help="Replaces the body where room is dear: SMS, X.")]
Link = Annotated[str | None, typer.Option(help="More about it, https.")]
Language = Annotated[str | None, typer.Option(help="The language of title, body and short.")]
Follows = Annotated[
    Kind | None, typer.Option("--kind", help="What it is to the announcement named in --about.")
]
About = Annotated[str | None, typer.Option(metavar="ID", help="The announcement it follows.")]
Thread = Annotated[
    bool | None, typer.Option("--thread", help="On X, a long text becomes a thread.")
]
PostLink = Annotated[
    bool | None,
    typer.Option("--post-link/--no-post-link", help="On X, with the link to the page (dearer)."),
]
Draft = Annotated[bool, typer.Option("--draft", help="To be approved, instead of published.")]
Key = Annotated[
    str | None, typer.Option(help="Idempotency key: the same key never publishes twice.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write nothing; show people, texts, segments and cost.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("announce")(announce)


def announce(  # noqa: PLR0917 (typer calls it by name)
    context: typer.Context,
    title: Title = None,  # the options named like fields are read from the context
    body: Body = None,
    file: File = None,
    themes: Themes = None,
    zones: Zones = None,
    area: Area = None,
    urgency: Level = None,
    channels: Channels = None,
    publish_at: Moment = None,
    expires: Moment = None,
    short: Short = None,
    link: Link = None,
    language: Language = None,
    kind: Follows = None,
    about: About = None,
    thread: Thread = None,
    post_link: PostLink = None,
    draft: Draft = False,
    key: Key = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    config: Config = CONFIG,
) -> None:
    """Publish an announcement; it is kept once this says so.

    Options replace what --file says. With the daemon stopped, what is accepted leaves at its start.
    """
    fields = {
        name: context.params[name] for name in Submission.model_fields.keys() & context.params
    }
    with refusing():
        asked = _asked(file, area, fields)

    async def act(desk: Desk) -> str:
        if not desk.intake.channels:
            raise Refusal("No channel is configured: nobody would be told. See hub.toml.")
        if dry_run:
            return await _foreseen(desk, asked, as_json)
        return await _accepted(desk, asked, draft, key, as_json)

    typer.echo(at_desk(config, act))


def _asked(file: str | None, area: str | None, fields: Mapping[str, Any]) -> Submission:
    """What the file says, replaced by the options that were given. Raises `RefusedError`."""
    said = {} if file is None else read_json(read_bytes(file))
    if isinstance(said, dict):  # anything else is refused by `parse`
        said |= {name: value for name, value in fields.items() if value not in (None, [], ())}
        if area is not None:
            said["polygon"] = _geometry(read_json(read_bytes(area)))
    return parse(said)


def _geometry(drawn: Any) -> Any:
    """The polygon inside what map editors write around it: a feature, or a collection of one."""
    if isinstance(drawn, dict) and drawn.get("type") == "FeatureCollection":
        features = drawn.get("features")
        drawn = features[0] if isinstance(features, list) and len(features) == 1 else drawn
    if isinstance(drawn, dict) and drawn.get("type") == "Feature":
        return drawn.get("geometry")
    return drawn


async def _foreseen(desk: Desk, asked: Submission, as_json: bool) -> str:
    announcement = await desk.intake.check(asked, desk.principal)
    catalogue, prices = await desk.catalogue(), prices_of(desk.settings)
    limits, now = limits_of(desk.settings), desk.clock.now()

    def read(conn: Connection) -> Forecast:
        ahead = looking_ahead(conn, announcement, catalogue, desk.press, prices=prices, now=now)
        return Forecast(ahead, catalogue, month_of(conn, limits, now))

    found = await desk.ledger.read(read)
    if as_json:
        return json.dumps(document(found), ensure_ascii=False, indent=2)
    return "\n".join(lines(found))


async def _accepted(
    desk: Desk, asked: Submission, draft: bool, key: str | None, as_json: bool
) -> str:
    principal = replace(desk.principal, may_publish=not draft)
    accepted = await desk.intake.accept(asked, principal, key=key)
    page = desk.press.site.page(accepted.announcement.code)
    if as_json:
        return json.dumps(_document(accepted, page), ensure_ascii=False, indent=2)
    again = " It had been accepted before; nothing new was written." if accepted.repeated else ""
    return f"{standing(accepted.announcement)}{again}\n{page}"


def standing(announcement: Announcement) -> str:
    """Where an announcement stands, in one sentence."""
    code = announcement.code
    match announcement.state:
        case State.TO_APPROVE:
            return f"{code} waits for approval: hub approve {code}"
        case State.SCHEDULED:
            return f"{code} leaves at {iso(announcement.publish_at)}."
        case _:
            return f"{code} is {announcement.state}."


def _document(accepted: Accepted, page: str) -> dict[str, Any]:
    announcement = accepted.announcement
    return {
        "id": announcement.code,
        "state": announcement.state,
        "urgency": announcement.urgency,
        "channels": list(announcement.channels),
        "publish_at": iso(announcement.publish_at),
        "expires": iso(announcement.expires),
        "page_url": page,
        "repeated": accepted.repeated,
    }
