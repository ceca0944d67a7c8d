# SPDX-License-Identifier: EUPL-1.2
"""Every door of the console and of its administration, one line each."""

from types import ModuleType
from typing import Final

from hub.web.admin import channels, journal, keys, queue, team, themes
from hub.web.admin import home as administration, retention, zones
from hub.web.console import (
    announcement,
    announcements,
    attachments,
    calendar,
    check,
    compose,
    follow,
    guidance,
    home,
    imports,
    invitation,
    models,
    new,
    passkey,
    people,
    person,
    playing,
    preview,
    profile,
    recipients,
    reporting,
    second_proof,
    second_step,
    sends,
    sign_in,
    statistics,
)

DOORS: Final[tuple[ModuleType, ...]] = (
    sign_in,
    passkey,
    second_step,
    invitation,
    second_proof,
    playing,
    administration,
    themes,
    zones,
    retention,
    team,
    journal,
    keys,
    queue,
    channels,
    new,  # before the announcements: its path could be a code
    compose,
    preview,
    attachments,
    models,
    home,
    calendar,
    sends,
    people,
    imports,
    guidance,
    person,
    profile,
    statistics,
    announcements,
    announcement,
    check,
    follow,
    recipients,
    reporting,
)
