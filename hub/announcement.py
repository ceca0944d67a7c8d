# SPDX-License-Identifier: EUPL-1.2
"""What an announcement is, and the life it may lead (UX.md section 5). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from channels.base import ChannelName, Lane, Urgency
from templates.content import Content, Kind, NoteKind
from templates.gsm import Family


class State(StrEnum):
    """Where an announcement stands."""

    DRAFT = "draft"
    TO_APPROVE = "to_approve"
    SCHEDULED = "scheduled"
    WAITING = "waiting"  # the undo delay, which only the console grants
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to one."""

    SUBMIT = "submit"
    RETURN = "return"
    SCHEDULE = "schedule"
    WAIT = "wait"
    PUBLISH = "publish"
    UNDO = "undo"  # taken back before anything left
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    REOPEN = "reopen"  # a redriven delivery makes a finished announcement run again
    CANCEL = "cancel"


class UnlawfulMoveError(Exception):
    """The announcement's state does not allow this."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"an announcement that is {state} cannot {event}")
        self.state = state
        self.event = event


_MOVES: Final[Mapping[tuple[State, Event], State]] = {
    (State.DRAFT, Event.SUBMIT): State.TO_APPROVE,
    (State.TO_APPROVE, Event.RETURN): State.DRAFT,
    **{
        (state, event): target
        for state in (State.DRAFT, State.TO_APPROVE)
        for event, target in (
            (Event.SCHEDULE, State.SCHEDULED),
            (Event.WAIT, State.WAITING),
            (Event.PUBLISH, State.RUNNING),
        )
    },
    (State.SCHEDULED, Event.PUBLISH): State.RUNNING,
    (State.WAITING, Event.PUBLISH): State.RUNNING,
    (State.SCHEDULED, Event.UNDO): State.DRAFT,
    (State.WAITING, Event.UNDO): State.DRAFT,
    (State.RUNNING, Event.PAUSE): State.PAUSED,
    (State.PAUSED, Event.RESUME): State.RUNNING,
    (State.RUNNING, Event.FINISH): State.FINISHED,
    (State.FINISHED, Event.REOPEN): State.RUNNING,
    **{
        (state, Event.CANCEL): State.CANCELLED
        for state in State
        if state not in (State.FINISHED, State.CANCELLED)
    },
}


def advance(state: State, event: Event) -> State:
    """The state that follows. Raises `UnlawfulMoveError`."""
    try:
        return _MOVES[state, event]
    except KeyError:
        raise UnlawfulMoveError(state, event) from None


PUBLIC_STATES: Final = frozenset(
    {State.RUNNING, State.PAUSED, State.FINISHED, State.CANCELLED}
)  # what `/a/{code}` may show, where it was published before


def lane_of(urgency: Urgency) -> Lane:
    """The lane of an announcement (ENGINE.md 4.3)."""
    match urgency:
        case Urgency.URGENT:
            return Lane.VITAL
        case Urgency.IMPORTANT:
            return Lane.IMPORTANT
        case Urgency.INFORMATION | Urgency.DRILL:
            return Lane.BULK


@dataclass(frozen=True, slots=True)
class Note:
    """What the hub itself tells one person: a code, a link, a trial message.

    Its words are made from the challenge it names when it leaves; none of them is kept.
    """

    kind: NoteKind
    challenge: int
    nonce: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One announcement as the flow reads it.

    `contents` by language; `themes` and `zones` are keys of the authority's catalogue, an empty
    `zones` with no `polygon` is the whole town. `first` is the id of the head of its chain.
    `spelling`: the families of costly characters its SMS replaces. `published` is when it became
    public, or None; `release_at` when it will, unless it is taken back, while it waits for that.
    `note`: no announcement at all, but what one person is told on a single channel; it has no
    words, themes or page.
    """

    id: int
    code: str
    authority: int
    kind: Kind
    urgency: Urgency
    state: State
    contents: Mapping[str, Content]
    themes: tuple[str, ...]
    zones: tuple[str, ...] = ()
    polygon: Mapping[str, Any] | None = None
    channels: tuple[ChannelName, ...]
    created: datetime
    publish_at: datetime | None = None
    published: datetime | None = None
    release_at: datetime | None = None
    expires: datetime | None = None
    cancelled_at: datetime | None = None
    first: int | None = None
    first_code: str | None = None
    author: str = ""
    post_link: bool = True
    thread: bool = False
    spelling: tuple[Family, ...] = ()
    note: Note | None = None

    @property
    def chain(self) -> str:
        """What a correction shares with what it corrects: web push replaces by it."""
        return self.first_code or self.code
