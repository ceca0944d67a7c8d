# SPDX-License-Identifier: EUPL-1.2
"""One line of an import as one person, or the first thing wrong with it, named by its column."""

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from channels.base import ChannelName
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.catalogue import Catalogue, Theme, Zone
from subscribers.preferences import Cadence
from subscribers.wording import Sentence

_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_YES_NO: Final = {"": True, "yes": True, "oui": True, "no": False, "non": False}
_DERIVED: Final = "contacts:"  # keys made from contacts; no reference may begin so
_SPEAKABLE: Final = re.compile(r"(?=.*[a-z])[a-z0-9-]{1,40}")  # never an address
_CHANNELS: Final = {name.value: name for name in ChannelName if name is not ChannelName.X}
_COLUMN_OF: Final = {ChannelName.SMS: "phone", ChannelName.EMAIL: "email"}


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """Somebody as a line describes them; `contacts` are normalised, `quiet` local minutes."""

    import_key: str
    language: str
    timezone: str
    quiet: tuple[int, int] | None
    urgent_breaks_quiet: bool
    contacts: Mapping[ChannelName, str] = field(repr=False)
    themes: tuple[int, ...]
    zones: tuple[int, ...]
    channels: tuple[ChannelName, ...]
    cadence: Cadence
    consent_source: str
    consent_given: datetime
    consent_text_version: str


class Refused(Exception):
    """A line cannot be taken. Inside this room only: parsing stops at the first bad column."""

    def __init__(self, column: str, fr: str, en: str) -> None:
        super().__init__(column)
        self.column = column
        self.sentence = Sentence(f"Colonne {column} : {fr}", f"Column {column}: {en}")


def read_person(
    cells: Mapping[str, str], catalogue: Catalogue, regions: tuple[str, ...], now: datetime
) -> ImportedPerson:
    """The person of a line. Raises `Refused` naming the first column at fault and how to fix it."""
    contacts = _contacts(cells, regions)
    channels = _channels(cells, contacts)
    return ImportedPerson(
        import_key=_import_key(cells, contacts),
        language=_matching(cells, "language", _LANGUAGE, "fr, en") or catalogue.language,
        timezone=_timezone(cells.get("timezone", "")) or catalogue.timezone,
        quiet=_quiet(cells),
        urgent_breaks_quiet=_yes_no(cells.get("urgent_at_night", "")),
        contacts=contacts,
        themes=_keys(cells, "themes", catalogue.themes_by_key),
        zones=_keys(cells, "zones", catalogue.zones_by_key),
        channels=channels,
        cadence=_cadence(cells.get("cadence", "")),
        consent_source=_proof(cells, "consent_source", 200),
        consent_given=_consent_date(cells["consent_date"], catalogue.timezone, now),
        consent_text_version=_proof(cells, "consent_text_version", 64),
    )


def _contacts(cells: Mapping[str, str], regions: tuple[str, ...]) -> dict[ChannelName, str]:
    readers: dict[ChannelName, Callable[[str], str | AddressProblem]] = {
        ChannelName.SMS: lambda text: normalise_phone(text, regions),
        ChannelName.EMAIL: normalise_email,
    }
    contacts = {}
    for channel, read in readers.items():
        if text := cells.get(_COLUMN_OF[channel], ""):
            address = read(text)
            if isinstance(address, AddressProblem):
                raise Refused(_COLUMN_OF[channel], *address.sentence)
            contacts[channel] = address
    return contacts


def _channels(
    cells: Mapping[str, str], contacts: Mapping[ChannelName, str]
) -> tuple[ChannelName, ...]:
    asked = _words(cells.get("channels", "")) or [channel.value for channel in contacts]
    if not asked:
        raise Refused("channels", "donnez phone ou email.", "give phone or email.")
    for name in asked:
        if name not in _CHANNELS:
            choice = " ".join(_CHANNELS)
            raise Refused("channels", f"écrivez parmi {choice}.", f"write some of {choice}.")
        column = _COLUMN_OF.get(_CHANNELS[name])  # devices are registered by browsers
        if column and _CHANNELS[name] not in contacts:
            raise Refused(
                "channels",
                f"« {name} » demande la colonne {column}.",
                f"“{name}” needs the column {column}.",
            )
    return tuple(dict.fromkeys(_CHANNELS[name] for name in asked))


def _import_key(cells: Mapping[str, str], contacts: Mapping[ChannelName, str]) -> str:
    ref = cells.get("ref", "")
    if len(ref) > 64 or ref.startswith(_DERIVED):
        raise Refused(
            "ref",
            f"64 caractères au plus, sans commencer par « {_DERIVED} ».",
            f"at most 64 characters, not starting with “{_DERIVED}”.",
        )
    if not ref and not contacts:
        raise Refused("ref", "donnez ref, phone ou email.", "give ref, phone or email.")
    told = "|".join(f"{channel}:{address}" for channel, address in sorted(contacts.items()))
    return ref or _DERIVED + hashlib.sha256(told.encode()).hexdigest()[:48]


def _matching(
    cells: Mapping[str, str], column: str, form: re.Pattern[str], example: str
) -> str | None:
    text = cells.get(column, "")
    if text and not form.fullmatch(text):
        raise Refused(column, f"écrivez par exemple {example}.", f"write for example {example}.")
    return text or None


def _timezone(name: str) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, OSError, ValueError):  # no such zone; a folder of zones; no file name
        raise Refused(
            "timezone",
            "écrivez un fuseau comme Europe/Paris ou Indian/Reunion.",
            "write a time zone such as Europe/Paris or Indian/Reunion.",
        ) from None


def _quiet(cells: Mapping[str, str]) -> tuple[int, int] | None:
    text = _matching(cells, "quiet_hours", _HOURS, "22:00-07:00")
    if text is None:
        return None
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return start, end


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise Refused("urgent_at_night", "écrivez yes ou no.", "write yes or no.")
    return _YES_NO[text.lower()]


def _cadence(text: str) -> Cadence:
    try:
        return Cadence(text.lower() or Cadence.NOW)
    except ValueError:
        raise Refused(
            "cadence", "écrivez now, daily ou weekly.", "write now, daily or weekly."
        ) from None


def _keys(
    cells: Mapping[str, str], column: str, known: Mapping[str, Theme] | Mapping[str, Zone]
) -> tuple[int, ...]:
    keys = _words(cells.get(column, ""))
    if not keys and column == "themes":
        raise Refused(column, "choisissez au moins un thème.", "choose at least one theme.")
    current = {key: entry for key, entry in known.items() if not entry.archived}
    for key in keys:
        if key not in current:
            shown = key if _SPEAKABLE.fullmatch(key) else "…"
            near = ", ".join(difflib.get_close_matches(key, current, 1)) or " ".join(current)[:200]
            raise Refused(
                column,
                f"« {shown} » n'existe pas. Le plus proche : {near}.",
                f"there is no “{shown}”. The nearest: {near}.",
            )
    return tuple(sorted({current[key].id for key in keys}))


def _words(text: str) -> list[str]:
    return text.replace("|", " ").split()


def _proof(cells: Mapping[str, str], column: str, limit: int) -> str:
    text = cells[column]
    if not text or len(text) > limit:
        raise Refused(
            column,
            f"la preuve du consentement est obligatoire ({limit} caractères au plus).",
            f"proof of consent is compulsory (at most {limit} characters).",
        )
    return text


def _consent_date(text: str, timezone: str, now: datetime) -> datetime:
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            day = datetime.strptime(text, form).replace(tzinfo=ZoneInfo(timezone))
        except ValueError:
            continue
        given = day.astimezone(UTC)
        if given <= now:
            return given
        raise Refused(
            "consent_date", "cette date n'est pas encore passée.", "this date is still to come."
        )
    raise Refused(
        "consent_date",
        "écrivez la date du consentement, par exemple 2026-03-02.",
        "write the date of consent, for example 2026-03-02.",
    )
