# SPDX-License-Identifier: EUPL-1.2
"""An announcement as the form that would say the same: to repeat it, follow it up, or correct it;
and the form as the announcement it would make, finished or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.recurrence import Repeat, local_day
from hub.flow.accept.submission import MAX_TEXT
from hub.flow.writing import outline
from hub.flow.writing.fields import LISTS, Document, text
from hub.flow.writing.reading import read
from hub.ledger import recurrences
from subscribers.catalogue import Catalogue
from subscribers.geometry import PolygonProblem
from templates.content import Content, Kind
from templates.gsm import Family


def document_of(announcement: Announcement, catalogue: Catalogue) -> dict[str, Any]:
    """The fields of a form that says what this announcement says."""
    document: dict[str, Any] = {name: [] for name in LISTS}
    document |= {
        "shape": "free",
        "level": announcement.urgency.value,
        "themes": list(announcement.themes),
        "zones": list(announcement.zones),
        "whole": "" if announcement.zones or announcement.polygon else "1",
        "channels": [each.value for each in announcement.channels],
        "post_link": "1" if announcement.post_link else "",
        "thread": "1" if announcement.thread else "",
        "spelling": [each.value for each in announcement.spelling],
        "when": "at" if announcement.publish_at else "now",
        "approval": "ask",
    }
    if announcement.polygon is not None:
        document["polygon"] = outline.written_as(announcement.polygon)
    if announcement.kind is not Kind.FIRST:
        document |= {"kind": announcement.kind.value, "about": announcement.chain}
    zone = ZoneInfo(catalogue.timezone)
    document |= _clock(announcement.publish_at, zone, "")
    document |= _clock(announcement.expires, zone, "expires_")
    first = catalogue.language
    if first not in announcement.contents:
        first = next(iter(announcement.contents), first)
    for language, content in announcement.contents.items():
        document |= _words(content, "" if language == first else f"_{language}")
    return document


def rule_of(conn: Connection, announcement: Announcement, catalogue: Catalogue) -> dict[str, Any]:
    """The fields by which it comes again, as it was asked; none where it does not. The form counts
    no times: the last of them is its last day."""
    found = recurrences.by_code(conn, announcement.code, announcement.authority)
    if found is None or found.ended is not None:
        return {}
    rule, asked = Repeat.model_validate(found.rule), local_day(found.created, catalogue.timezone)
    until = rule.until
    if rule.count is not None:
        until = max((day for day, _ in rule.moments(asked, catalogue.timezone)), default=until)
    return {
        "when": "repeat",
        "every": rule.every,
        "interval": str(rule.interval),
        "weekdays": list(rule.weekdays),
        "repeat_at": rule.at,
        "starts": f"{rule.starts or asked}",
        "until": f"{until or ''}",
        "valid_hours": f"{rule.valid_hours or ''}",
    }


def _clock(moment: datetime | None, zone: ZoneInfo, prefix: str) -> dict[str, str]:
    if moment is None:
        return {}
    local = moment.astimezone(zone)
    again = "second" if local.fold else "first"
    return {
        f"{prefix}date": f"{local:%Y-%m-%d}",
        f"{prefix}time": f"{local:%H:%M}",
        f"{prefix}again": again,
    }


def _words(content: Content, suffix: str) -> dict[str, str]:
    said = {f"title{suffix}": content.title, f"body{suffix}": content.body}
    if content.short:
        said[f"short{suffix}"] = content.short
    if content.link and not suffix:
        said["link"] = content.link
    for name, words in content.overrides.items():
        said[f"override_{name}{suffix}"] = words
    return said


# --------------------------------------------------------------------------- as it would be


@dataclass(frozen=True, slots=True)
class Ground:
    """What a form is read against: the town, the channels it has, and the moment."""

    catalogue: Catalogue
    channels: Sequence[ChannelName]
    now: datetime


def as_announcement(
    document: Document, code: str, ground: Ground, *, first: Announcement | None = None
) -> Announcement:
    """What this would become if it were asked for now, as far as it was written: what cannot be
    read yet is left out, and words that are missing are empty. `first`: what `about` names."""
    asked = read(document, ground.catalogue, ground.now).asked
    catalogue = ground.catalogue
    polygon = asked.get("polygon")
    if polygon is not None and isinstance(catalogue.zones_touching(polygon), PolygonProblem):
        polygon = None
    chosen = {*asked.get("channels", ())}
    themes, zones = ((), ()) if first is None else (first.themes, first.zones)
    return Announcement(
        id=0,
        code=code,
        authority=catalogue.authority,
        kind=Kind.FIRST if first is None else Kind(text(document, "kind") or Kind.UPDATE),
        urgency=_urgency(asked["urgency"]),
        state=State.DRAFT,
        contents=_contents(asked),
        themes=_known(asked.get("themes", ()), catalogue.themes_by_key, themes),
        zones=_known(asked.get("zones", ()), catalogue.zones_by_key, zones),
        polygon=polygon,
        channels=tuple(each for each in ground.channels if each.value in chosen),
        created=ground.now,
        publish_at=asked.get("publish_at"),
        expires=asked.get("expires"),
        first=None if first is None else first.first or first.id,
        first_code=None if first is None else first.chain,
        post_link=asked["post_link"],
        thread=asked["thread"],
        spelling=tuple(each for each in Family if each.value in asked["sms_spelling"]),
    )


def _urgency(written: str) -> Urgency:
    return Urgency(written) if written in tuple(Urgency) else Urgency.INFORMATION


def _known(keys: Sequence[str], found: Any, kept: Sequence[str]) -> tuple[str, ...]:
    """Those that may be written to: of the archived ones, those of what is followed (`kept`)."""
    return tuple(k for k in keys if k in found and (k in kept or not found[k].archived))


_MOST_LANGUAGES: Final = 21  # as `Submission` has it, with the first


def _contents(asked: dict[str, Any]) -> dict[str, Content]:
    """No more of it than could be asked for: a whole book, pasted, would be laid out at each key
    while the alerts wait."""
    spoken = {asked["language"]: asked, **asked.get("translations", {})}
    return {
        language: Content(
            language,
            " ".join(words.get("title", "")[:MAX_TEXT].split()),
            words.get("body", "")[:MAX_TEXT],
            words.get("short", "")[:MAX_TEXT] or None,
            asked.get("link"),
            {ChannelName(n): said[:MAX_TEXT] for n, said in words.get("overrides", {}).items()},
        )
        for language, words in islice(spoken.items(), _MOST_LANGUAGES)
    }
