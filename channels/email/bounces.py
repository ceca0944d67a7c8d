# SPDX-License-Identifier: EUPL-1.2
"""What comes back by mail to a letter's return address: bounce, delay, delivery, complaint.

RFC 3464 first; where it is none, `flufl.bounce` knows what servers write in free text. A complaint
is an RFC 5965 report. An auto-reply (RFC 3834) says nothing about the letter. Nothing here raises,
and what is not understood changes nothing: only a row of the code table may call a mailbox dead.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import Final

from flufl.bounce import all_failures

from channels.base import Reason, Receipt, Rejected
from channels.email.codes import CODES

_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# RFC 5965 section 7.3; "not-spam" is the contrary, "auth-failure" and "virus" are about servers.
_COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other"})
_MOST_PARTS: Final = 50
# Strangers choose what is in a letter, and the parsers' work may grow with its square: what a
# report says comes first, then the letter it is about, which is ours.
_READ: Final = 65_536
_READ_OF_FREE_TEXT: Final = 16_384

SENT, FAILED, DELIVERED = 1, 2, 3


def read_letter(letter: bytes, token: str, now: datetime) -> list[Receipt]:
    """The receipt in one letter to the return address that bore `token`; none where it says
    nothing about ours. Never raises, whatever the bytes."""
    try:
        verdict = _read(letter)
    except Exception:  # noqa: BLE001  (strangers write these: the parsers' bugs must cost nobody)
        return []
    if verdict is None:
        return []
    rank, code, reason, dead = verdict
    return [Receipt(token, rank, code, reason, None, now, contact_dead=dead)]


_Verdict = tuple[int, str, Reason, bool]


def _read(letter: bytes) -> _Verdict | None:
    message = message_from_bytes(letter[:_READ])
    match _report_type(message):
        case "delivery-status" | "global-delivery-status":
            return _status_report(message)
        case "feedback-report":
            return _complaint(message)
        case None if not _automatic_reply(message):
            return _free_text(message_from_bytes(letter[:_READ_OF_FREE_TEXT]))
        case _:  # a read receipt (RFC 8098), say
            return None


def _report_type(message: Message) -> str | None:
    """The kind of a multipart/report (RFC 6522); some servers write a plain multipart/mixed."""
    if message.get_content_type() == "multipart/report":
        return str(message.get_param("report-type") or "").strip().lower()
    if any(_fields_of(part) for part in _parts(message)):
        return "delivery-status"
    return None


def _parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number == _MOST_PARTS:
            return
        yield part


def _fields_of(part: Message) -> list[Message]:
    """The groups of fields of a message/delivery-status: the first is about the whole message."""
    kind, groups = part.get_content_type(), part.get_payload()
    if not isinstance(groups, list):
        return []
    if kind == "message/global-delivery-status":  # RFC 6533: the parser sees one message in it
        whole = str(groups[0]) if groups else ""
        return [message_from_string(each) for each in whole.split("\n\n") if each.strip()]
    found = groups if kind == "message/delivery-status" else []
    return [each for each in found if isinstance(each, Message)]


# --------------------------------------------------------------------------- RFC 3464


def _status_report(message: Message) -> _Verdict | None:
    """A return address is one reader's: several groups are where their mail was forwarded to.

    One copy that arrived is a delivery; a failure only where every copy failed.
    """
    groups = [g for part in _parts(message) for g in _fields_of(part)]
    told = [each for each in map(_group, groups) if each is not None]
    for rank in (DELIVERED, SENT, FAILED):
        found = [each for each in told if each[0] == rank]
        if found:
            return found[0]
    return None


def _group(fields: Message) -> _Verdict | None:
    action = str(fields.get("Action", "")).split("(")[0].strip().lower()
    status = _status(fields)
    if not action:
        action = {"2": "delivered", "4": "delayed", "5": "failed"}.get(status[:1], "")
        if not (status and fields.get("Final-Recipient")):
            return None
    match action:
        case "delivered":
            return DELIVERED, status, Reason.UNKNOWN, False
        case "delayed" | "relayed" | "expanded":  # not the end, but it is out of our hands
            return SENT, status or action, Reason.UNKNOWN, False
        case "failed":
            return FAILED, status, *failure(status)
        case _:
            return None


def _status(fields: Message) -> str:
    """The status, or what the remote server's own words add to a general one (5.0.0).

    Where either speaks of policy (5.7), it is policy: a citizen does not pay for our reputation.
    """
    own = _first_status(fields.get("Status", ""))
    remote = _first_status(fields.get("Diagnostic-Code", ""))
    if remote.startswith(("5.7.", "4.7.")):
        return remote
    general = not own or own.endswith(".0.0")
    return remote if general and remote else own


def _first_status(text: object) -> str:
    found = _STATUS.search(str(text))
    return found[0] if found else ""


def failure(status: str) -> tuple[Reason, bool]:
    """What a bounce's status means: the reason, and whether the mailbox is dead."""
    verdict = CODES.get(status) or CODES.get(status.rpartition(".")[0])
    match verdict:
        case None:
            return Reason.UNREACHABLE, False
        case Rejected(reason, contact_dead):
            return reason, contact_dead
        case _:
            return verdict.reason, False


# --------------------------------------------------------------------------- the others


def _complaint(message: Message) -> _Verdict | None:
    """The reader pressed "this is spam": it arrived, and nothing more may."""
    for part in _parts(message):
        if part.get_content_type() == "message/feedback-report":
            groups = part.get_payload()
            fields = groups[0] if isinstance(groups, list) and groups else part
            kind = _feedback_type(fields)
            return (DELIVERED, kind, Reason.COMPLAINT, True) if kind in _COMPLAINTS else None
    return None


def _feedback_type(fields: object) -> str:
    """The parser reads an unknown message/* as a message; some servers encode it as text."""
    if not isinstance(fields, Message):
        return ""
    text = f"{fields.as_string()}\n"
    found = re.search(r"^feedback-type:\s*([a-z-]{1,40})\s*$", text, re.IGNORECASE | re.MULTILINE)
    return found[1].lower() if found else ""


def _automatic_reply(message: Message) -> bool:
    """RFC 3834 section 5, and what was written before it."""
    kind = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    if kind == "auto-replied":
        return True
    return any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response"))


def _free_text(message: Message) -> _Verdict | None:
    """Not even a report: the servers that flufl.bounce knows, never reason enough to call a
    mailbox dead."""
    temporary, permanent = all_failures(message)
    if permanent:
        return FAILED, "unstructured", Reason.UNREACHABLE, False
    return (SENT, "unstructured", Reason.UNKNOWN, False) if temporary else None
