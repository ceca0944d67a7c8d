# SPDX-License-Identifier: EUPL-1.2
"""The sentences and key words of this room, in every language the packaged templates speak."""

from collections.abc import Mapping
from typing import assert_never

from channels.base import ChannelName, Urgency
from templates.content import Kind
from templates.refusals import Empty, Refusal, TooLong, Unit, Unwritable

DEFAULT_LANGUAGE = "fr"

DRILL: Mapping[str, str] = {"fr": "EXERCICE", "en": "DRILL"}
COLON: Mapping[str, str] = {"fr": " : ", "en": ": "}

_ALERT: Mapping[str, str] = {"fr": "ALERTE", "en": "ALERT"}
_KIND: Mapping[str, Mapping[Kind, str]] = {
    "fr": {
        Kind.UPDATE: "MISE À JOUR",
        Kind.CORRECTION: "RECTIFICATIF",
        Kind.ALL_CLEAR: "FIN D'ALERTE",
    },
    "en": {Kind.UPDATE: "UPDATE", Kind.CORRECTION: "CORRECTION", Kind.ALL_CLEAR: "ALL CLEAR"},
}
_IN_SMS: Mapping[str, str] = {"MISE À JOUR": "MAJ"}  # À would turn the SMS into UCS-2

_TOO_LONG: Mapping[str, Mapping[Unit, str]] = {
    "fr": {
        Unit.SEGMENTS: "Le message prend {size} SMS ; le maximum est {limit}. Retirez {remove}.",
        Unit.WEIGHTED: "Le post compte {size} caractères pour X ; le maximum est {limit}. "
        "Retirez {remove}, ou publiez un fil.",
        Unit.WORD: "Un mot compte {size} caractères pour X ; il y a place pour {limit}. "
        "Retirez {remove}.",
        Unit.POSTS: "Le fil prend {size} posts ; le maximum est {limit}. Retirez {remove}.",
        Unit.BYTES: "La notification pèse {size} octets ; le maximum est {limit}. "
        "Retirez {remove}.",
    },
    "en": {
        Unit.SEGMENTS: "The message takes {size} SMS; the most is {limit}. Remove {remove}.",
        Unit.WEIGHTED: "The post counts {size} characters on X; the most is {limit}. "
        "Remove {remove}, or publish a thread.",
        Unit.WORD: "One word counts {size} characters on X; there is room for {limit}. "
        "Remove {remove}.",
        Unit.POSTS: "The thread takes {size} posts; the most is {limit}. Remove {remove}.",
        Unit.BYTES: "The notification weighs {size} bytes; the most is {limit}. Remove {remove}.",
    },
}
_COUNTED: Mapping[str, tuple[str, str]] = {
    "fr": ("caractère", "octet"),
    "en": ("character", "byte"),
}
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Le titre",
        "body": "Le message",
        "short": "Le texte court",
        "link": "Le lien",
        ChannelName.SMS: "Le texte du SMS",
        ChannelName.EMAIL: "Le texte de l'e-mail",
        ChannelName.X: "Le texte pour X",
        ChannelName.WEBPUSH: "Le texte de la notification",
    },
    "en": {
        "title": "The title",
        "body": "The message",
        "short": "The short text",
        "link": "The link",
        ChannelName.SMS: "The SMS text",
        ChannelName.EMAIL: "The e-mail text",
        ChannelName.X: "The text for X",
        ChannelName.WEBPUSH: "The notification's text",
    },
}
_EMPTY: Mapping[str, str] = {
    "fr": "{field} est vide. Écrivez au moins une phrase.",
    "en": "{field} is empty. Write at least one sentence.",
}
_UNWRITABLE: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "mark": "{field} contient le repère réservé au lien personnel, en position {position}. "
        "Retirez-le.",
        "scheme": "{field} doit commencer par https://.",
        "unseen": "{field} contient un caractère invisible ({what}), en position {position}. "
        "Retirez-le.",
    },
    "en": {
        "mark": "{field} holds the mark kept for the personal link, at position {position}. "
        "Remove it.",
        "scheme": "{field} must start with https://.",
        "unseen": "{field} holds an invisible character ({what}), at position {position}. "
        "Remove it.",
    },
}


def spoken(language: str) -> str:
    """The language of these tables nearest to `language`: itself, its base, else French."""
    return next((each for each in (language, base(language)) if each in DRILL), DEFAULT_LANGUAGE)


def base(language: str) -> str:
    """The first subtag of a language tag: ``pt`` for ``pt-BR`` (RFC 5646 section 2.2.1)."""
    return language.partition("-")[0].lower()


def label(urgency: Urgency, kind: Kind, language: str, *, sms: bool = False) -> str:
    """The key word a message starts with, or nothing: what it is to the first one, else ALERT.

    A drill's own word is not here: `drill` puts it around the whole text.
    """
    tongue = spoken(language)
    alert = _ALERT[tongue] if urgency is Urgency.URGENT else ""
    word = _KIND[tongue].get(kind, alert)
    return _IN_SMS.get(word, word) if sms else word


def sentence(refusal: Refusal, language: str) -> str:
    """What is wrong with a text and how to mend it, for the officer who wrote it."""
    tongue = spoken(language)
    match refusal:
        case TooLong():
            return _TOO_LONG[tongue][refusal.unit].format(
                size=refusal.size, limit=refusal.limit, remove=_amount(refusal, tongue)
            )
        case Empty():
            return _EMPTY[tongue].format(field=_FIELDS[tongue][refusal.field])
        case Unwritable():
            texts = _UNWRITABLE[tongue]
            return texts.get(refusal.what, texts["unseen"]).format(
                field=_FIELDS[tongue][refusal.field],
                what=refusal.what,
                position=refusal.position + 1,
            )
        case _:  # pragma: no cover
            assert_never(refusal)


def _amount(refusal: TooLong, language: str) -> str:
    character, byte = _COUNTED[language]
    noun = byte if refusal.unit is Unit.BYTES else character
    return f"{refusal.remove} {noun}{'' if refusal.remove == 1 else 's'}"
