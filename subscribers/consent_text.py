# SPDX-License-Identifier: EUPL-1.2
"""The text people agree to, the same on the page, on paper, by SMS and at the desk."""

import hashlib
from typing import Final

from subscribers.wording import Sentence

CONSENT_TEXT: Final = Sentence(
    "J'accepte que {town} m'envoie les messages que j'ai choisis. Mes coordonnées ne servent "
    "qu'à cela et ne sont données à personne d'autre. Je peux arrêter à tout moment, comme chaque "
    "message l'indique, ou en mairie.",
    "I agree that {town} sends me the messages I have chosen. My contact details serve for "
    "nothing else and are given to nobody else. I can stop at any time, as each message says, or "
    "at the town hall.",
)
"""What is agreed to (GDPR art. 4.11 and 7); `{town}` is the authority's name."""

_ISSUED: Final = "2026-11"


def _version(text: Sentence) -> str:
    digest = hashlib.sha256("\n".join(text).encode()).hexdigest()
    return f"{_ISSUED}-{digest[:8]}"


CONSENT_VERSION: Final = _version(CONSENT_TEXT)
"""Which text it was, as a consent keeps it: month of issue and the text's own hash, so that nobody
can change the words and forget the number."""


def consent_text(town: str, language: str) -> str:
    """The text as somebody reads it before they agree."""
    return CONSENT_TEXT.spoken(language).format(town=town)
