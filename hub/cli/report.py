# SPDX-License-Identifier: EUPL-1.2
"""`hub report`: what became of an announcement, by channel, state and reason."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from channels.base import Reason
from hub.cli.desk import Desk, at_desk
from hub.cli.layout import span, table
from hub.cli.options import CONFIG, Config
from hub.delivery import DeliveryState
from hub.flow.accept.submission import iso
from hub.reports.progress import ChannelProgress
from hub.reports.shown import shown_state
from hub.reports.summary import Reach, Summary, reach, summary
from templates.pages.moments import in_zone, short
from templates.pages.wording import ShownState, channel_name, reason_sentence, state_label


class Language(StrEnum):
    """The languages a report speaks."""

    FR = "fr"
    EN = "en"


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "published": "Published {at}.",
        "finished": "Finished {at}, after {span}.",
        "elapsed": "Running for {span}.",
        "unpublished": "Not published yet.",
        "heading": "channel planned handed-over received waiting parked failed not-sent",
        "total": "all",
        "planning": "{channel}: more is still being planned.",
        "sum": "{planned} planned = {handed_over} handed over + {waiting} waiting + "
        "{parked} parked + {failed} failed + {not_sent} not sent",
        "reach": "{reached} of {people} people reached; half of the messages within {median}, "
        "95 % within {slowest}.",
        "elsewhere": "Sent by another channel, for want of certain arrival on the first: {n}.",
        "nobody": "None of {people} people reached yet.",
        "parked": "Parked messages wait for you: hub redrive {code} (some may already have left), "
        "or hub redrive {code} --abandon.",
    },
    "fr": {
        "published": "Publiée le {at}.",
        "finished": "Terminée le {at}, au bout de {span}.",
        "elapsed": "En cours depuis {span}.",
        "unpublished": "Pas encore publiée.",
        "heading": "canal prévus remis reçus en-attente à-décider échecs non-envoyés",
        "total": "tous",
        "planning": "{channel} : la liste n'est pas encore complète.",
        "sum": "{planned} prévus = {handed_over} remis + {waiting} en attente + "
        "{parked} à décider + {failed} échecs + {not_sent} non envoyés",
        "reach": "{reached} personnes sur {people} jointes ; la moitié des messages en {median}, "
        "95 % en {slowest}.",
        "elsewhere": "Envoyés par un autre canal, faute d'arrivée certaine sur le premier : {n}.",
        "nobody": "Personne n'est encore joint, sur {people}.",
        "parked": "Des messages attendent votre décision : hub redrive {code} (certains sont "
        "peut-être partis), ou hub redrive {code} --abandon.",
    },
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report")(report)


def report(
    code: Annotated[str, typer.Argument(metavar="ID", help="The announcement's id.")],
    language: Annotated[
        Language | None, typer.Option(help="Of the sentences; by default the town's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    config: Config = CONFIG,
) -> None:
    """Print what became of an announcement, by channel and reason. Nobody's address is shown."""
    typer.echo(at_desk(config, lambda desk: _report(desk, code, language, as_json)))


async def _report(desk: Desk, code: str, language: Language | None, as_json: bool) -> str:
    found = await desk.intake.find(code, desk.principal)

    def read(conn: Connection) -> tuple[Summary, Reach]:
        return summary(conn, found.id, desk.clock.now()), reach(conn, found)

    told, reached = await desk.ledger.read(read)
    spoken = language or desk.settings.hub.language
    if as_json:
        return json.dumps(_document(told, reached, spoken), ensure_ascii=False, indent=2)
    zone = ZoneInfo(desk.settings.hub.timezone)
    return "\n".join(_lines(told, reached, spoken, zone))


# --------------------------------------------------------------------------- for people


def _lines(told: Summary, reached: Reach, language: str, zone: ZoneInfo) -> Iterator[str]:
    words, announcement = _WORDS[language], told.announcement
    first = next(iter(announcement.contents.values()))
    yield f"{announcement.code}  {first.title}"
    yield f"{announcement.urgency}, {announcement.state}"
    yield from _times(told, language, zone)
    if not told.channels:
        return
    yield ""
    rows = [(channel_name(each.channel, language), *_columns(each)) for each in told.channels]
    total = tuple(sum(row[i] for row in map(_columns, told.channels)) for i in range(7))
    yield from table([words["heading"].split(), *rows, (words["total"], *total)])
    names = ("planned", "handed_over", "received", "waiting", "parked", "failed", "not_sent")
    yield words["sum"].format_map(dict(zip(names, total, strict=True)))
    if reached.median is not None and reached.slowest_in_twenty is not None:
        times = {"median": span(reached.median), "slowest": span(reached.slowest_in_twenty)}
        yield words["reach"].format(people=reached.people, reached=reached.reached, **times)
    elif reached.people:
        yield words["nobody"].format(people=reached.people)
    if told.elsewhere:
        yield words["elsewhere"].format(n=told.elsewhere)
    for each in told.channels:
        yield from _outcomes(each, language)
    if any(each.parked for each in told.channels):
        yield ""
        yield words["parked"].format(code=announcement.code)


def _times(told: Summary, language: str, zone: ZoneInfo) -> Iterator[str]:
    words, published = _WORDS[language], told.announcement.published
    if published is None or told.elapsed is None:
        yield words["unpublished"]
        return
    yield words["published"].format(at=short(in_zone(published, zone), language))
    if told.finished is None:
        yield words["elapsed"].format(span=span(told.elapsed))
    else:
        at = short(in_zone(told.finished, zone), language)
        yield words["finished"].format(at=at, span=span(told.elapsed))


def _columns(each: ChannelProgress) -> tuple[int, int, int, int, int, int, int]:
    """What the heading names, in its order."""
    ended = (each.parked, each.failed, each.not_sent)
    return (each.total, each.handed_over, each.received, each.waiting, *ended)


def _outcomes(each: ChannelProgress, language: str) -> Iterator[str]:
    yield ""
    yield channel_name(each.channel, language)
    if each.planning:
        name = channel_name(each.channel, language)
        yield _WORDS[language]["planning"].format(channel=name)
    counted = _told_apart(each)
    width = max((len(f"{n:,}") for n in counted.values()), default=0)
    for (state, reason), n in counted.items():
        sentence = f" {reason_sentence(reason, language)}" if reason else ""
        yield f"  {n:>{width},}  {state_label(state, language)}.{sentence}"


def _told_apart(each: ChannelProgress) -> Mapping[tuple[ShownState, Reason | None], int]:
    """The deliveries by what people call their state, and by reason; most frequent first."""
    plain = dict(each.states)
    counted: dict[tuple[ShownState, Reason | None], int] = {}
    for (state, reason), n in each.reasons.items():
        plain[state] -= n
        shown = shown_state(each.channel, state, reason)
        counted[shown, reason] = counted.get((shown, reason), 0) + n
    for state, n in plain.items():
        if n:
            shown = shown_state(each.channel, state, None)
            counted[shown, None] = counted.get((shown, None), 0) + n
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


# --------------------------------------------------------------------------- for programs


def _document(told: Summary, reached: Reach, language: str) -> dict[str, Any]:
    announcement = told.announcement
    return {
        "id": announcement.code,
        "state": announcement.state,
        "urgency": announcement.urgency,
        "published": iso(announcement.published),
        "finished": iso(told.finished),
        "elapsed_seconds": told.elapsed.total_seconds() if told.elapsed else None,
        "approved_by": told.approved_by,
        "people": reached.people,
        "people_reached": reached.reached,
        "median_seconds": reached.median.total_seconds() if reached.median else None,
        "sent_by_another_channel": told.elsewhere,
        "channels": [_channel_document(each, language) for each in told.channels],
    }


def _channel_document(each: ChannelProgress, language: str) -> dict[str, Any]:
    names = ("planned", "handed_over", "received", "waiting", "parked", "failed", "not_sent")
    return {
        "channel": each.channel,
        "planning": each.planning,
        **dict(zip(names, _columns(each), strict=True)),
        "states": {state: each.states[state] for state in DeliveryState if state in each.states},
        "outcomes": [
            {
                "state": state,
                "reason": reason,
                "sentence": reason_sentence(reason, language) if reason else None,
                "count": n,
            }
            for (state, reason), n in _told_apart(each).items()
        ],
    }
