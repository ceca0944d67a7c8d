# SPDX-License-Identifier: EUPL-1.2
"""What the town answers to an SMS: one segment of GSM-7, in the citizen's language."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from templates import gsm
from templates.phrases import DEFAULT_LANGUAGE


class Answer(StrEnum):
    """What is said."""

    STOPPED = "stopped"
    STOPPED_THEME = "stopped_theme"
    STARTED = "started"
    NOTHING_TO_START = "nothing_to_start"
    HELP = "help"
    SUBSCRIBED = "subscribed"
    SUBSCRIBED_BLOCKED = "subscribed_blocked"  # the provider refuses this number until START
    WHICH_THEME = "which_theme"  # `theme` lists the words that may follow
    NOT_A_MOBILE = "not_a_mobile"


_TEXTS: Final[Mapping[str, Mapping[Answer, str]]] = {
    "fr": {
        Answer.STOPPED: "{town} : c'est noté, vous ne recevrez plus nos SMS. "
        "Pour reprendre : START",
        Answer.STOPPED_THEME: "{town} : c'est noté, plus de SMS sur le thème {theme}. "
        "Tout arrêter : STOP. Reprendre : START",
        Answer.STARTED: "{town} : vous recevez à nouveau nos SMS. Pour arrêter : STOP",
        Answer.NOTHING_TO_START: "{town} : ce numéro n'a rien à reprendre. "
        "Pour vous inscrire : {url}",
        Answer.HELP: "{town} : STOP pour ne plus recevoir nos SMS, STOP ou ABO et un thème "
        "pour l'arrêter ou l'ajouter, START pour reprendre. {url}",
        Answer.SUBSCRIBED: "{town} : c'est fait, vous recevrez par SMS : {theme}. "
        "Pour arrêter : STOP. Vos choix : {url}",
        Answer.SUBSCRIBED_BLOCKED: "{town} : c'est noté. Depuis votre STOP, l'opérateur bloque "
        "nos SMS : envoyez START. Pour arrêter : STOP",
        Answer.WHICH_THEME: "{town} : pour vous inscrire, envoyez ABO et un thème : {theme}. {url}",
        Answer.NOT_A_MOBILE: "{town} : nous n'envoyons pas de SMS à ce numéro. "
        "Pour vous inscrire autrement : {url}",
    },
    "en": {
        Answer.STOPPED: "{town}: done, you will get no more texts from us. To resume: START",
        Answer.STOPPED_THEME: "{town}: done, no more texts about {theme}. "
        "To stop all: STOP. To resume: START",
        Answer.STARTED: "{town}: you will get our texts again. To stop: STOP",
        Answer.NOTHING_TO_START: "{town}: there is nothing to resume for this number. "
        "To subscribe: {url}",
        Answer.HELP: "{town}: STOP to get no more texts, STOP or JOIN and a theme to stop or add "
        "that one, START to resume. {url}",
        Answer.SUBSCRIBED: "{town}: done, you will get texts about: {theme}. "
        "To stop: STOP. Your choices: {url}",
        Answer.SUBSCRIBED_BLOCKED: "{town}: noted. Since your STOP the operator blocks our texts: "
        "send START. To stop: STOP",
        Answer.WHICH_THEME: "{town}: to subscribe, send JOIN and a theme: {theme}. {url}",
        Answer.NOT_A_MOBILE: "{town}: we send no texts to this number. "
        "Other ways to subscribe: {url}",
    },
}


def answer(what: Answer, language: str, *, town: str, url: str, theme: str = "") -> str:
    """The text, never more than one segment: long names are cut, then the link is left out."""
    texts = _TEXTS.get(language, _TEXTS[DEFAULT_LANGUAGE])
    for name, link in ((60, url), (60, ""), (20, "")):
        said = texts[what].format(town=town[:name], theme=theme[:name], url=link)
        plain = "".join(each if each in gsm.GSM else "?" for each in gsm.economical(said.strip()))
        if gsm.segments(plain).count == 1:
            return plain.removesuffix(" :").removesuffix(":")
    raise AssertionError("an answer fits in one SMS")
