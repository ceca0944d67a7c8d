# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with what an officer wrote and how to put it right, in both languages (UX.md 9)."""

from collections.abc import Mapping
from typing import Final

from hub.flow.writing.moments import Slip

Both = tuple[str, str]
"""French, English."""

FAULTS: Final[Mapping[str, Both]] = {
    "title": ("Écrivez le titre.", "Write the title."),
    "body": ("Écrivez le message.", "Write the message."),
    "six_source": (
        "Dites qui parle, par exemple\u00a0: Ville de Valmont-sur-Orne.",
        "Say who speaks, for example: the town of Valmont-sur-Orne.",
    ),
    "six_what": (
        "Dites ce qui arrive, par exemple\u00a0: fuite de gaz.",
        "Say what happens, for example: gas leak.",
    ),
    "six_where": (
        "Dites où, par exemple\u00a0: rue Basse, quartier des Tanneries.",
        "Say where, for example: rue Basse, in the Tanneries.",
    ),
    "six_when": (
        "Dites depuis quand ou à quelle heure, par exemple\u00a0: dès 14 h.",
        "Say since when or at what time, for example: from 2 pm.",
    ),
    "six_do": (
        "Dites ce qu'il faut faire, par exemple\u00a0: restez chez vous, fermez les fenêtres.",
        "Say what to do, for example: stay indoors, close the windows.",
    ),
    "six_check": (
        "Dites où vérifier, par exemple\u00a0: mairie, 02 61 91 00 00.",
        "Say where to check, for example: town hall, 02 61 91 00 00.",
    ),
    "blank": (
        "Le texte contient un blanc à remplir\u00a0: {blank}.",
        "The text has a blank to fill in: {blank}.",
    ),
    "themes": ("Choisissez au moins un thème.", "Choose at least one theme."),
    "channels": ("Choisissez au moins un canal.", "Choose at least one channel."),
    "zones": (
        "Choisissez au moins un lieu, ou toute la ville.",
        "Choose at least one place, or the whole town.",
    ),
    "whole_and_places": (
        "Choisissez toute la ville ou des lieux, pas les deux.",
        "Choose the whole town or some places, not both.",
    ),
    "two_areas": (
        "Gardez le tracé ou le cercle, pas les deux.",
        "Keep the outline or the circle, not both.",
    ),
    "outline": (
        "Donnez au moins trois points, un par ligne, par exemple\u00a0: 48.8512, 0.0731.",
        "Give at least three points, one a line, for example: 48.8512, 0.0731.",
    ),
    "outline_line": (
        "La ligne {line} n'est pas un point. Écrivez par exemple\u00a0: 48.8512, 0.0731.",
        "Line {line} is no point. Write latitude, longitude, for example: 48.8512, 0.0731.",
    ),
    "circle_at": (
        "Écrivez le centre comme latitude, longitude, par exemple\u00a0: 48.8512, 0.0731.",
        "Write the centre as latitude, longitude, for example: 48.8512, 0.0731.",
    ),
    "circle_metres": (
        "Écrivez la distance en mètres, de 10 à 50 000.",
        "Write the distance in metres, from 10 to 50,000.",
    ),
    "past": (
        "La date d'envoi est passée. Choisissez une date après aujourd'hui {now}.",
        "The sending date is past. Choose a date after today {now}.",
    ),
    "expires": (
        "La fin de validité doit être après l'envoi.",
        "The end of validity must come after the sending.",
    ),
    "number": ("Écrivez un nombre entier.", "Write a whole number."),
}

SLIPS: Final[Mapping[Slip, Both]] = {
    Slip.DAY: (
        "Écrivez un jour, par exemple\u00a0: 26/11/2026.",
        "Write a day, for example: 2026-11-26.",
    ),
    Slip.HOUR: (
        "Écrivez une heure, par exemple\u00a0: 08:00.",
        "Write a time, for example: 08:00.",
    ),
    Slip.SKIPPED: (
        "Cette heure n'existe pas (passage à l'heure d'été). Choisissez-en une autre.",
        "This hour does not exist on that day: the clocks go forward. Choose another.",
    ),
    Slip.TWICE: (
        "Cette heure arrive deux fois ce jour-là. Choisissez la première ou la deuxième fois.",
        "This hour comes twice on that day. Choose the first or the second time.",
    ),
}
