# SPDX-License-Identifier: EUPL-1.2
"""Calls whoever may approve what was just asked for: a letter to no officer yet (decision 0042)."""

from datetime import datetime

from sqlalchemy import Connection

from channels.base import Urgency
from hub.announcement import Announcement
from hub.ledger import letters
from templates.letters import LetterKind


def call_approvers(conn: Connection, about: Announcement, by: str, now: datetime) -> None:
    """In the transaction that asks; who may approve is found out when the letter leaves."""
    kind = LetterKind.URGENT if about.urgency is Urgency.URGENT else LetterKind.APPROVAL
    letters.post(conn, about.authority, None, kind, {"code": about.code, "by": by}, now=now)
