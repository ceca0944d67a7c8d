# SPDX-License-Identifier: EUPL-1.2
"""The interface's words: gettext catalogues, a few files a language, and closed vocabularies.

Sentences are looked up by stable msgids: English text for what a page says, and dotted keys
(``reason.opted_out``) for what comes from a closed list. Rewording a sentence changes a ``.po``
file, never a msgid.
"""

import gettext
from datetime import datetime
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from channels.base import ChannelName, Reason
from templates.pages import moments

LANGUAGES: Final = ("fr", "en")
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"


class ShownState(StrEnum):
    """Where a delivery stands, as people read it (UX.md section 6): interface, API and CSV."""

    QUEUED = "queued"
    DEFERRED_QUIET = "deferred_quiet"
    DIGEST = "digest"
    SENDING = "sending"
    DELIVERED = "delivered"
    ACCEPTED_FINAL = "accepted_final"
    TEMP_FAILED = "temp_failed"
    PERM_FAILED = "perm_failed"
    TECH_FAILED = "tech_failed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"
    PARKED = "parked"


# The states whose label can name an hour: "Reporté à 8 h 00".
TIMED_STATES: Final = frozenset({ShownState.DEFERRED_QUIET, ShownState.DIGEST})


def offered(language: str) -> str:
    """The language itself where we speak it, else French (never machine-translated)."""
    return language if language in LANGUAGES else LANGUAGES[0]


def catalogues(language: str) -> list[Path]:
    """Its ``.po`` files, one for each room of pages. Raises `FileNotFoundError` where there is
    none."""
    found = sorted((LOCALE_FOLDER / language / "LC_MESSAGES").glob("*.po"))
    if not found:
        raise FileNotFoundError(language)
    return found


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of `language`, one of `LANGUAGES`: all its ``.po`` files in one; read once.

    Compiled from them in memory (tens of milliseconds at first use), so that a checkout, a wheel
    and a test can never run on a stale ``.mo``. Raises `FileNotFoundError` for another language.
    """
    catalog = Catalog(locale=language)
    for path in catalogues(language):
        with path.open("rb") as po:
            for message in read_po(po, locale=language, abort_invalid=True):
                if message.id:
                    catalog[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def reason_sentence(reason: Reason, language: str) -> str:
    """Why a delivery is where it is, as one sentence for an officer or a citizen."""
    return translations(offered(language)).gettext(f"reason.{reason}")


def state_label(state: ShownState, language: str, until: datetime | None = None) -> str:
    """What a delivery's state is called.

    `until` is when a held message leaves or the digest is due, in the town's zone; it is named
    where the state has an hour to name, and ignored elsewhere.
    """
    spoken = offered(language)
    say = translations(spoken).gettext
    if until is not None and state in TIMED_STATES:
        return say(f"state.{state}.at") % {"time": moments.clock(until, spoken)}
    return say(f"state.{state}")


def channel_name(channel: ChannelName, language: str) -> str:
    """What a channel is called: "SMS", "E-mail", "X", "Notification"."""
    return translations(offered(language)).gettext(f"channel.{channel}")
