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


_TEXTS: Final[Mapping[str, Mapping[Answer, str]]] = {
    "fr": {
        Answer.STOPPED: "{town} : c'est noté, vous ne recevrez plus nos SMS. "
        "Pour reprendre : START",
        Answer.STOPPED_THEME: "{town} : c'est noté, plus de SMS sur le thème {theme}. "
        "Tout arrêter : STOP. Reprendre : START",
        Answer.STARTED: "{town} : vous recevez à nouveau nos SMS. Pour arrêter : STOP",
        Answer.NOTHING_TO_START: "{town} : ce numéro n'a rien à reprendre. "
        "Pour vous inscrire : {url}",
        Answer.HELP: "{town} : répondez STOP pour ne plus recevoir nos SMS, STOP et un thème "
        "pour l'arrêter, START pour reprendre. {url}",
    },
    "en": {
        Answer.STOPPED: "{town}: done, you will get no more texts from us. To resume: START",
        Answer.STOPPED_THEME: "{town}: done, no more texts about {theme}. "
        "To stop all: STOP. To resume: START",
        Answer.STARTED: "{town}: you will get our texts again. To stop: STOP",
        Answer.NOTHING_TO_START: "{town}: there is nothing to resume for this number. "
        "To subscribe: {url}",
        Answer.HELP: "{town}: reply STOP to get no more texts, STOP and a theme to stop that one, "
        "START to resume. {url}",
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
