# SPDX-License-Identifier: EUPL-1.2
"""Prints what an announcement would become (`looking_ahead`), for eyes or for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, assert_never

from channels.base import ChannelName, EmailText, PostText, PushText, SmsText
from hub.cli.layout import table
from hub.flow.foresight.audience_ahead import Audience
from hub.flow.foresight.looking_ahead import Ahead, Leaving, Month
from hub.flow.send.budget import MILLION
from subscribers.catalogue import Catalogue
from templates.preview import EmailFigures, PostFigures, Preview, PushFigures, SmsFigures


@dataclass(frozen=True, slots=True)
class Forecast:
    """All of whose texts can leave: `Intake.check` let them pass."""

    ahead: Ahead
    catalogue: Catalogue
    month: Month | None = None

    @property
    def audience(self) -> Audience:
        """Whom it is for."""
        return self.ahead.audience


# --------------------------------------------------------------------------- for people


def lines(found: Forecast) -> Iterator[str]:
    """The whole forecast, for eyes."""
    people = found.audience.people
    yield f"{people:,} {'person' if people == 1 else 'people'}; nothing was written."
    yield ""
    yield from _channels(found.audience)
    yield ""
    yield from _zones(found)
    for each in found.ahead.leaving:
        yield ""
        yield from _text(each)
    yield ""
    yield f"Estimated cost: {_total(found)}"
    channels = {each.channel for each in found.audience.going}
    if found.month is not None and ChannelName.X in channels:
        yield f"{_month(found.month)}."


def _month(month: Month) -> str:
    posts = f"{month.spent.posts:,} of {month.limits.posts or 'any'} posts"
    cost = f"{month.spent.cost / MILLION:,.2f} of {month.limits.money or 'any'} USD"
    return f"X this month: {posts}, {cost}"


def _channels(audience: Audience) -> Iterator[str]:
    heading = (
        *("channel", "messages", "held", "in a digest", "same address"),
        *("paused", "unverified", "suspended", "no address"),
    )
    rows = [
        (
            *(str(each.channel), each.messages, each.held, each.digested, each.same_address),
            *(each.paused, each.missed.unverified, each.missed.suspended),
            each.missed.no_contact_point,
        )
        for each in audience.going
    ]
    return table([heading, *rows])


def _zones(found: Forecast) -> Iterator[str]:
    """In the order of the catalogue, the whole town first."""
    by_zone = found.audience.by_zone
    zones = found.catalogue.zones.values()
    rows = [(zone.name("en"), by_zone[zone.key]) for zone in zones if zone.key in by_zone]
    if "" in by_zone:
        rows.insert(0, ("the whole town", by_zone[""]))
    return table([("asked for", "people"), *rows]) if rows else iter(())


def _text(each: Leaving) -> Iterator[str]:
    preview = _preview(each)
    size = f"{each.copies:,} x {_size(preview)}"
    yield f"{each.channel}, {each.language}: {size}: {_amount(each.cost, each.currency)}"
    match preview.figures:
        case SmsFigures() as figures if figures.costly:
            instead = (
                f"{c.character!r} x{c.count} -> "
                + ("nothing" if c.replacement is None else repr(c.replacement))
                for c in figures.costly
            )
            yield f"  dear characters: {', '.join(instead)}"
            share = figures.economical.count / figures.segments.count
            cheaper = None if each.cost is None else round(each.cost * share)
            size = _segments(figures.economical.count)
            yield f"  without them: {size}: {_amount(cheaper, each.currency)}"
        case PushFigures(title_cut=True) | PushFigures(body_cut=True):
            yield "  phones cut it as shown"
        case EmailFigures() as figures if figures.subject_length > figures.advised:
            yield f"  inboxes show {figures.advised} characters of the subject"
        case _:
            pass
    for said in _said(preview):
        yield from (f"  | {line}" for line in said.rstrip("\n").split("\n"))


def _preview(each: Leaving) -> Preview:
    assert each.preview is not None  # printed by `Intake.check` a moment ago
    return each.preview


def _amount(cost: int | None, currency: str) -> str:
    return "price not set" if cost is None else f"{cost / MILLION:,.2f} {currency}"


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
    said = [_amount(amount, currency) for currency, amount in found.ahead.costs.items()]
    unpriced = sorted(map(str, found.ahead.unpriced))
    said += [f"price not set for {', '.join(unpriced)}"] if unpriced else []
    return "; ".join(said)


# --------------------------------------------------------------------------- for programs


def document(found: Forecast) -> dict[str, Any]:
    """The whole forecast as JSON. Costs are null where no price is set."""
    month = found.month
    return {
        "people": found.audience.people,
        "month": None if month is None else asdict(month),
        "channels": {
            each.channel: {
                "messages": each.messages,
                "held": each.held,
                "in_a_digest": each.digested,
                "same_address": each.same_address,
                "not_reached": {**asdict(each.missed), "paused": each.paused},
            }
            for each in found.audience.going
        },
        "zones": dict(found.audience.by_zone),
        "texts": [
            {
                "channel": each.channel,
                "language": each.language,
                "messages": each.copies,
                "cost": None if each.cost is None else each.cost / MILLION,
                "currency": each.currency,
                "figures": asdict(_preview(each).figures),
                "text": asdict(_preview(each).rendered.text),
            }
            for each in found.ahead.leaving
        ],
    }
