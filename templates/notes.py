# SPDX-License-Identifier: EUPL-1.2
"""What the hub tells one person in answer to what they asked: a code, a link, a trial message.

Short on purpose: an SMS is one segment of GSM-7, and says what to do for whoever did not ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, assert_never

from channels.base import ChannelName, EmailText, PushText, Rendered, SmsText, Text
from templates import filters, gsm
from templates.characters import one_line
from templates.content import Letterhead, NoteKind
from templates.frame import direction_of, list_id, list_name, topic
from templates.phrases import spoken
from templates.render import Composer, inline

_LAYOUT: Final = "note.email.html"


@dataclass(frozen=True, slots=True)
class NoteWords:
    """What is only for this reader: the code, the address to open, for how many minutes."""

    kind: NoteKind
    code: str
    url: str
    minutes: int


class _Letter(NamedTuple):
    subject: str
    says: str
    button: str
    after: str


_SMS: Final[Mapping[str, Mapping[NoteKind, str]]] = {
    "fr": {
        NoteKind.CODE: "{town} : votre code est {code}. Il est valable {minutes} minutes. "
        "Vous n'avez rien demandé ? Ignorez ce message.",
        NoteKind.SIGN_IN: "{town} : vos alertes, pendant {minutes} minutes : {url}",
        NoteKind.TEST: "{town} : ce message d'essai est bien arrivé. Rien à faire.",
    },
    "en": {
        NoteKind.CODE: "{town}: your code is {code}. It is valid for {minutes} minutes. "
        "You did not ask? Ignore this message.",
        NoteKind.SIGN_IN: "{town}: your alerts, for {minutes} minutes: {url}",
        NoteKind.TEST: "{town}: this trial message has arrived. Nothing to do.",
    },
}
_LETTERS: Final[Mapping[str, Mapping[NoteKind, _Letter]]] = {
    "fr": {
        NoteKind.CONFIRM: _Letter(
            "{town} : confirmez votre adresse e-mail",
            "Quelqu'un, sans doute vous, a demandé à recevoir les alertes de {town} à cette "
            "adresse. Ouvrez ce lien, puis confirmez.",
            "Confirmer mon adresse",
            "Le lien est valable {hours} heures. Vous n'avez rien demandé ? Ne faites rien : "
            "vous ne recevrez aucun autre message, et l'adresse sera effacée.",
        ),
        NoteKind.SIGN_IN: _Letter(
            "{town} : votre lien pour gérer vos alertes",
            "Vous avez demandé à ouvrir vos préférences. Ce lien ne sert qu'une fois.",
            "Ouvrir mes alertes",
            "Il est valable {minutes} minutes. Vous n'avez rien demandé ? Ignorez ce message : "
            "rien n'a changé.",
        ),
        NoteKind.TEST: _Letter(
            "{town} : message d'essai",
            "Ce message d'essai est bien arrivé. Vous n'avez rien à faire.",
            "Voir les annonces",
            "Les alertes de {town} arriveront de la même manière.",
        ),
    },
    "en": {
        NoteKind.CONFIRM: _Letter(
            "{town}: confirm your e-mail address",
            "Somebody, probably you, asked for the alerts of {town} at this address. Open this "
            "link, then confirm.",
            "Confirm my address",
            "The link is valid for {hours} hours. You did not ask? Do nothing: you will get no "
            "other message, and the address will be erased.",
        ),
        NoteKind.SIGN_IN: _Letter(
            "{town}: your link to manage your alerts",
            "You asked to open your preferences. This link works once.",
            "Open my alerts",
            "It is valid for {minutes} minutes. You did not ask? Ignore this message: nothing has "
            "changed.",
        ),
        NoteKind.TEST: _Letter(
            "{town}: trial message",
            "This trial message has arrived. You have nothing to do.",
            "See the announcements",
            "The alerts of {town} will arrive the same way.",
        ),
    },
}


def compose_note(
    composer: Composer,
    channel: ChannelName,
    language: str,
    words: NoteWords,
    letterhead: Letterhead,
) -> Rendered:
    """The message. Raises `ValueError` for a kind that does not leave on this channel, and
    `TemplateFault` for a broken layout."""
    locale = spoken(language)
    try:
        text = _text(composer, channel, locale, words, letterhead)
    except KeyError:
        raise ValueError(f"no note of kind {words.kind} leaves on {channel}") from None
    return Rendered(channel, locale, letterhead.key, text)


def _text(
    composer: Composer, channel: ChannelName, locale: str, words: NoteWords, letterhead: Letterhead
) -> Text:
    match channel:
        case ChannelName.SMS:
            return _sms(locale, words, letterhead)
        case ChannelName.EMAIL:
            return _email(composer, locale, words, letterhead)
        case ChannelName.WEBPUSH:
            return _push(locale, words, letterhead)
        case ChannelName.X:
            raise KeyError(channel)
        case _:  # pragma: no cover
            assert_never(channel)


def _names(words: NoteWords, town: str) -> dict[str, object]:
    return {
        "town": town,
        "code": words.code,
        "url": words.url,
        "minutes": words.minutes,
        "hours": words.minutes // 60,
    }


def _sms(locale: str, words: NoteWords, letterhead: Letterhead) -> SmsText:
    """A long town's name is cut rather than paid for twice. A code ends with the line that phones
    and browsers fill a form by (WICG, origin-bound one-time codes)."""
    bound = f"\n\n@{letterhead.list_domain} #{words.code}" if words.kind is NoteKind.CODE else ""
    for town, tail in ((letterhead.sender, bound), (letterhead.sender[:30], bound), ("", "")):
        said = _SMS[locale][words.kind].format(**_names(words, town or letterhead.sender[:20]))
        body = "".join(each if each in gsm.GSM else "?" for each in gsm.economical(said)) + tail
        if gsm.segments(body).count == 1:
            break
    return SmsText(body)


def _email(composer: Composer, locale: str, words: NoteWords, letterhead: Letterhead) -> EmailText:
    names = _names(words, letterhead.authority)
    letter = _Letter(*(each.format(**names) for each in _LETTERS[locale][words.kind]))
    page = composer.catalogue.layout(_LAYOUT, locale).render(
        {
            **letter._asdict(),
            "locale": locale,
            "authority": letterhead.authority,
            "url": words.url,
            "stop_url": letterhead.stop_url,
        }
    )
    text = f"{letter.says}\n\n{letter.button} :\n{words.url}\n\n{letter.after}\n\n-- \n"
    return EmailText(
        subject=one_line(letter.subject),
        text=f"{text}{letterhead.authority}\n{_WHY[locale]} {letterhead.stop_url}\n",
        html=inline(page),
        stop_url=letterhead.stop_url,
        list_id=list_id(letterhead),
        list_name=list_name(letterhead),
    )


_WHY: Final = {
    "fr": "Ne plus recevoir aucun message :",
    "en": "Get no message any more:",
}


def _push(locale: str, words: NoteWords, letterhead: Letterhead) -> PushText:
    letter = _LETTERS[locale][words.kind]
    names = _names(words, letterhead.authority)
    tag = topic(letterhead.key)
    message = {
        "web_push": 8030,
        "notification": {
            "title": letterhead.authority,
            "body": letter.says.format(**names),
            "navigate": words.url,
            "lang": locale,
            "dir": direction_of(locale),
            "tag": tag,
        },
    }
    return PushText(filters.to_json(message), tag)
