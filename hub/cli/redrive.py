# SPDX-License-Identifier: EUPL-1.2
"""`hub redrive` and `hub parked`: what waits for a human, and what they decide."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer

from channels.base import Reason
from hub.cli.desk import Desk, at_desk
from hub.cli.layout import table
from hub.cli.options import CONFIG, Config, Refusal
from hub.flow.operating import Operating
from hub.flow.redrive import Choice, Redriven
from hub.reports.parked import ParkedGroup, parked_groups, parked_ids
from templates.pages.wording import channel_name, reason_sentence

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
_MOST_IDS: Final = 10_000


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("redrive")(redrive)
    app.command("parked")(parked)


def operating(desk: Desk) -> Operating:
    """What an operator may do; the daemon notices by itself."""
    return Operating(desk.ledger, desk.clock, lambda: None)


def redrive(  # noqa: PLR0917 (its options)
    code: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of one announcement.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of all announcements.")] = False,
    reason: Annotated[
        Reason | None,
        typer.Option(help="Only those of this reason; what failed for it is sent again too."),
    ] = None,
    delivery: Annotated[
        int | None, typer.Option(min=1, max=2**62, help="This one alone, parked or failed.")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What failed is sent again too, whatever its reason.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="End what is parked as failed, instead of sending it.")
    ] = False,
    as_json: AsJson = False,
    config: Config = CONFIG,
) -> None:
    """Send parked messages again.

    Beware: a message parked because its outcome is unknown may have left already. Where the
    provider can be asked, it is asked first; elsewhere its reader may get it twice. The journal
    keeps who decided.
    """
    named = code is not None or reason is not None or delivery is not None
    if named is everything:
        raise Refusal("Name one announcement, a reason or a delivery, or give --all.")
    if failed and abandon:
        raise Refusal("What failed has ended already: --abandon is for what is parked.")
    choice = Choice(code, reason, delivery, failed, abandon)
    moved = at_desk(config, lambda desk: operating(desk).redrive(choice, desk.principal))
    if as_json:
        told = {"rows": moved.rows, "maybe_sent": moved.maybe_sent, "abandoned": abandon}
        typer.echo(json.dumps(told))
    else:
        typer.echo(_sentence(choice, moved))


def _sentence(choice: Choice, moved: Redriven) -> str:
    if not moved.rows:
        return "None is parked." if len(choice.states) == 1 else "None is parked or failed."
    done = "given up" if choice.abandon else "on the way again"
    doubt = f"; {moved.maybe_sent:,} of them may already have left" if moved.maybe_sent else ""
    kind = "parked" if len(choice.states) == 1 else "parked or failed"
    return f"{moved.rows:,} {kind} message{'' if moved.rows == 1 else 's'} {done}{doubt}."


def parked(
    ids: Annotated[
        bool, typer.Option("--ids", help="One line a message, for hub redrive --delivery.")
    ] = False,
    as_json: AsJson = False,
    config: Config = CONFIG,
) -> None:
    """Show what waits for your decision, by announcement, channel and reason."""
    for line in at_desk(config, lambda desk: _parked(desk, ids, as_json)):
        typer.echo(line)


async def _parked(desk: Desk, ids: bool, as_json: bool) -> Sequence[str]:
    authority, language = desk.principal.authority, desk.settings.hub.language
    if ids:
        rows = await desk.ledger.read(lambda conn: parked_ids(conn, authority, _MOST_IDS))
        if as_json:
            named = [dict(zip(("delivery", "id", "reason"), row, strict=True)) for row in rows]
            return [json.dumps(named)]
        return [f"{number}  {code}  {reason}" for number, code, reason in rows] or [_NONE]
    groups = await desk.ledger.read(lambda conn: parked_groups(conn, authority))
    if as_json:
        return [json.dumps([_document(each, language) for each in groups], ensure_ascii=False)]
    return list(_lines(groups, language)) if groups else [_NONE]


_NONE: Final = "None is parked."


def _lines(groups: Sequence[ParkedGroup], language: str) -> Iterator[str]:
    yield from table(
        [
            (
                each.code,
                channel_name(each.channel, language),
                each.rows,
                str(each.reason),
                reason_sentence(each.reason, language),
            )
            for each in groups
        ]
    )
    yield "hub redrive ID sends them again, with --abandon gives them up."


def _document(each: ParkedGroup, language: str) -> dict[str, object]:
    return {
        "id": each.code,
        "channel": each.channel,
        "reason": each.reason,
        "sentence": reason_sentence(each.reason, language),
        "count": each.rows,
    }
