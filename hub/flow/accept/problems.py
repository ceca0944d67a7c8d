# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with what was asked, field by field, in both languages (RFC 9457 extension)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One field's problem. `pointer` is a JSON pointer (RFC 6901) into what was sent."""

    pointer: str
    code: str
    fr: str
    en: str


class RefusedError(Exception):
    """What was asked cannot be done as it stands; nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.pointer}: {p.en}" for p in problems))
        self.problems = problems


class UnreadableError(RefusedError):
    """Its bytes are not what they should be: no field could be looked at."""


class ForbiddenError(RefusedError):
    """It could be done, but not by this key or source."""


class ConflictError(RefusedError):
    """It clashes with what is already there (an idempotency key used for something else)."""
