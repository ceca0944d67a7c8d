# SPDX-License-Identifier: EUPL-1.2
"""What a citizen means by the few words of an SMS. Pure; accents, case and punctuation forgiven."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_STOP: Final = frozenset(
    [
        *("STOP", "STOPALL", "ARRET", "ARRETS", "ARRETE", "ARRETER", "ARRETEZ", "RESILIER"),
        *("DESABONNER", "DESABONNEMENT", "DESABONNEZ"),
        *("DESINSCRIRE", "DESINSCRIPTION", "DESINSCRIVEZ"),
        *("UNSUBSCRIBE", "QUIT", "CANCEL", "END", "OPTOUT", "REVOKE"),
    ]
)
_START: Final = frozenset(["START", "REPRENDRE", "REPRISE", "UNSTOP"])
_HELP: Final = frozenset(["AIDE", "HELP", "INFO", "INFOS"])
_SUBSCRIBE: Final = frozenset(
    [
        *("ABO", "ABONNEMENT", "ABONNER", "ABONNEZ", "ALERTE", "ALERTES"),
        *("INSCRIPTION", "INSCRIRE", "SUBSCRIBE", "JOIN"),
    ]
)
_ENGLISH: Final = frozenset(
    [
        *("UNSUBSCRIBE", "QUIT", "CANCEL", "END", "OPTOUT", "REVOKE"),
        *("UNSTOP", "HELP", "SUBSCRIBE", "JOIN"),
    ]
)
_COURTESY: Final = frozenset(["SVP", "MERCI", "PLEASE", "THANKS"])
_FEW: Final = 4  # a text of more words than this is a letter, not a command


class Wish(StrEnum):
    """What they want."""

    STOP = "stop"
    START = "start"
    SUBSCRIBE = "subscribe"
    HELP = "help"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Understood:
    """A wish; `about` is what followed the word, folded. `english`: the word is no French one.

    `whole` is all that was written, folded: a theme's name may begin with the word itself.
    """

    wish: Wish
    about: str = ""
    english: bool = False
    whole: str = ""


def understood(body: str) -> Understood:
    """The wish in a text. STOP and a few words nobody knows is a STOP all the same: the right to
    stop does not depend on spelling, and START brings everything back."""
    words = folded(body).split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        words = ["".join(words)]  # S.T.O.P.
    if not words or len(words) > _FEW:
        return Understood(Wish.UNCLEAR)
    first, about = words[0], " ".join(words[1:])
    english = first in _ENGLISH
    if first in _STOP:
        return Understood(Wish.STOP, about, english)
    if first in _SUBSCRIBE:
        asked = " ".join(word for word in words[1:] if word not in _COURTESY)
        return Understood(Wish.SUBSCRIBE, asked, english, " ".join(words))
    if about:
        return Understood(Wish.UNCLEAR)
    if first in _START:
        return Understood(Wish.START, "", english)
    return Understood(Wish.HELP, "", english) if first in _HELP else Understood(Wish.UNCLEAR)


def folded(text: str) -> str:
    """Capitals without accents, words apart by one space."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"[^A-Z0-9]+", " ", bare.upper()).strip()


def matching(about: str, names: Mapping[str, str]) -> str | None:
    """The key whose name (or which itself) is what was written; `names` is by key."""
    if not about:
        return None
    for key, name in names.items():
        if about in {folded(key), folded(name)}:
            return key
    return None


def nearest(about: str, names: Mapping[str, str]) -> str | None:
    """As `matching`, else the only key that, or whose name, begins with what was written: "ECOLE"
    for "Écoles". None where several do."""
    exact = matching(about, names)
    if exact is not None or not about:
        return exact
    near = [
        key
        for key, name in names.items()
        if folded(key).startswith(about) or folded(name).startswith(about)
    ]
    return near[0] if len(near) == 1 else None
