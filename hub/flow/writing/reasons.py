# SPDX-License-Identifier: EUPL-1.2
"""Why something is sent back or refused: its author reads it."""

from typing import Final

from hub.flow.accept.problems import Problem, RefusedError

LONGEST_REASON: Final = 500
"""Characters of why something is sent back or refused."""
_REASON: Final = Problem(
    "/reason", "missing", "Écrivez pourquoi, en une phrase.", "Say why, in one sentence."
)
_TOO_LONG: Final = Problem(
    "/reason",
    "string_too_long",
    f"Écrivez la raison en {LONGEST_REASON} caractères au plus.",
    f"Write the reason in {LONGEST_REASON} characters at most.",
)


def checked_reason(given: str) -> str:
    """On one line. Raises `RefusedError` where there is none, or too much of it."""
    why = " ".join(given.split())
    if not why:
        raise RefusedError([_REASON])
    if len(why) > LONGEST_REASON:
        raise RefusedError([_TOO_LONG])
    return why
