# SPDX-License-Identifier: EUPL-1.2
"""Reads the form of the desk: what somebody asked for, and how the officer knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from channels.base import ChannelName
from hub.flow.citizens.assisting import AtDesk, Checked, Given
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.answers import Answers
from subscribers.catalogue import Catalogue
from subscribers.preferences import Cadence
from subscribers.streets import find_places
from subscribers.wording import Sentence

THEME: Final = "theme-"
ZONE: Final = "zone-"
_REASON: Final = 200
_Wrong = Callable[..., None]
_CAME_BY: Final = (ChannelName.SMS, ChannelName.EMAIL)

_VOICE: Final = Sentence(
    "Ce numéro est fixe : la mairie ne sait pas encore l'appeler. Notez un mobile, celui d'un "
    "proche par exemple, ou une adresse e-mail.",
    "This is a landline: the town cannot call it yet. Note a mobile, a relative's for example, or "
    "an e-mail address.",
)
_NO_CONTACT: Final = Sentence(
    "Notez au moins un mobile ou une adresse e-mail.", "Note at least a mobile or an e-mail."
)
_NO_THEME: Final = Sentence("Choisissez au moins un thème.", "Choose at least one theme.")
_NO_CONSENT: Final = Sentence(
    "Lisez le texte à la personne, puis cochez qu'elle l'accepte.",
    "Read the text to the person, then tick that they agree.",
)
_NO_GIVEN: Final = Sentence(
    "Dites comment la personne a donné son accord.", "Say how the person agreed."
)
_NO_DAY: Final = Sentence(
    "Écrivez la date du formulaire papier, aujourd'hui au plus tard.",
    "Write the date on the paper form, today at the latest.",
)
_NO_CHECK: Final = Sentence(
    "Dites comment vous avez vérifié les coordonnées.", "Say how you checked the contact details."
)
_NO_REASON: Final = Sentence(
    "Écrivez en quelques mots pourquoi aucun code n'est envoyé.",
    "Write in a few words why no code is sent.",
)
_NO_HOURS: Final = Sentence(
    "Écrivez les deux heures, par exemple 21:00 et 08:00.",
    "Write both times, for example 21:00 and 08:00.",
)
_NO_STREET: Final = Sentence(
    "Aucune rue de ce nom. Cochez un quartier, ou laissez vide.",
    "No street of that name. Tick a district, or leave it empty.",
)
_WHICH_STREET: Final = Sentence("Précisez la rue : {names}.", "Say which street: {names}.")


@dataclass(slots=True)
class Taken:
    """What was read. `answers` and `told` are None where `errors` (field -> sentence) say why."""

    errors: dict[str, str] = field(default_factory=dict)
    answers: Answers | None = field(default=None, repr=False)
    told: AtDesk | None = None


def take(
    form: Mapping[str, str],
    catalogue: Catalogue,
    regions: Sequence[str],
    today: date,
    language: str,
) -> Taken:
    """Read the whole form; every field's fault is told at once, in the officer's `language`."""
    taken = Taken()

    def wrong(name: str, sentence: Sentence, **names: str) -> None:
        taken.errors[name] = sentence.spoken(language).format(**names)

    contacts = _contacts(form, regions, wrong)
    themes = [
        theme.key
        for theme in catalogue.themes.values()
        if THEME + theme.key in form and not theme.archived
    ]
    if not themes:
        wrong("themes", _NO_THEME)
    zones = _zones(form, catalogue, language, wrong)
    quiet = _quiet(form, wrong)
    told = _told(form, today, wrong)
    if "consent" not in form:
        wrong("consent", _NO_CONSENT)
    if taken.errors or told is None:
        return taken
    by = tuple(channel for channel in _CAME_BY if channel in contacts)
    cadence = form.get("cadence", "")
    taken.answers = Answers(
        themes=dict.fromkeys(themes, by),
        zones=zones,
        contacts=contacts,
        quiet=quiet,
        urgent_breaks_quiet="urgent_breaks_quiet" in form,
        cadence=Cadence(cadence) if cadence in set(Cadence) else Cadence.NOW,
        language="en" if form.get("language") == "en" else "fr",
    )
    taken.told = told
    return taken


def _contacts(
    form: Mapping[str, str], regions: Sequence[str], wrong: _Wrong
) -> dict[ChannelName, str]:
    found: dict[ChannelName, str] = {}
    mobile, email = form.get("mobile", "").strip(), form.get("email", "").strip()
    readings = (
        (ChannelName.SMS, "mobile", normalise_phone(mobile, regions) if mobile else ""),
        (ChannelName.EMAIL, "email", normalise_email(email) if email else ""),
    )
    for channel, name, address in readings:
        if isinstance(address, AddressProblem):
            wrong(name, _VOICE if address is AddressProblem.LANDLINE else address.sentence)
        elif address:
            found[channel] = address
    if not mobile and not email:
        wrong("mobile", _NO_CONTACT)
    return found


def _zones(
    form: Mapping[str, str], catalogue: Catalogue, language: str, wrong: _Wrong
) -> tuple[str, ...]:
    known = catalogue.zones_by_key.items()
    ticked = [key for key, zone in known if ZONE + key in form and not zone.archived]
    typed = form.get("street", "").strip()
    if typed:
        found = find_places(catalogue, typed)
        exact = [zone for zone in found if zone.name(language).casefold() == typed.casefold()]
        found = exact or found
        if not found:
            wrong("street", _NO_STREET)
        elif len(found) > 1:
            wrong("street", _WHICH_STREET, names=", ".join(each.name(language) for each in found))
        else:
            ticked.append(found[0].key)
    return tuple(dict.fromkeys(ticked))


def _quiet(form: Mapping[str, str], wrong: _Wrong) -> tuple[int, int] | None:
    if "quiet" not in form:
        return None
    start, end = (_minutes(form.get(name, "")) for name in ("quiet_from", "quiet_to"))
    if start is None or end is None:
        wrong("quiet_from", _NO_HOURS)
        return None
    return start, end


def _minutes(text: str) -> int | None:
    try:
        moment = datetime.strptime(text.strip().replace("h", ":"), "%H:%M")  # noqa: DTZ007 (no day)
    except ValueError:
        return None
    return moment.hour * 60 + moment.minute


def _told(form: Mapping[str, str], today: date, wrong: _Wrong) -> AtDesk | None:
    given, checked = form.get("given", ""), form.get("checked", "")
    reason, day = form.get("reason", "").strip()[:_REASON], today
    if given not in set(Given):
        wrong("given", _NO_GIVEN)
    elif given == Given.PAPER:
        day = _day(form.get("given_on", "")) or date.max
        if day > today:
            wrong("given_on", _NO_DAY)
    if checked not in set(Checked):
        wrong("checked", _NO_CHECK)
    elif checked != Checked.CODE and not reason:
        wrong("reason", _NO_REASON)
    if given not in set(Given) or checked not in set(Checked):
        return None
    return AtDesk(Given(given), day, Checked(checked), "" if checked == Checked.CODE else reason)


def _day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 (a day alone)
        except ValueError:
            continue
    return None
