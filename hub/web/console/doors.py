# SPDX-License-Identifier: EUPL-1.2
"""Every door of the console and of its administration, one line each."""

from types import ModuleType
from typing import Final

from hub.web.admin import team
from hub.web.console import (
    announcement,
    calendar,
    home,
    invitation,
    playing,
    profile,
    second_proof,
    second_step,
    sends,
    sign_in,
    statistics,
)

DOORS: Final[tuple[ModuleType, ...]] = (
    sign_in,
    second_step,
    invitation,
    second_proof,
    playing,
    team,
    home,
    calendar,
    sends,
    profile,
    statistics,
    announcement,
)
