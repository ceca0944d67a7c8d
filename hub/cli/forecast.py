# SPDX-License-Identifier: EUPL-1.2
"""What an announcement would become, by the functions that send it: people, texts, cost."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection

from channels.base import ChannelName, EmailText, PostText, PushText, SmsText
from hub.announcement import Announcement
from hub.cli.layout import table
from hub.driving import limits_of
from hub.flow.planning.reach import query_for
from hub.flow.send.budget import MILLION, Limits
from hub.flow.site import Press
from hub.ledger.spending import Spent, spent
from hub.reports.estimate import Prices, cost_of_one, readers
from hub.settings import Settings
from subscribers.audience import AudienceCounts, counts
from subscribers.catalogue import Catalogue
from templates.preview import EmailFigures, PostFigures, Preview, PushFigures, SmsFigures
from templates.render import choose


@dataclass(frozen=True, slots=True)
class Leaving:
    """One text and the messages that carry it; `cost` is None where no price is set."""

    channel: ChannelName
    language: str
    messages: int
    preview: Preview
    cost: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class Month:
    """What posts on X have cost this month, and what they may cost."""

    spent: Spent
    limits: Limits

    def __str__(self) -> str:
        posts = f"{self.spent.posts:,} of {self.limits.posts or 'any'} posts"
        cost = f"{self.spent.cost / MILLION:,.2f} of {self.limits.money or 'any'} USD"
        return f"X this month: {posts}, {cost}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """People, each counted once; by channel and zone; and every text in every language."""

    counts: AudienceCounts
    leaving: tuple[Leaving, ...]
    catalogue: Catalogue
    month: Month | None = None


def month_of(conn: Connection, settings: Settings, now: datetime) -> Month | None:
    """What X has cost this month; None where nothing bounds it."""
    limits = limits_of(settings)
    if limits is None:
        return None
    return Month(spent(conn, ChannelName.X, limits.month(now)), limits)


def forecast(
    conn: Connection,
    announcement: Announcement,
    catalogue: Catalogue,
    press: Press,
    prices: Mapping[ChannelName, Prices],
) -> Forecast:
    """Look ahead; nothing is written. The announcement is one that `Intake.check` let pass."""
    queries = {name: query_for(announcement, name, catalogue) for name in announcement.channels}
    leaving: list[Leaving] = []
    for name, query in queries.items():
        messages = dict.fromkeys(announcement.contents, 0)
        for language, n in readers(conn, query).items():
            messages[choose(announcement.contents, language, catalogue.language).language] += n
        for language, n in messages.items():
            head = press.head(announcement, catalogue, language)
            preview = press.composer.preview(name, announcement.contents[language], head)
            assert isinstance(preview, Preview)  # printed by `Intake.check` a moment ago
            one = cost_of_one(preview.rendered.text, prices[name])
            cost = None if one is None else one * n
            leaving.append(Leaving(name, language, n, preview, cost, prices[name].currency))
    return Forecast(counts(conn, list(queries.values())), tuple(leaving), catalogue)


# --------------------------------------------------------------------------- for people


def lines(found: Forecast) -> Iterator[str]:
    """The whole forecast, for eyes."""
    people = found.counts.people
    yield f"{people:,} {'person' if people == 1 else 'people'}; nothing was written."
    yield ""
    yield from _channels(found.counts)
    yield ""
    yield from _zones(found)
    for each in found.leaving:
        yield ""
        yield from _text(each)
    yield ""
    yield f"Estimated cost: {_total(found)}"
    if found.month is not None and ChannelName.X in found.counts.deliveries:
        yield f"{found.month}."


def _channels(counted: AudienceCounts) -> Iterator[str]:
    heading = ("channel", "messages", "same address", "unverified", "suspended", "no address")
    rows = [
        (
            str(name),
            messages,
            counted.duplicates[name],
            counted.unreached[name].unverified,
            counted.unreached[name].suspended,
            counted.unreached[name].no_contact_point,
        )
        for name, messages in counted.deliveries.items()
    ]
    return table([heading, *rows])


def _zones(found: Forecast) -> Iterator[str]:
    """In the order of the catalogue, the whole town first."""
    by_zone = found.counts.by_zone
    names = {zone.id: zone.name("en") for zone in found.catalogue.zones.values()}
    rows = [(names[zone], by_zone[zone]) for zone in names if zone in by_zone]
    if None in by_zone:
        rows.insert(0, ("the whole town", by_zone[None]))
    return table([("asked for", "people"), *rows]) if rows else iter(())


def _text(each: Leaving) -> Iterator[str]:
    size = f"{each.messages:,} x {_size(each.preview)}"
    yield f"{each.channel}, {each.language}: {size}: {_amount(each.cost, each.currency)}"
    match each.preview.figures:
        case SmsFigures() as figures if figures.costly:
            instead = (
                f"{c.character!r} x{c.count} -> "
                + ("nothing" if c.replacement is None else repr(c.replacement))
                for c in figures.costly
            )
            yield f"  dear characters: {', '.join(instead)}"
            share = figures.economical.count / figures.segments.count
            cheaper = None if each.cost is None else each.cost * share
            size = _segments(figures.economical.count)
            yield f"  without them: {size}: {_amount(cheaper, each.currency)}"
        case PushFigures(title_cut=True) | PushFigures(body_cut=True):
            yield "  phones cut it as shown"
        case EmailFigures() as figures if figures.subject_length > figures.advised:
            yield f"  inboxes show {figures.advised} characters of the subject"
        case _:
            pass
    for said in _said(each.preview):
        yield from (f"  | {line}" for line in said.rstrip("\n").split("\n"))


def _amount(cost: float | None, currency: str) -> str:
    return "price not set" if cost is None else f"{cost:,.2f} {currency}"


def _segments(count: int) -> str:
    return f"{count} segment{'' if count == 1 else 's'}"


def _size(preview: Preview) -> str:
    match preview.figures:
        case SmsFigures(segments=found):
            return f"{_segments(found.count)} ({found.encoding}, {found.units} units)"
        case PostFigures(weights=weights, limit=limit):
            return (
                f"{len(weights)} post{'' if len(weights) == 1 else 's'} ("
                + ", ".join(f"{weight} of {limit}" for weight in weights)
                + ")"
            )
        case EmailFigures(subject_length=length):
            return f"1 e-mail (subject of {length} characters)"
        case PushFigures() as found:
            return f"1 notification ({found.bytes:,} of {found.limit:,} bytes)"
        case _:  # pragma: no cover
            assert_never(preview.figures)


def _said(preview: Preview) -> tuple[str, ...]:
    """The words as they will be read."""
    match preview.rendered.text:
        case SmsText(body=body):
            return (body,)
        case PostText(posts=posts):
            return posts
        case EmailText(subject=subject, text=text):
            return (subject, "", text)
        case PushText():
            assert isinstance(preview.figures, PushFigures)
            return (preview.figures.title, preview.figures.body)
        case _:  # pragma: no cover
            assert_never(preview.rendered.text)


def _total(found: Forecast) -> str:
    sums: dict[str, float] = {}
    for each in found.leaving:
        if each.cost is not None:
            sums[each.currency] = sums.get(each.currency, 0.0) + each.cost
    unpriced = sorted({str(each.channel) for each in found.leaving if each.cost is None})
    said = [_amount(amount, currency) for currency, amount in sums.items()]
    said += [f"price not set for {', '.join(unpriced)}"] if unpriced else []
    return "; ".join(said)


# --------------------------------------------------------------------------- for programs


def document(found: Forecast) -> dict[str, Any]:
    """The whole forecast as JSON. Costs are null where no price is set."""
    counted = found.counts
    zones = found.catalogue.zones
    month = found.month
    return {
        "people": counted.people,
        "month": None if month is None else asdict(month),
        "channels": {
            name: {
                "messages": n,
                "same_address": counted.duplicates[name],
                "not_reached": asdict(counted.unreached[name]),
            }
            for name, n in counted.deliveries.items()
        },
        "zones": {
            "" if zone is None else zones[zone].key: n for zone, n in counted.by_zone.items()
        },
        "texts": [
            {
                "channel": each.channel,
                "language": each.language,
                "messages": each.messages,
                "cost": each.cost,
                "currency": each.currency,
                "figures": asdict(each.preview.figures),
                "text": asdict(each.preview.rendered.text),
            }
            for each in found.leaving
        ],
    }
