# SPDX-License-Identifier: EUPL-1.2
"""What officers are written, by whom and when (decision 0042): who may approve is asked to, whoever
wrote it hears what became of it, and a forgotten password is chosen anew.

A letter is put down in the transaction of what it tells. Its words are made when it leaves, of what
is true then: what was decided meanwhile is asked of nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from channels.base import ChannelName, EmailText, Rendered
from hub.announcement import Announcement, State
from hub.flow.accept.calling import call_approvers
from hub.flow.site import Press
from hub.flow.staff import links, officers
from hub.flow.staff.links import Purpose
from hub.flow.staff.officers import Officer
from hub.flow.writing import compositions, four_eyes
from hub.flow.writing.fields import text
from hub.flow.writing.standing import Ground, as_it_stands
from hub.ledger import announcements, audit
from hub.ledger import letters as rows
from hub.ledger.letters import Letter, LetterState
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.proofs import Proofs, new_nonce
from templates.letters import LetterKind, LetterWords, compose_letter
from templates.render import choose

RESET_LIVES: Final = timedelta(hours=1)
"""How long a link that somebody asked for at the door is good."""
MOST_RESETS: Final = 3
"""Such links an hour, to one officer."""
MOST_CALLS: Final = 20
"""Requests an hour that one officer is written about; those beyond wait at the console alone, so
that a source that runs wild fills no mailbox. What is urgent is always told."""
TRIAL_MARK: Final = "[Test] "
_HOUR: Final = timedelta(hours=1)
_OTHERS_WAIT: Final = timedelta(hours=4)
_OTHERS_WAIT_URGENT: Final = timedelta(minutes=5)
_ASKS: Final = (LetterKind.APPROVAL, LetterKind.URGENT)
_TOLD: Final = {
    "return": LetterKind.RETURNED,
    "approve": LetterKind.APPROVED,
    "reject": LetterKind.REJECTED,
}
_WHERE: Final = {
    LetterKind.APPROVAL: "/verifier",
    LetterKind.URGENT: "/verifier",
    LetterKind.RETURNED: "/rediger",
}
_UNSAID: Final = (State.DRAFT, State.TO_APPROVE, State.CANCELLED)


# --------------------------------------------------------------------------- put on their way


def tell(
    conn: Connection,
    verb: str,
    about: Announcement,
    by: Officer,
    now: datetime,
    *,
    reason: str = "",
    delay: timedelta = timedelta(0),
) -> None:
    """What an act of the journal's means to others: a request to those who may approve, a decision
    to whoever wrote it. `delay` is for how long an approval may be taken back."""
    if verb == "submit":
        call_approvers(conn, about, by.name, now)
    composition = compositions.of_announcement(conn, about.id) if verb in _TOLD else None
    if composition is None:
        return
    kind, context = _TOLD[verb], {"code": about.code, "by": by.name, "reason": reason}
    due = now + delay if kind is LetterKind.APPROVED else now
    for each in sorted({composition.author, composition.changed_by} - {by.id}):
        rows.post(conn, about.authority, each, kind, context, now=now, due=due)


def ask_password(conn: Connection, email: str, proofs: Proofs, town: int, now: datetime) -> None:
    """A link to whoever signs in under this address, to choose another password.

    An address nobody has costs the same line of the journal (named nowhere, in this `town`'s).
    Whoever never took up their invitation has no password to forget.
    """
    found = officers.by_email(conn, email)
    who = None if found is None or found[1] is None else found[0]
    whom = "console" if who is None else f"officer:{who.id}"
    where = town if who is None else who.authority
    audit.record(conn, now, "console", "ask_password", whom, authority=where)
    if who is None:
        return
    lately = rows.asked_since(conn, who.id, LetterKind.PASSWORD, now - RESET_LIVES)
    if lately >= MOST_RESETS:
        return
    nonce = new_nonce()
    number = rows.post(conn, who.authority, who.id, LetterKind.PASSWORD, {"nonce": nonce}, now=now)
    links.keep(conn, who.id, Purpose.RESET, proofs.link(number, nonce), now, RESET_LIVES)


def ask_trial(
    conn: Connection, who: Officer, code: str, languages: Sequence[str], now: datetime
) -> None:
    """An announcement as its e-mail would leave, to the officer's own address, in each language."""
    for language in languages:
        context = {"code": code, "language": language}
        rows.post(conn, who.authority, who.id, LetterKind.TRIAL, context, now=now)
    whom = f"announcement:{code}"
    detail = {"source": f"officer:{who.id}"}
    audit.record(conn, now, who.name, "trial", whom, authority=who.authority, detail=detail)


# --------------------------------------------------------------------------- when they leave


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter with its words, and whose it is."""

    officer: Officer
    text: Rendered


def address(conn: Connection, letter: Letter, now: datetime) -> None:
    """In the place of a letter to whoever may approve, one to each of them.

    Where one of them was asked by name, the others hear of it when that one has not decided.
    """
    rows.end(conn, letter, LetterState.DROPPED, now)
    found = _to_approve(conn, letter)
    if found is None:
        return
    _, asked, others = found
    wait = _OTHERS_WAIT_URGENT if letter.kind == LetterKind.URGENT else _OTHERS_WAIT
    named = any(str(each.id) == asked for each in others)
    for each in others:
        lately = rows.asked_since(conn, each.id, letter.kind, now - _HOUR)
        if letter.kind != LetterKind.URGENT and lately >= MOST_CALLS:
            continue
        due = now + wait if named and str(each.id) != asked else now
        rows.post(conn, letter.authority, each.id, letter.kind, letter.context, now=now, due=due)


def _to_approve(
    conn: Connection, letter: Letter
) -> tuple[Announcement, str, Sequence[Officer]] | None:
    """What a letter asks approval of, whom its form asks, and who may; None once it is decided."""
    about = announcements.by_code(conn, letter.context["code"], letter.authority)
    if about is None or about.state is not State.TO_APPROVE:
        return None
    composition = compositions.of_announcement(conn, about.id)
    asked = "" if composition is None else text(composition.document, "asked")
    catalogue = load_catalogue(conn, letter.authority)
    return about, asked, four_eyes.others(conn, about, composition, catalogue)


@dataclass(frozen=True, slots=True)
class Pen:
    """Finds the words of letters, in the language of who reads them."""

    press: Press
    channels: Sequence[ChannelName]

    def write(self, conn: Connection, letter: Letter, now: datetime) -> Ready | None:
        """The letter as it is to leave now; None where there is nothing to say any more, or nobody
        of this town to say it to."""
        assert letter.officer is not None
        who = officers.load(conn, letter.officer, letter.authority)
        if who is None:
            return None
        if letter.kind == LetterKind.TRIAL:
            return self._trial(conn, letter, who, now)
        catalogue = load_catalogue(conn, letter.authority)
        words = self._words(conn, letter, who, catalogue, now)
        if words is None:
            return None
        language = who.language or catalogue.language
        return Ready(who, compose_letter(self.press.composer, language, words))

    def _words(
        self, conn: Connection, letter: Letter, who: Officer, catalogue: Catalogue, now: datetime
    ) -> LetterWords | None:
        kind, said = LetterKind(letter.kind), letter.context
        console = f"{self.press.site.public_url}/console"
        blank = LetterWords(kind, f"letter-{letter.id}", catalogue.name, console)
        if kind is LetterKind.PASSWORD:
            token = self._token(letter)
            alive = links.find(conn, token, now) is not None
            return replace(blank, url=f"{console}/invitation/{token}") if alive else None
        about = _still(conn, letter, kind, who)
        if about is None:
            return None
        return replace(
            blank,
            url=f"{console}/annonces/{about.code}{_WHERE.get(kind, '')}",
            title=choose(about.contents, catalogue.language).title,
            by=said["by"],
            reason=said.get("reason", ""),
        )

    def _token(self, letter: Letter) -> str:
        """The link's own, made again: the ledger holds nothing that opens a door."""
        assert self.press.proofs is not None
        return self.press.proofs.link(letter.id, letter.context["nonce"])

    def _trial(self, conn: Connection, letter: Letter, who: Officer, now: datetime) -> Ready | None:
        """The very e-mail, but for its subject's mark; its personal links open nothing."""
        said: Any = letter.context
        found = as_it_stands(conn, said["code"], who, Ground(self.channels, now))
        if found is None:
            return None
        announcement, catalogue = found
        printed = self.press.print(announcement, catalogue, ChannelName.EMAIL, said["language"])
        if not isinstance(printed, Rendered) or not isinstance(printed.text, EmailText):
            return None
        marked = replace(printed.text, subject=TRIAL_MARK + printed.text.subject)
        return Ready(who, replace(printed, key=f"letter-{letter.id}", text=marked))


def _still(conn: Connection, letter: Letter, kind: LetterKind, who: Officer) -> Announcement | None:
    """What a letter is about, where it is still so."""
    if kind in _ASKS:
        found = _to_approve(conn, letter)
        return found[0] if found and who.id in {each.id for each in found[2]} else None
    about = announcements.by_code(conn, letter.context["code"], letter.authority)
    if about is None:
        return None
    so = {
        LetterKind.RETURNED: about.state is State.DRAFT,
        LetterKind.REJECTED: about.state is State.CANCELLED,
        LetterKind.APPROVED: about.state not in _UNSAID,
    }
    return about if so[kind] else None


# --------------------------------------------------------------------------- what is told of them


@dataclass(frozen=True, slots=True)
class Lost:
    """A letter that was given up: about what, to whom, why and when."""

    kind: LetterKind
    name: str
    reason: str
    at: datetime


def in_trouble(conn: Connection, authority: int) -> tuple[int, Sequence[Lost]]:
    """How many of a town's letters are tried again, and the last ones that never arrived."""
    again, found = rows.standing(conn, authority)
    names = compositions.names_of(conn, [row.officer for row in found if row.officer])
    return again, [
        Lost(LetterKind(row.kind), names.get(row.officer, ""), row.reason, row.ended)
        for row in found
    ]
