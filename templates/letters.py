# SPDX-License-Identifier: EUPL-1.2
"""What the hub writes to the town hall's own officers: one sentence, why, one button."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from channels.base import ChannelName, EmailText, Rendered, SmsText
from templates import gsm
from templates.characters import one_line
from templates.phrases import spoken
from templates.render import Composer, inline

_LAYOUT: Final = "officer.email.html"


class LetterKind(StrEnum):
    """What a letter is about."""

    APPROVAL = "approval"  # somebody asks for your approval
    URGENT = "urgent"  # the same, of an urgent alert
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    PASSWORD = "password"  # noqa: S105 (a subject, not a secret)
    TRIAL = "trial"  # an announcement as it would leave: not composed here
    PROBE = "probe"  # whether the channel works


@dataclass(frozen=True, slots=True)
class LetterWords:
    """What is said: `town` writes it, `by` is who did something to `title`, for a `reason`, and
    `url` is where the button leads. `key` names the letter in logs."""

    kind: LetterKind
    key: str
    town: str
    url: str
    title: str = field(default="", repr=False)
    by: str = ""
    reason: str = field(default="", repr=False)


class _Said(NamedTuple):
    subject: str
    says: str
    button: str
    after: str


_FR: Final[Mapping[LetterKind, _Said]] = {
    LetterKind.APPROVAL: _Said(
        "À valider\u00a0: {title}",
        "{by} demande une validation pour l’annonce «\u00a0{title}\u00a0».",
        "Lire et décider",
        "Rien ne part avant. Si quelqu’un a déjà décidé, la page le dit.",
    ),
    LetterKind.URGENT: _Said(
        "URGENT, à valider\u00a0: {title}",
        "{by} demande une validation pour une alerte urgente, «\u00a0{title}\u00a0».",
        "Lire et décider",
        "Rien ne part avant. Si quelqu’un a déjà décidé, la page le dit.",
    ),
    LetterKind.RETURNED: _Said(
        "À corriger\u00a0: {title}",
        "{by} renvoie l’annonce «\u00a0{title}\u00a0» pour correction.",
        "Corriger l’annonce",
        "Elle est redevenue un brouillon\u00a0: une fois corrigée, redemandez la validation.",
    ),
    LetterKind.APPROVED: _Said(
        "Validée\u00a0: {title}",
        "{by} a validé l’annonce «\u00a0{title}\u00a0».",
        "Suivre l’annonce",
        "Vous n’avez rien à faire.",
    ),
    LetterKind.REJECTED: _Said(
        "Rejetée\u00a0: {title}",
        "{by} a rejeté l’annonce «\u00a0{title}\u00a0».",
        "Voir l’annonce",
        "Elle ne partira pas.",
    ),
    LetterKind.PASSWORD: _Said(
        "Choisir un nouveau mot de passe",
        "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour la console de {town}.",
        "Choisir mon mot de passe",
        "Ce lien ne sert qu’une fois, dans l’heure qui suit la demande. Vous n’avez rien "
        "demandé\u00a0? Ne faites rien\u00a0: votre mot de passe reste le même.",
    ),
    LetterKind.PROBE: _Said(
        "{town}\u00a0: message d’essai",
        "Ce message d’essai vient de la console de {town}. Il est bien arrivé.",
        "Ouvrir la console",
        "Vous n’avez rien à faire.",
    ),
}
_EN: Final[Mapping[LetterKind, _Said]] = {
    LetterKind.APPROVAL: _Said(
        "To approve: {title}",
        "{by} asks for approval of the announcement “{title}”.",
        "Read and decide",
        "Nothing leaves before. If somebody has decided already, the page says so.",
    ),
    LetterKind.URGENT: _Said(
        "URGENT, to approve: {title}",
        "{by} asks for approval of an urgent alert, “{title}”.",
        "Read and decide",
        "Nothing leaves before. If somebody has decided already, the page says so.",
    ),
    LetterKind.RETURNED: _Said(
        "To correct: {title}",
        "{by} returns the announcement “{title}” for changes.",
        "Correct the announcement",
        "It is a draft again: once it is corrected, ask for approval again.",
    ),
    LetterKind.APPROVED: _Said(
        "Approved: {title}",
        "{by} approved the announcement “{title}”.",
        "Follow the announcement",
        "You have nothing to do.",
    ),
    LetterKind.REJECTED: _Said(
        "Rejected: {title}",
        "{by} rejected the announcement “{title}”.",
        "See the announcement",
        "It will not leave.",
    ),
    LetterKind.PASSWORD: _Said(
        "Choose a new password",
        "Somebody, probably you, asked for a new password to the console of {town}.",
        "Choose my password",
        "This link works once, within an hour of the request. You did not ask? Do nothing: your "
        "password stays the same.",
    ),
    LetterKind.PROBE: _Said(
        "{town}: trial message",
        "This trial message comes from the console of {town}. It has arrived.",
        "Open the console",
        "You have nothing to do.",
    ),
}
_WORDS: Final = {"fr": _FR, "en": _EN}
_WHY: Final = {"fr": "Motif\u00a0:", "en": "Reason:"}
_COLON: Final = {"fr": "\u00a0:", "en": ":"}
_FOOT: Final = {
    "fr": "Ce message s’adresse aux agents de la console.",
    "en": "This message is for the officers of the console.",
}


_PROBE_SMS: Final = {
    "fr": "{town} : message d'essai de la console. Rien à faire.",
    "en": "{town}: trial message from the console. Nothing to do.",
}


def compose_probe(
    composer: Composer, channel: ChannelName, language: str, town: str, url: str
) -> Rendered:
    """A trial message to an address somebody typed: a letter, or an SMS of one segment. Raises
    `ValueError` on a channel where nobody is written to by address."""
    key = "probe"
    if channel is ChannelName.EMAIL:
        return compose_letter(composer, language, LetterWords(LetterKind.PROBE, key, town, url))
    if channel is not ChannelName.SMS:
        raise ValueError(f"no trial message leaves on {channel}")
    locale = spoken(language)
    said = gsm.economical(_PROBE_SMS[locale].format(town=one_line(town)[:60]))
    body = "".join(each if each in gsm.GSM else "?" for each in said)
    return Rendered(channel, locale, key, SmsText(body))


def compose_letter(composer: Composer, language: str, words: LetterWords) -> Rendered:
    """The letter, in text and HTML; it is of no list, and nobody unsubscribes from it. Raises
    `TemplateFault` for a broken layout."""
    locale = spoken(language)
    names = {"town": words.town, "title": words.title, "by": words.by}
    said = _Said(*(each.format(**names) for each in _WORDS[locale][words.kind]))
    why = f"{_WHY[locale]} {words.reason}" if words.reason else ""
    page = composer.catalogue.layout(_LAYOUT, locale).render(
        {
            **said._asdict(),
            "why": why,
            "locale": locale,
            "town": words.town,
            "url": words.url,
            "foot": _FOOT[locale],
        }
    )
    button = f"{said.button}{_COLON[locale]}\n{words.url}"
    parts = (said.says, why, button, said.after, f"-- \n{words.town}\n{_FOOT[locale]}\n")
    text = EmailText(
        subject=one_line(said.subject),
        text="\n\n".join(filter(None, parts)),
        html=inline(page),
        stop_url=None,
    )
    return Rendered(ChannelName.EMAIL, locale, words.key, text)
