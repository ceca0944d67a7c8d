# SPDX-License-Identifier: EUPL-1.2
"""What a key or a source may publish, as options and as lines; by default it waits for approval."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from channels.base import Urgency
from hub.cli.desk import Desk
from hub.cli.layout import table
from hub.cli.options import Refusal
from hub.flow.accept.credentials import Scope

Themes = Annotated[
    list[str] | None,
    typer.Option(
        "--theme", metavar="KEY", help="Only this theme and all below it; repeat it. None: all."
    ),
]
Highest = Annotated[
    Urgency, typer.Option("--highest-urgency", help="The most urgent it may publish.")
]
MayPublish = Annotated[
    bool,
    typer.Option("--may-publish", help="Publish without anybody's approval; by default it waits."),
]


async def scope_of(desk: Desk, themes: list[str] | None, highest: Urgency, may: bool) -> Scope:
    """The scope that was asked for. Raises `Refusal` for a theme the town does not have."""
    known = (await desk.catalogue()).themes_by_key
    for key in themes or ():
        if key not in known or known[key].archived:
            raise Refusal(f"There is no theme '{key}'; hub catalogue show lists them.")
    return Scope(tuple(dict.fromkeys(themes)) if themes else None, highest, may)


def listed(rows: Iterable[Any], name: str) -> Iterator[str]:
    """Keys or sources, one a line; `name` is the column they are known by."""
    heading = (name, "themes", "up to", "publishes", "created", "revoked")
    return table(
        [
            heading,
            *(
                (
                    row[name],
                    *_rights(row),
                    f"{row['created']:%Y-%m-%d}",
                    f"{row['revoked']:%Y-%m-%d}" if row["revoked"] else "",
                )
                for row in rows
            ),
        ]
    )


def _rights(row: Any) -> tuple[str, str, str]:
    if row.get("may_enrol"):
        return "", "", "nothing (a desk)"
    return (
        "all" if row["themes"] is None else " ".join(row["themes"]),
        str(row["highest_urgency"]),
        "itself" if row["may_publish"] else "after approval",
    )
