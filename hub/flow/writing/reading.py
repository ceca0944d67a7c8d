# SPDX-License-Identifier: EUPL-1.2
"""What an officer wrote, read as what every door hands in; each fault named by its field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from channels.base import ChannelName
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.accept.submission import Submission, parse
from hub.flow.writing import outline
from hub.flow.writing.fields import QUESTIONS, Document, other_languages, text, texts
from hub.flow.writing.moments import Slip, Written
from hub.flow.writing.outline import UnreadableOutlineError
from hub.flow.writing.said import FAULTS, SLIPS, Both
from subscribers.catalogue import Catalogue

BLANK: Final = re.compile(r"\{[\w][\w '’-]{0,39}\}")
"""A blank of a model that nobody filled in: {lieu}."""
_TITLE: Final = 200  # as `Submission` has it
_NUMBER: Final = re.compile(r"\d{1,5}")
_NAMES: Final[Mapping[str, str]] = {
    "publish_at": "date",
    "expires": "expires_date",
    "urgency": "level",
    "kind": "level",
    "about": "level",
    "language": "title",
    "sms_spelling": "spelling",
    "repeat": "every",
}
_REPEATED: Final[Mapping[str, str]] = {"at": "repeat_at", "count": "every"}


@dataclass(slots=True)
class Reading:
    """`asked` is what could be read, in the members of a `Submission`; `problems` what could not.
    A problem's pointer is that of the member."""

    asked: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, pointer: str, code: str, said: Both, **values: str) -> None:
        """One more fault."""
        fr, en = (each.format(**values) for each in said)
        self.problems.append(Problem(pointer, code, fr, en))


def to_submission(document: Document, catalogue: Catalogue, now: datetime) -> Submission:
    """What was written, as it is asked for. Raises `RefusedError` with every fault; `field_of`
    tells the field of each."""
    found = read(document, catalogue, now)
    try:
        asked = parse(found.asked)
    except RefusedError as error:
        known = {field_of(each) for each in found.problems}
        if text(document, "shape") == "six" and known & set(QUESTIONS):
            known |= {"title", "body"}  # what the unanswered questions would have made
        more = [each for each in error.problems if field_of(each) not in known]
        raise RefusedError([*found.problems, *more]) from None
    if found.problems:
        raise RefusedError(found.problems)
    return asked


def read(document: Document, catalogue: Catalogue, now: datetime) -> Reading:
    """Everything that can be read of it, and every fault."""
    found = Reading()
    _words(document, catalogue, found)
    _where(document, found)
    _themes_and_channels(document, found)
    _when(document, catalogue.timezone, now, found)
    for name in ("kind", "about"):
        if text(document, name):
            found.asked[name] = text(document, name)
    found.asked["post_link"] = bool(text(document, "post_link"))
    found.asked["thread"] = bool(text(document, "thread"))
    found.asked["sms_spelling"] = texts(document, "spelling")
    return found


def faults(problems: Sequence[Problem], language: str) -> dict[str, str]:
    """The first sentence of each field, in the order of the problems."""
    found: dict[str, str] = {}
    for each in problems:
        found.setdefault(field_of(each), each.fr if language == "fr" else each.en)
    return found


def field_of(problem: Problem) -> str:
    """The form's field that a problem is of."""
    steps = problem.pointer.split("/")[1:] or [""]
    suffix = ""
    if steps[0] == "translations" and len(steps) > 1:
        suffix, steps = f"_{steps[1]}", steps[2:] or ["title"]
    match steps:
        case ["overrides", channel]:
            name = f"override_{channel}"
        case ["repeat", member, *_]:
            name = _REPEATED.get(member, member)
        case [member, *_]:
            name = _NAMES.get(member, member) or "title"
        case _:  # pragma: no cover
            name = "title"
    return name + suffix


# --------------------------------------------------------------------------- the words


def built(document: Document, sender: str) -> tuple[str, str]:
    """The title and the text that the answers to the six questions make: they are read one after
    the other, on every channel, and say nothing twice."""
    answers = {name: text(document, name).rstrip(" .") for name in QUESTIONS}
    source = answers["six_source"]
    lead = f"{source}\u00a0: " if source and source != sender.rstrip(" .") else ""
    fact = ", ".join(filter(None, (answers["six_what"], answers["six_where"])))
    sentences = [answers[name] for name in ("six_when", "six_do", "six_check")]
    title = _capital(lead + fact)[:_TITLE] if fact else ""
    return title, " ".join(_sentence(each) for each in sentences if each)


def _sentence(answer: str) -> str:
    """An address stays as it is written: a capital or a full stop would lead elsewhere."""
    begins = answer if "://" in answer.split(" ", maxsplit=1)[0] else _capital(answer)
    return begins if "://" in answer.rsplit(" ", maxsplit=1)[-1] else f"{begins}."


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _words(document: Document, catalogue: Catalogue, found: Reading) -> None:
    asked = found.asked
    asked["language"] = catalogue.language
    asked["urgency"] = text(document, "level") or "information"
    if text(document, "link"):
        asked["link"] = text(document, "link")
    six = text(document, "shape") == "six"
    words = _said(document, "", found)
    if six:
        words["title"], words["body"] = built(document, catalogue.name)
        _unanswered(document, found)
    else:
        for member in ("title", "body"):
            if not words.get(member):
                found.refuse(f"/{member}", "missing", FAULTS[member])
    asked.update({name: said for name, said in words.items() if said})
    for language in other_languages(document):
        own = _said(document, f"_{language}", found)
        for member in ("title", "body"):
            if not own.get(member):
                found.refuse(f"/translations/{language}/{member}", "missing", FAULTS[member])
        kept = {name: said for name, said in own.items() if said}
        asked.setdefault("translations", {})[language] = kept


def _unanswered(document: Document, found: Reading) -> None:
    for name in QUESTIONS:
        answer = text(document, name)
        if not answer:
            found.refuse(f"/{name}", "missing", FAULTS[name])
        elif blank := BLANK.search(answer):
            found.refuse(f"/{name}", "blank", FAULTS["blank"], blank=blank[0])


def _said(document: Document, suffix: str, found: Reading) -> dict[str, Any]:
    """The words of one language; a blank left in them is a fault."""
    pointer = f"/translations/{suffix[1:]}" if suffix else ""
    words: dict[str, Any] = {n: text(document, n + suffix) for n in ("title", "body", "short")}
    own = {str(name): text(document, f"override_{name}{suffix}") for name in ChannelName}
    own = {name: said for name, said in own.items() if said}
    for place, said in [*words.items(), *((f"overrides/{n}", said) for n, said in own.items())]:
        if blank := BLANK.search(said):
            found.refuse(f"{pointer}/{place}", "blank", FAULTS["blank"], blank=blank[0])
    return words | ({"overrides": own} if own else {})


# --------------------------------------------------------------------------- to whom


def _themes_and_channels(document: Document, found: Reading) -> None:
    for name in ("themes", "channels"):
        chosen = list(dict.fromkeys(texts(document, name)))
        if chosen:
            found.asked[name] = chosen
        else:
            found.refuse(f"/{name}", "missing", FAULTS[name])


def _where(document: Document, found: Reading) -> None:
    zones, whole = list(dict.fromkeys(texts(document, "zones"))), bool(text(document, "whole"))
    drawn = _drawn(document, found)
    if whole and (zones or drawn):
        found.refuse("/zones", "both", FAULTS["whole_and_places"])
    if not (whole or zones or drawn or text(document, "polygon") or text(document, "circle_at")):
        found.refuse("/zones", "missing", FAULTS["zones"])
    found.asked["zones"] = zones
    if drawn is not None:
        found.asked["polygon"] = dict(drawn)


def _drawn(document: Document, found: Reading) -> outline.Geometry | None:
    written, centre = text(document, "polygon"), text(document, "circle_at")
    if written and centre:
        found.refuse("/polygon", "both", FAULTS["two_areas"])
        return None
    try:
        if written:
            return outline.read_outline(written)
        if centre:
            return outline.circle(centre, text(document, "circle_metres"))
    except UnreadableOutlineError as error:
        if centre:
            name = "circle_metres" if error.line == 2 else "circle_at"
            found.refuse(f"/{name}", "unreadable", FAULTS[name])
        elif error.line:
            found.refuse("/polygon", "unreadable", FAULTS["outline_line"], line=str(error.line))
        else:
            found.refuse("/polygon", "unreadable", FAULTS["outline"])
    return None


# --------------------------------------------------------------------------- when


def start_of(document: Document) -> Written:
    """When it is to leave, as written."""
    return Written(text(document, "date"), text(document, "time"), text(document, "again"))


def end_of(document: Document) -> Written:
    """When it is over, as written."""
    names = ("expires_date", "expires_time", "expires_again")
    return Written(*(text(document, name) for name in names))


def _when(document: Document, timezone: str, now: datetime, found: Reading) -> None:
    when = text(document, "when") or "now"
    if when == "repeat":
        _repeat(document, found)
        return
    start = _moment(start_of(document), "publish_at", timezone, found) if when == "at" else None
    if start is not None and start < now:
        shown = f"{now.astimezone(ZoneInfo(timezone)):%H:%M}"
        found.refuse("/publish_at", "past", FAULTS["past"], now=shown)
    elif start is not None:
        found.asked["publish_at"] = start
    if end_of(document).blank:
        return
    end = _moment(end_of(document), "expires", timezone, found)
    if end is not None and end <= max(start or now, now):
        found.refuse("/expires", "before_publication", FAULTS["expires"])
    elif end is not None:
        found.asked["expires"] = end


def _moment(written: Written, member: str, timezone: str, found: Reading) -> datetime | None:
    moment = written.moment(timezone)
    if isinstance(moment, Slip):
        found.refuse(f"/{member}", moment.value, SLIPS[moment])
        return None
    return moment


def _repeat(document: Document, found: Reading) -> None:
    rule: dict[str, Any] = {"every": text(document, "every") or "week"}
    for name in ("interval", "valid_hours"):
        written = text(document, name)
        if written and not _NUMBER.fullmatch(written):
            found.refuse(f"/repeat/{name}", "number", FAULTS["number"])
        elif written:
            rule[name] = int(written)
    for name, member in (("repeat_at", "at"), ("starts", "starts"), ("until", "until")):
        if text(document, name):
            rule[member] = text(document, name)
    if rule["every"] == "week" and texts(document, "weekdays"):
        rule["weekdays"] = texts(document, "weekdays")
    found.asked["repeat"] = rule
