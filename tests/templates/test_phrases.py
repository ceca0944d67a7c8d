# SPDX-License-Identifier: EUPL-1.2
"""What officers are told, in their language."""

import pytest

from channels.base import ChannelName, Urgency
from templates import gsm, phrases
from templates.content import Kind
from templates.refusals import Empty, Refusal, TooLong, Unit, Unwritable

SEVEN = TooLong(ChannelName.SMS, Unit.SEGMENTS, 7, 6, 12)


def test_the_officer_is_told_how_many_characters_to_remove() -> None:
    assert phrases.sentence(SEVEN, "fr") == (
        "Le message prend 7 SMS ; le maximum est 6. Retirez 12 caractères."
    )
    assert phrases.sentence(SEVEN, "en-GB") == (
        "The message takes 7 SMS; the most is 6. Remove 12 characters."
    )


def test_one_is_singular_and_bytes_are_bytes() -> None:
    one = TooLong(ChannelName.WEBPUSH, Unit.BYTES, 3994, 3993, 1)
    assert phrases.sentence(one, "fr").endswith("Retirez 1 octet.")
    assert phrases.sentence(one, "en").endswith("Remove 1 byte.")


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (Empty(ChannelName.SMS, "body"), "Le message est vide. Écrivez au moins une phrase."),
        (
            Unwritable("sms", "U+0007", 3),
            "Le texte du SMS contient un caractère invisible (U+0007), en position 4. Retirez-le.",
        ),
        (Unwritable("link", "scheme", 0), "Le lien doit commencer par https://."),
        (
            Unwritable("title", "mark", 0),
            "Le titre contient le repère réservé au lien personnel, en position 1. Retirez-le.",
        ),
    ],
)
def test_a_refusal_names_the_field_and_the_remedy(refusal: Refusal, sentence: str) -> None:
    assert phrases.sentence(refusal, "fr") == sentence


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("unit", Unit)
def test_every_limit_has_a_sentence_in_every_language(language: str, unit: Unit) -> None:
    sentence = phrases.sentence(TooLong(ChannelName.X, unit, 300, 280, 20), language)
    assert "20 " in sentence
    assert "{" not in sentence


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "field", ["title", "body", "short", "link", "sms", "email", "x", "webpush"]
)
def test_every_field_has_a_name_in_every_language(language: str, field: str) -> None:
    assert "{" not in phrases.sentence(Unwritable(field, "U+0007", 0), language)


def test_labels_of_sms_cost_nothing_extra() -> None:
    for language in ("fr", "en"):
        for urgency in Urgency:
            for kind in Kind:
                label = phrases.label(urgency, kind, language, sms=True)
                assert gsm.encoding(label) is gsm.Encoding.GSM7


def test_an_unknown_language_is_answered_in_french() -> None:
    assert phrases.label(Urgency.URGENT, Kind.FIRST, "eo") == "ALERTE"
