# SPDX-License-Identifier: EUPL-1.2
"""Does an alert say all that people need to act on it? Six checks by heuristics, in French and in
English: advice to whoever writes, never a refusal but of an urgent alert nobody acknowledged.

The six are who speaks, what happens, where, from when, what to do, where to verify it (the
source, hazard, place, time and action of warning research, and the link that research on real
alerts found missing most). Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Element(StrEnum):
    """One of the six, in the order they are told."""

    SOURCE = "source"
    HAZARD = "hazard"
    PLACE = "place"
    TIME = "time"
    ACTION = "action"
    LINK = "link"


_LINK: Final = re.compile(
    r"https?://\S+|\bwww\.\S+|"
    r"(?<![a-z0-9-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,9}"  # bounded: read in one go
    r"\.(?:fr|org|com|net|eu|info|alsace|bzh)\b"
)
_SPEAKERS: Final = re.compile(
    r"\b(?:mairie|ville de|commune de|prefecture|prefet|hotel de ville|communaute de communes|"
    r"agglomeration|metropole|syndicat|police municipale|pompiers|sdis|"
    r"town hall|town of|city of|council|prefecture|fire service|mayor)\b"
)
_STREETS: Final = re.compile(
    r"\b(?:rue|avenue|boulevard|place|quai|chemin|route|impasse|allee|cours|pont|square|quartier|"
    r"lieu-dit|hameau|secteur|bords? de|gare|ecoles?|college|lycee|salle|stade|parc|cimetiere|"
    r"mediatheque|bibliotheque|piscine|gymnase|marche)\b(?=\s+\w)|"
    r"\b[ad]\d{1,3}\b|\b(?:toute|dans|sur) la (?:ville|commune)\b|"
    r"\b(?:street|road|bridge|square|district|whole town|all over town|in town|river banks?)\b"
)
_HOUR: Final = re.compile(
    r"\b(?:[01]?\d|2[0-4]) ?(?:h(?: ?[0-5]\d)?|heures?)\b|"
    r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b|\b1?\d(?:[:.][0-5]\d)? ?(?:am|pm)\b|"
    r"\b(?:midi|minuit|noon|midnight)\b"
)
_ONLY_THE_END: Final = re.compile(
    r"(?:jusqu'? ?a|jusqu'au [^.,;]{0,30}|avant|until|till|before|by|expire[sz]? (?:a|at))\s*$"
)
_BEFORE: Final = 50
"""Characters before an hour that may say it is the end: as many as that pattern takes."""
_AT_ONCE: Final = re.compile(
    r"\b(?:maintenant|immediatement|immediate?|sans delai|en cours|toute la journee|"
    r"toute la nuit|ce matin|cet apres-midi|ce soir|cette nuit|des reception|"
    r"now|immediately|under way|ongoing|all day|all night|this morning|this afternoon|"
    r"this evening|tonight)\b"
)
_FRENCH_ORDERS: Final = re.compile(
    r"(?:^|[.!?:;,\n(-]\s*|\b(?:et|puis|ou|svp|ne(?: l[ae]s?)?|n')\s*)"
    r"(?!(?:chez|assez|avez|etes|pouvez|devez|savez|recevez|voulez|allez-y)\b)[a-z]{2,}ez(?:-\w+)?\b|"
    r"\b(?:faites|dites|soyez|ayez|veuillez|merci de|priere de|il faut|vous devez|interdite?s?|"
    r"interdiction|obligatoire|il est (?:conseille|demande|recommande|interdit)|ne pas|"
    r"rien a faire|aucune (?:action|demarche))\b"
)
_ENGLISH_ORDERS: Final = re.compile(
    r"(?:^|[.!?:;,\n(-]\s*|\b(?:and|then|or|please)\s+)"
    r"(?:stay|avoid|close|fill|evacuate|move|keep|follow|listen|call|check|prepare|use|leave|turn|"
    r"boil|go|take|report|bring|register|come|shut|switch|wait|read|store|limit|save|open|remain|"
    r"drive|park|seek|get|make|put|return|wash|drink|tell|phone)\b|"
    r"\b(?:do not|don't|please|you must|you should|must not|forbidden|no need to|"
    r"nothing to do)\b"
)
_SMALL_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "alerte info information exercice attention message urgent ville mairie commune dans pour "
        "avec vers depuis entre jusqu cette leur leurs votre vous nous sont sera seront fait plus "
        "tout tous toute toutes lundi mardi mercredi jeudi vendredi samedi dimanche demain "
        "aujourd matin soir janvier fevrier mars avril juin juillet aout septembre octobre "
        "novembre decembre heures alert drill warning update town hall from until with this that "
        "will have your monday tuesday wednesday thursday friday saturday sunday today tomorrow "
        "morning evening quartier secteur infos stop",
    )
)


def completeness(text: str, *, sender: str, places: Iterable[str]) -> Mapping[Element, bool]:
    """Which of the six a text says; `text` as it leaves, with the sender and link put to it.

    `sender` is the authority's name, `places` the names of its zones in any language.
    """
    said = _plain(text)
    names = sorted(filter(None, map(_plain, places)), key=len, reverse=True)
    bare = _LINK.sub(" ", said)
    return {
        Element.SOURCE: _plain(sender) in said or bool(_SPEAKERS.search(bare)),
        Element.HAZARD: _says_what(bare, _plain(sender), names),
        Element.PLACE: bool(_STREETS.search(_without(bare, [_plain(sender)])))
        or _names_one(_without(bare, [_plain(sender)]), names),
        Element.TIME: bool(_AT_ONCE.search(bare)) or _starts(bare),
        Element.ACTION: bool(_FRENCH_ORDERS.search(bare) or _ENGLISH_ORDERS.search(bare)),
        Element.LINK: bool(_LINK.search(said)),
    }


def missing(found: Mapping[Element, bool]) -> tuple[Element, ...]:
    """What a text does not say."""
    return tuple(element for element in Element if not found[element])


def _plain(text: str) -> str:
    """Without accents, capitals, typographic apostrophes or odd blanks."""
    bare = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    bare = "".join(each for each in bare if unicodedata.category(each) != "Mn")
    lines = (" ".join(line.split()) for line in bare.replace("’", "'").lower().split("\n"))
    return "\n".join(filter(None, lines))


def _starts(text: str) -> bool:
    """An hour is named that is not merely when it ends."""
    before = (text[max(0, hour.start() - _BEFORE) : hour.start()] for hour in _HOUR.finditer(text))
    return any(not _ONLY_THE_END.search(each) for each in before)


def _names_one(text: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def _without(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = text.replace(name, " ") if name else text
    return text


def _says_what(text: str, sender: str, names: Iterable[str]) -> bool:
    """Something is left once who, where, when and what to do are taken out."""
    rest = _without(text, [sender, *names])
    for pattern in (_HOUR, _AT_ONCE, _STREETS, _FRENCH_ORDERS, _ENGLISH_ORDERS):
        rest = pattern.sub(" ", rest)
    words = re.findall(r"[a-z]{4,}", rest)
    return any(word not in _SMALL_WORDS for word in words)
