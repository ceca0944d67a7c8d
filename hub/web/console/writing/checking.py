# SPDX-License-Identifier: EUPL-1.2
"""What the check page shows: who is at it, what would leave, what it costs, what changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from channels.base import ChannelName, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.intake import UnknownAnnouncementError, visible
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.foresight.looking_ahead import Ahead, completeness_of, looking_ahead
from hub.flow.foresight.small_numbers import FEWEST, Teller
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.flow.writing import compositions, fields, four_eyes, handing_in
from hub.flow.writing.again import Again, again_of, to_come
from hub.flow.writing.compositions import Composition
from hub.flow.writing.fields import Document, is_field, text
from hub.flow.writing.four_eyes import Terms
from hub.flow.writing.publishing import Publishing
from hub.flow.writing.reading import to_submission
from hub.flow.writing.retold import Ground, as_announcement
from hub.ledger import announcements
from hub.tariff import prices_of
from hub.web.console.guard import Seat
from hub.web.console.writing.sms_month import Left, affords, leaves_at, left_of_month
from hub.web.desk import Desk, desk
from subscribers.catalogue import Catalogue, load_catalogue
from templates.completeness import Element
from templates.content import Kind

MILLION: Final = 1_000_000
_MOVED: Final = 20
"""A twentieth, 5 %: from there on another number of people is said and asked about again."""


class Mode(StrEnum):
    """What somebody may do at the check page."""

    WRITING = "writing"  # ask for approval, or send where nobody else need read it
    DECIDING = "deciding"  # approve, return, reject what somebody else wrote
    OWN = "own"  # wait for somebody else; take the request back
    READING = "reading"


@dataclass(frozen=True, slots=True)
class Checked:
    """All there is to see. `former` is the form as approval was asked for it the time before;
    `others` may approve; `alone` whether this officer may publish it without anybody; `again` when
    it comes again, which is approved with it; `since` what was published about the same event since
    it was begun."""

    mode: Mode
    announcement: Announcement
    composition: Composition | None
    catalogue: Catalogue
    problems: Sequence[Problem] = ()
    ahead: Ahead | None = None
    former: Document | None = None
    others: Sequence[Officer] = ()
    alone: bool = False
    left: Left | None = None
    complete: Mapping[str, Mapping[Element, bool]] = field(default_factory=dict)
    again: Again | None = None
    since: Sequence[Announcement] = ()

    @property
    def people(self) -> int:
        """Who would be told, each once."""
        return 0 if self.ahead is None else self.ahead.audience.people

    @property
    def misses(self) -> bool:
        """Whether an urgent text leaves out one of the six: somebody must have seen that. An
        all-clear has nothing to ask of anybody."""
        urgent = self.announcement.urgency is Urgency.URGENT
        return urgent and any(not all(found.values()) for found in self.complete.values())


def publishing_of(hub: Desk) -> Publishing:
    """What officers may do, by the operator's terms."""
    console = hub.settings.console
    terms = Terms(timedelta(seconds=console.undo_seconds), frozenset(console.alone), hub.sandbox)
    return Publishing(hub.intake, terms, lambda conn, about, cost: affords(conn, hub, about, cost))


async def checked(request: web.Request, seat: Seat) -> Checked | None:
    """What the path names, as this officer sees it; None once it was decided.

    Raises `UnknownAnnouncementError` for what is not theirs to see.
    """
    hub, code = desk(request), request.match_info["code"]
    publishing = publishing_of(hub)
    found = await hub.ledger.read(lambda conn: _read(conn, code, seat.officer, publishing))
    if found is None or found.problems:
        return found
    return await hub.ledger.read(lambda conn: _foreseen(conn, hub, found))


def _read(conn: Connection, code: str, officer: Officer, publishing: Publishing) -> Checked | None:
    composition = compositions.load(conn, code, officer)
    if composition is not None and composition.editable:
        return _written(conn, composition, officer, publishing)
    found = visible(conn, code, officer.principal(Role.READ))
    if found is None and composition is not None and composition.announcement is not None:
        found = announcements.by_id(conn, composition.announcement)
    if found is None:
        raise UnknownAnnouncementError(code)
    if found.state is not State.TO_APPROVE:
        return None
    return _asked(conn, found, officer, publishing.terms)


def _written(
    conn: Connection, composition: Composition, officer: Officer, publishing: Publishing
) -> Checked:
    catalogue = load_catalogue(conn, officer.authority)
    try:
        drawn = publishing.drawn(conn, composition, officer)
    except RefusedError as refused:
        ground = Ground(catalogue, publishing.intake.channels, publishing.intake.clock.now())
        shown = as_announcement(composition.document, composition.code, ground)
        return Checked(Mode.WRITING, shown, composition, catalogue, refused.problems)
    return Checked(
        Mode.WRITING,
        replace(drawn, code=composition.code),
        composition,
        catalogue,
        former=composition.submitted,
        others=four_eyes.others(conn, drawn, composition, catalogue),
        alone=publishing.terms.lets(officer, catalogue, drawn.themes),
        again=_repeated(composition, catalogue, publishing.intake.clock.now()),
    )


def _repeated(composition: Composition, catalogue: Catalogue, now: datetime) -> Again | None:
    """The times that its form asks for."""
    rule = to_submission(composition.document, catalogue, now).repeat
    if rule is None:
        return None
    return again_of(rule.model_dump(), composition.code, catalogue, now, now)


def _asked(conn: Connection, found: Announcement, officer: Officer, terms: Terms) -> Checked:
    catalogue = load_catalogue(conn, officer.authority)
    composition = compositions.of_announcement(conn, found.id)
    own = four_eyes.wrote(composition, officer)
    alone = own and terms.lets(officer, catalogue, found.themes)
    mode = Mode.OWN if own else Mode.READING
    if alone or (not own and four_eyes.may_decide(officer, catalogue, found.themes)):
        mode = Mode.DECIDING
    return Checked(
        mode,
        found,
        composition,
        catalogue,
        former=None if composition is None else handing_in.former_of(conn, composition),
        others=_asked_first(four_eyes.others(conn, found, composition, catalogue), composition),
        alone=alone,
    )


def _asked_first(others: Sequence[Officer], composition: Composition | None) -> Sequence[Officer]:
    """By name, but for the one whom the form asks."""
    asked = "" if composition is None else text(composition.document, "asked")
    return sorted(others, key=lambda each: str(each.id) != asked)


def _foreseen(conn: Connection, hub: Desk, found: Checked) -> Checked:
    press, now = hub.intake.press, hub.clock.now()
    prices = prices_of(hub.settings)
    ahead = looking_ahead(conn, found.announcement, found.catalogue, press, prices=prices, now=now)
    over = found.announcement.kind is Kind.ALL_CLEAR
    complete = {} if over else completeness_of(ahead, found.catalogue)
    left = left_of_month(conn, hub, found.catalogue, leaves_at(found.announcement, now))
    again = found.again
    if found.mode is not Mode.WRITING:
        again = to_come(conn, found.announcement, found.catalogue, now)
    since = _said_since(conn, found)
    return replace(found, ahead=ahead, complete=complete, left=left, again=again, since=since)


def _said_since(conn: Connection, found: Checked) -> list[Announcement]:
    """An update that waited for its approval while the all-clear was given would call it back."""
    about = found.announcement
    begun = about.created if found.composition is None else found.composition.created
    chain = announcements.chain(conn, about) if about.first is not None else ()
    return [e for e in chain if e.id != about.id and e.published and e.published > begun]


# --------------------------------------------------------------------------- what is compared


def shown_people(found: Checked, teller: Teller) -> str:
    """The number of people as the form carries it: a very small one is not told there either."""
    told = teller.count(found.people)
    return "few" if told is None else str(told)


def moved(found: Checked, shown: str) -> bool:
    """Whether the number differs by more than 5 % from the one the officer was shown."""
    if shown == "few":
        return found.people >= FEWEST
    if not (shown.isascii() and shown.isdigit() and len(shown) < 10):
        return True
    return abs(found.people - int(shown)) * _MOVED > int(shown)


def must_type(found: Checked, hub: Desk) -> bool:
    """Whether it is so large or dear that its number is typed by hand."""
    console = hub.settings.console
    costs = {} if found.ahead is None else found.ahead.costs
    dear = max(costs.values(), default=0) > round(console.type_cost * MILLION)
    return dear or found.people > console.type_people


def in_reserve(hub: Desk, seat: Seat) -> bool:
    """Whether today is within the reserve before an election."""
    console = hub.settings.console
    today = hub.clock.now().astimezone(ZoneInfo(seat.authority.timezone)).date()
    begins, ends = console.reserve_from, console.reserve_until
    if begins is None and ends is None:
        return False
    return (begins is None or begins <= today) and (ends is None or today <= ends)


def over_budget(found: Checked) -> int:
    """By how many millionths its SMS go over the month's budget; 0 where they do not."""
    cost = sms_cost(found)
    return max(cost - found.left.millionths, 0) if cost and found.left is not None else 0


def sms_cost(found: Checked) -> int:
    """What its SMS are foreseen to cost, in millionths."""
    leaving = () if found.ahead is None else found.ahead.leaving
    return sum(each.cost or 0 for each in leaving if each.channel is ChannelName.SMS)


def differences(found: Checked) -> list[tuple[str, str, str]]:
    """What differs from the time before: the field, as it was, as it is."""
    if found.composition is None or found.former is None:
        return []
    then, now = found.former, found.composition.document
    names = [name for name in (*now, *(n for n in then if n not in now)) if is_field(name)]
    pairs = [(name, _plain(then.get(name)), _plain(now.get(name))) for name in names]
    return [each for each in pairs if each[1] != each[2]]


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else (value or "")


def digest(found: Checked) -> str:
    """What the officer is about to decide on; while it is still written, the form with its files,
    for what leaves is dated anew at each look."""
    if found.mode is Mode.WRITING and found.composition is not None:
        return fields.digest_of(found.composition.document)
    return four_eyes.reading(found.announcement, found.composition)
