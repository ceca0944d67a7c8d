# SPDX-License-Identifier: EUPL-1.2
"""Why no code leaves now, or why an answer is not taken, in words that say when to try again."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from channels.base import ChannelName
from hub.flow.citizens.asking import Answered, Asked, Refusal, Verdict
from subscribers.wording import Sentence
from templates.pages import moments

_OTHER_WAY: Final = {
    ChannelName.SMS: Sentence(" ou choisissez l’e-mail", " or choose e-mail"),
    ChannelName.EMAIL: Sentence(" ou choisissez le SMS", " or choose text messages"),
}
_NO_OTHER: Final = Sentence("", "")


def why_not_asked(asked: Asked, channel: ChannelName, now: datetime, zone: ZoneInfo) -> Sentence:
    """Of a refusal: "Trop d’essais. Réessayez à 14 h 20 ou choisissez l’e-mail."."""
    when, other = _when(asked.until, now, zone), _OTHER_WAY.get(channel, _NO_OTHER)
    match asked.refusal:
        case Refusal.TOO_SOON:
            return Sentence(
                f"Un message vient de partir. Vous pourrez en demander un autre {when.fr}.",
                f"A message has just left. You can ask for another one {when.en}.",
            )
        case Refusal.BUDGET:
            return Sentence(
                f"La ville n’envoie plus de messages de ce genre aujourd’hui. "
                f"Réessayez {when.fr}{other.fr}.",
                f"The town sends no more messages of this kind today. "
                f"Try again {when.en}{other.en}.",
            )
        case _:
            return Sentence(
                f"Trop d’essais. Réessayez {when.fr}{other.fr}.",
                f"Too many tries. Try again {when.en}{other.en}.",
            )


def why_not_taken(answered: Answered, again: datetime, now: datetime, zone: ZoneInfo) -> Sentence:
    """Of a code that was not right; `again` is when another may be asked for."""
    match answered.verdict:
        case Verdict.WRONG if answered.left == 1:
            return Sentence(
                "Ce code n’est pas le bon. Il vous reste 1 essai.",
                "This is not the right code. You have 1 try left.",
            )
        case Verdict.WRONG:
            return Sentence(
                f"Ce code n’est pas le bon. Il vous reste {answered.left} essais.",
                f"This is not the right code. You have {answered.left} tries left.",
            )
        case Verdict.SPENT if again > now:
            when = _when(again, now, zone)
            return Sentence(
                f"Trop d’essais. Réessayez {when.fr} ou choisissez l’e-mail.",
                f"Too many tries. Try again {when.en} or choose e-mail.",
            )
        case Verdict.SPENT:
            return Sentence(
                "Trop d’essais. Demandez un nouveau code ou choisissez l’e-mail.",
                "Too many tries. Ask for a new code or choose e-mail.",
            )
        case _:
            return Sentence(
                "Ce code a expiré. Demandez-en un nouveau.",
                "This code has expired. Ask for a new one.",
            )


def _when(moment: datetime, now: datetime, zone: ZoneInfo) -> Sentence:
    local, today = moments.in_zone(moment, zone), moments.in_zone(now, zone).date()
    if local.date() == today:
        return Sentence(f"à {moments.clock(local, 'fr')}", f"at {moments.clock(local, 'en')}")
    return Sentence(f"le {moments.short(local, 'fr')}", f"on {moments.short(local, 'en')}")
