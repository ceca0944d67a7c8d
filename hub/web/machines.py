# SPDX-License-Identifier: EUPL-1.2
"""Which doors are for machines: they get problem details, and are shown no page."""

from typing import Final

_DOORS: Final = (
    *("/api/", "/hooks/", "/callbacks/", "/sandbox/api/"),
    *("/healthz/", "/readyz/", "/metrics/"),
)


def is_machine(path: str) -> bool:
    """Whether whoever asks for this path is a program."""
    return f"{path}/".startswith(_DOORS)
