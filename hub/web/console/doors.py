# SPDX-License-Identifier: EUPL-1.2
"""Every door of the console and of its administration, one line each."""

from types import ModuleType
from typing import Final

from hub.web.admin import (
    channels,
    health,
    identity,
    journal,
    keys,
    queue,
    retention,
    rules,
    sources,
    streets,
    team,
    texts,
    themes,
    zones,
)
from hub.web.admin import home as administration
from hub.web.console import calendar, guidance, home
from hub.web.console.citizens import imports, people, person
from hub.web.console.entering import (
    forgotten,
    invitation,
    passkey,
    playing,
    profile,
    second_proof,
    second_step,
    sign_in,
)
from hub.web.console.figures import statistics
from hub.web.console.following import (
    announcement,
    announcements,
    follow,
    recipients,
    reporting,
    sends,
)
from hub.web.console.writing import attachments, check, compose, models, new, preview, trial

DOORS: Final[tuple[ModuleType, ...]] = (
    sign_in,
    passkey,
    second_step,
    invitation,
    forgotten,
    second_proof,
    playing,
    administration,
    themes,
    streets,  # before the places: its path could be a key
    zones,
    retention,
    identity,
    texts,
    team,
    journal,
    keys,
    queue,
    channels,
    sources,
    rules,
    health,
    new,  # before the announcements: its path could be a code
    compose,
    preview,
    trial,
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
