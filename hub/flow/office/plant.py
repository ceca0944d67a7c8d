# SPDX-License-Identifier: EUPL-1.2
"""What is done to the plant at the console leaves a line in the journal, never a value."""

from datetime import datetime

from sqlalchemy import Connection

from hub.flow.staff.officers import Officer
from hub.ledger import audit


def note_secret(conn: Connection, who: Officer, name: str, now: datetime) -> None:
    """Which secret was replaced; its text stands nowhere but in its own file."""
    actor = f"officer:{who.id}"
    audit.record(conn, now, actor, "keep_secret", f"secret:{name}", authority=who.authority)
