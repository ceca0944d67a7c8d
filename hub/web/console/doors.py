# SPDX-License-Identifier: EUPL-1.2
"""Every door of the console and of its administration, one line each."""

from types import ModuleType
from typing import Final

from hub.web.console import announcement, calendar, home, profile, sends, sign_in, statistics

DOORS: Final[tuple[ModuleType, ...]] = (
    sign_in,
    home,
    calendar,
    sends,
    profile,
    statistics,
    announcement,
)
