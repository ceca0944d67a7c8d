# SPDX-License-Identifier: EUPL-1.2
"""Reads what somebody answered to the three questions: answers, or a sentence for each fault."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from channels.base import ChannelName
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.answers import Answers
from subscribers.catalogue import Catalogue, Theme, Zone
from subscribers.preferences import Cadence
from subscribers.wording import Sentence

BY: Final = (ChannelName.SMS, ChannelName.EMAIL, ChannelName.WEBPUSH)
"""The ways a theme may come; on X the town speaks to everybody."""
LONGEST: Final = 320  # characters of one answer: an address has no more (RFC 5321)
_CLOCK: Final = re.compile(r"(\d{1,2})\s*(?:[:hH.]\s*(\d{2})?)?")
_NBSP: Final = "\N{NO-BREAK SPACE}"


class Fault(Enum):
    """What is missing, and how to put it right (UX.md section 9)."""

    NO_THEME = Sentence("Choisissez au moins un thème.", "Choose at least one theme.")
    NO_PLACE = Sentence(
        f"Choisissez où{_NBSP}: toute la ville, ou au moins un quartier.",
        "Choose where: the whole town, or at least one district.",
    )
    NO_WAY = Sentence(
        "Choisissez au moins un moyen de vous joindre.", "Choose at least one way to reach you."
    )
    NO_EMAIL = Sentence(
        "Écrivez votre adresse e-mail, par exemple nom@exemple.fr.",
        "Enter your e-mail address, for example name@example.org.",
    )
    NO_HOUR = Sentence(
        "Écrivez une heure, par exemple 21:00.", "Enter a time of day, for example 21:00."
    )
    SAME_HOUR = Sentence(
        "Choisissez une heure de fin différente de l’heure de début.",
        "Choose an end that is not the start.",
    )
    NO_CONSENT = Sentence(
        "Cochez la case pour accepter de recevoir ces messages.",
        "Tick the box to agree to receive these messages.",
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """What this town offers: which channels it has, and the countries its SMS go to."""

    channels: Sequence[ChannelName]
    regions: Sequence[str]
    follow: bool


Faults = dict[str, Sentence]


def offered_themes(catalogue: Catalogue) -> list[Theme]:
    """The themes one can ask for: advised ones first, each before those below it."""
    open_ = [theme for theme in catalogue.themes.values() if not theme.archived]
    known = {theme.id for theme in open_}
    roots = [theme for theme in open_ if theme.parent not in known]
    ordered: list[Theme] = []

    def add(theme: Theme) -> None:
        ordered.append(theme)
        for each in open_:
            if each.parent == theme.id:
                add(each)

    for root in sorted(roots, key=lambda theme: not theme.advised):
        add(root)
    return ordered


def themes_in(catalogue: Catalogue, form: Mapping[str, str]) -> list[Theme]:
    """The themes a form has ticked."""
    return [theme for theme in offered_themes(catalogue) if form.get(f"theme-{theme.key}")]


def zones_in(catalogue: Catalogue, form: Mapping[str, str]) -> list[Zone]:
    """The places a form has ticked."""
    return [
        zone
        for zone in catalogue.zones.values()
        if not zone.archived and zone.level != "town" and form.get(f"zone-{zone.key}")
    ]


def relevant(form: Mapping[str, str]) -> dict[str, str]:
    """What of a form is an answer, and no longer than one."""
    kept = ("theme-", "zone-", "by-", "grid-", "quiet")
    named = {"where", "q", "mobile", "email", "cadence", "speak", "consent"}
    return {
        name: value[:LONGEST]
        for name, value in form.items()
        if len(name) <= 100 and (name in named or name.startswith(kept))
    }


def read_answers(
    catalogue: Catalogue, form: Mapping[str, str], offer: Offer, language: str
) -> Answers | Faults:
    """All three answers of a form, or what is wrong with them by field's name, in the order of the
    page."""
    faults: Faults = {}
    themes, zones = themes_in(catalogue, form), zones_in(catalogue, form)
    if not themes:
        faults["themes"] = Fault.NO_THEME.value
    whole = form.get("where") == "whole"
    if not whole and not zones:
        faults["where"] = Fault.NO_PLACE.value
    chosen = tuple(by for by in BY if by in offer.channels and form.get(f"by-{by}"))
    if not chosen and not (offer.follow and form.get("by-x")):
        faults["how"] = Fault.NO_WAY.value
    wanted = {theme.key: _ways(theme, form, offer, chosen) for theme in themes}
    used = {channel for ways in wanted.values() for channel in ways} | set(chosen)
    contacts = _contacts(form, offer, used, faults)
    quiet = _quiet(form, faults) if form.get("quiet") else None
    if not form.get("consent"):
        faults["consent"] = Fault.NO_CONSENT.value
    if faults:
        return faults
    return Answers(
        themes=wanted,
        zones=() if whole else tuple(zone.key for zone in zones),
        contacts=contacts,
        quiet=quiet,
        urgent_breaks_quiet=quiet is None or bool(form.get("quiet-spares")),
        cadence=_cadence(form),
        language=form["speak"] if form.get("speak") in {"fr", "en"} else language,
    )


def _ways(
    theme: Theme, form: Mapping[str, str], offer: Offer, chosen: tuple[ChannelName, ...]
) -> tuple[ChannelName, ...]:
    """The channels of one theme: its own in the grid, else those for all."""
    own = tuple(by for by in BY if by in offer.channels and form.get(f"grid-{theme.key}-{by}"))
    return own or chosen


def _contacts(
    form: Mapping[str, str], offer: Offer, used: set[ChannelName], faults: Faults
) -> dict[ChannelName, str]:
    found: dict[ChannelName, str] = {}
    if ChannelName.SMS in used:
        number = normalise_phone(form.get("mobile", ""), offer.regions)
        if isinstance(number, AddressProblem):
            faults["mobile"] = number.sentence
        else:
            found[ChannelName.SMS] = number
    if ChannelName.EMAIL in used:
        written = form.get("email", "").strip()
        address = normalise_email(written)
        if not written:
            faults["email"] = Fault.NO_EMAIL.value
        elif isinstance(address, AddressProblem):
            faults["email"] = address.sentence
        else:
            found[ChannelName.EMAIL] = address
    return found


def _quiet(form: Mapping[str, str], faults: Faults) -> tuple[int, int] | None:
    start, end = _minutes(form.get("quiet-from", "")), _minutes(form.get("quiet-to", ""))
    if start is None:
        faults["quiet-from"] = Fault.NO_HOUR.value
    if end is None:
        faults["quiet-to"] = Fault.NO_HOUR.value
    elif start == end:
        faults["quiet-to"] = Fault.SAME_HOUR.value
    return None if start is None or end is None else (start, end)


def _minutes(text: str) -> int | None:
    """An hour as somebody types it ("21:00", "21 h", "7h30") in minutes after midnight."""
    found = _CLOCK.fullmatch(text.replace(_NBSP, " ").strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _cadence(form: Mapping[str, str]) -> Cadence:
    said = form.get("cadence", "")
    return Cadence(said) if said in set(Cadence) else Cadence.NOW
