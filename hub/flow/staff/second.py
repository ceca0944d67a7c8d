# SPDX-License-Identifier: EUPL-1.2
"""The second proof: a code of six digits from an app (RFC 6238), or one of ten codes kept on paper.

The secret is sealed in the ledger; a code opens once; the paper codes are kept as hashes.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

import pyotp
from sqlalchemy import Connection, select, update

from hub.flow.accept.credentials import Seal
from hub.flow.staff import officers, passkeys
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Role
from hub.ledger import audit
from hub.ledger.office_tables import officer as table

STEP: Final = 30  # seconds a code is shown
EITHER_SIDE: Final = 1  # steps a clock may be off (RFC 6238 section 5.2)
CODES: Final = 10
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH: Final = 10  # of 31 letters: 49 bits
_POWERFUL: Final = frozenset({Role.APPROVE, Role.ADMIN, Role.OPERATE})

Rule = Literal["everybody", "approvers", "nobody"]


class Proof(StrEnum):
    """What somebody proved it with, as the audit says."""

    PASSWORD = "password"  # noqa: S105 (a word, no secret)
    CODE = "code"
    RECOVERY = "recovery"
    PASSKEY = "passkey"
    PLAYED = "played"


def demanded(who: Officer, rule: Rule) -> bool:
    """Whether this officer must have a second proof."""
    if rule == "approvers":
        return any(role in who.grants for role in _POWERFUL)
    return rule == "everybody"


@dataclass(frozen=True, slots=True)
class Draft:
    """A secret that was shown and not kept yet: `key` as it is typed, `uri` as it is scanned."""

    key: str
    uri: str


def new_secret() -> str:
    """A secret of 160 bits, as RFC 4226 section 4 asks, in base 32."""
    return pyotp.random_base32()


def draft(secret: str, who: Officer, town: str) -> Draft:
    """As an app takes it."""
    key = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return Draft(key, pyotp.TOTP(secret).provisioning_uri(name=who.email, issuer_name=town))


def offered(seal: Seal, who: Officer, secret: str) -> str:
    """A shown secret as its form carries it: sealed, for this officer alone."""
    return seal.close(f"totp:{who.id}:{secret}").decode("ascii")


def taken(seal: Seal, who: Officer, sealed: str) -> str | None:
    """The secret a form carries; None where it is not ours, or another officer's."""
    opened = seal.open(sealed.encode("utf-8", "replace")) or ""
    prefix = f"totp:{who.id}:"
    return opened.removeprefix(prefix) if opened.startswith(prefix) else None


def matching(secret: str, given: str, now: datetime, after: int | None) -> int | None:
    """The step whose code this is, later than `after`; None where there is none."""
    code = "".join(given.split())
    here = int(now.timestamp()) // STEP
    generator = pyotp.HOTP(secret)
    for step in range(here - EITHER_SIDE, here + EITHER_SIDE + 1):
        right = hmac.compare_digest(generator.at(step).encode(), code.encode("utf-8", "replace"))
        if right and (after is None or step > after):
            return step
    return None


# --------------------------------------------------------------------------- set up


def set_up(
    conn: Connection, who: Officer, secret: str, step: int, seal: Seal, *, now: datetime
) -> list[str]:
    """Keep the secret; its ten codes for the day the telephone is lost, shown this once."""
    codes = [_code() for _ in range(CODES)]
    values: dict[str, object] = {"sealed_totp": seal.close(secret), "totp_step": step}
    values["recovery"] = [_hash(who.id, each) for each in codes]
    _change(conn, who, values, "set_up_code", now)
    return codes


def renew_codes(conn: Connection, who: Officer, now: datetime) -> list[str]:
    """Ten other codes, in the place of those there were."""
    codes = [_code() for _ in range(CODES)]
    _change(conn, who, {"recovery": [_hash(who.id, each) for each in codes]}, "renew_codes", now)
    return codes


def remove(conn: Connection, who: Officer, *, actor: str, now: datetime) -> None:
    """Take the second proof away, and the passkeys that were added beside it."""
    passkeys.forget_all(conn, who.id)
    values: dict[str, object] = {"sealed_totp": None, "totp_step": None, "recovery": []}
    officers.change(conn, who, values, verb="remove_code", actor=actor, now=now)


def codes_left(conn: Connection, who: Officer) -> int:
    """How many of the paper codes are unused."""
    found = conn.execute(select(table.c.recovery).where(table.c.id == who.id)).scalar_one()
    return len(found)


def _change(
    conn: Connection, who: Officer, values: dict[str, object], verb: str, now: datetime
) -> None:
    officers.change(conn, who, values, verb=verb, actor=f"officer:{who.id}", now=now)


# --------------------------------------------------------------------------- asked for


def prove(conn: Connection, who: Officer, given: str, seal: Seal, now: datetime) -> Proof | None:
    """Look at a code, of the app or of the paper; the right one is used up."""
    row = conn.execute(
        select(table.c.sealed_totp, table.c.totp_step, table.c.recovery).where(table.c.id == who.id)
    ).one()
    secret = None if row.sealed_totp is None else seal.open(row.sealed_totp)
    step = None if secret is None else matching(secret, given, now, row.totp_step)
    mine = update(table).where(table.c.id == who.id)
    if step is not None:
        conn.execute(mine.values(totp_step=step))
        return Proof.CODE
    used = _hash(who.id, given)
    if used not in row.recovery:
        return None
    conn.execute(mine.values(recovery=[each for each in row.recovery if each != used]))
    return Proof.RECOVERY


def note_entry(
    conn: Connection, who: Officer, proof: Proof, now: datetime, by: Officer | None = None
) -> None:
    """The audit's line of somebody who came in; `by` is who plays their part."""
    name, detail = f"officer:{who.id}", {"proof": proof.value}
    actor = name if by is None else f"officer:{by.id}"
    audit.record(conn, now, actor, "sign_in", name, authority=who.authority, detail=detail)


def note_refusal(conn: Connection, authority: int, whom: str, now: datetime) -> None:
    """The audit's line of somebody who did not; `whom` is an officer, or the console alone."""
    audit.record(conn, now, "console", "sign_in_refused", whom, authority=authority)


def _code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def _hash(officer: int, code: str) -> str:
    """A slow hash gains nothing: the letters are drawn, not chosen."""
    typed = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(
        f"recovery\x00{officer}\x00{typed}".encode("utf-8", "replace")
    ).hexdigest()
