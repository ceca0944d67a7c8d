# SPDX-License-Identifier: EUPL-1.2
"""What an SMS costs, counted as handsets and operators count it."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from templates import gsm
from templates.gsm import Costly, Encoding, Family, Segments

ALPHABET = "".join(sorted(gsm.GSM))
writable = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)
texts = st.one_of(
    st.text(ALPHABET, max_size=700),
    st.text("aé€[😀👨’", max_size=700),
    writable,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments(Encoding.GSM7, 0, 0, 160)),
        ("a" * 160, Segments(Encoding.GSM7, 160, 1, 0)),
        ("a" * 161, Segments(Encoding.GSM7, 161, 2, 145)),
        ("a" * 306, Segments(Encoding.GSM7, 306, 2, 0)),
        ("€" * 80, Segments(Encoding.GSM7, 160, 1, 0)),
        ("ê" * 70, Segments(Encoding.UCS2, 70, 1, 0)),
        ("ê" * 71, Segments(Encoding.UCS2, 71, 2, 63)),
        ("😀" * 35, Segments(Encoding.UCS2, 70, 1, 0)),
    ],
)
def test_the_capacities_are_those_of_the_standard(text: str, expected: Segments) -> None:
    assert gsm.segments(text) == expected


def test_an_escape_pair_never_straddles_two_segments() -> None:
    assert gsm.parts("a" * 152 + "€" + "b" * 20) == ("a" * 152, "€" + "b" * 20)


def test_a_surrogate_pair_never_straddles_two_segments() -> None:
    parts = gsm.parts("a" * 66 + "😀" + "a" * 10)
    assert parts[0] == "a" * 66
    assert parts[1].startswith("😀")


def test_capital_cedilla_is_free_and_small_cedilla_is_dear() -> None:
    assert gsm.encoding("ÇA VA") is Encoding.GSM7
    assert gsm.encoding("ça va") is Encoding.UCS2


@given(texts)
def test_segments_never_exceed_their_capacity_and_rejoin_to_the_text(text: str) -> None:
    parts = gsm.parts(text)
    alphabet = gsm.encoding(text)
    size = alphabet.single if len(parts) < 2 else alphabet.part
    assert "".join(parts) == text
    assert all(0 < sum(map(alphabet.width, part)) <= size for part in parts)
    assert gsm.segments(text).count == len(parts)


@given(st.one_of(st.text(ALPHABET.replace("Ç", ""), max_size=700), st.text("aê😀", max_size=400)))
def test_smsutil_counts_the_same_segments(text: str) -> None:
    split = smsutil.split(text)
    assert gsm.parts(text) == tuple(part.content for part in split.parts if part.content)


def test_costly_characters_are_named_with_what_would_do_instead() -> None:
    assert gsm.costly("Coupure d’eau : fenêtre, d’où 5 € … 😀 «\u202foui\u00a0»") == (
        Costly("’", 2, "'"),
        Costly("ê", 1, "e"),
        Costly("…", 1, "..."),
        Costly("😀", 1, None),
        Costly("«", 1, '"'),
        Costly("\u202f", 1, " "),
        Costly("\u00a0", 1, " "),
        Costly("»", 1, '"'),
    )
    assert gsm.costly("Écoles : à 5 € [ou moins]") == ()


@pytest.mark.parametrize(
    ("dear", "cheap"),
    [
        ("l’œuvre", "l'oeuvre"),
        ("ŒUVRE", "OEUVRE"),
        ("ça – fenêtre…", "ca - fenetre..."),
        ("« coupure »", '"coupure"'),
        ("«\u202fcoupure\u00a0»", '"coupure"'),
        ("12\u202f000\u00a0m²", "12 000 m2"),
        ("ÀÈÊËÎÏÔÛ ëïôûâÿ", "AEEEIIOU eiouay"),
        ("garde é è à ù ì ò É Ç Ä Ö Ü ñ ß €", "garde é è à ù ì ò É Ç Ä Ö Ü ñ ß €"),
        ("a\tb\u00adc\u200bd", "a bcd"),
        ("20 °C, 日本 😀", "20 °C, 日本 😀"),
    ],
)
def test_the_economical_text_replaces_only_what_is_dear(dear: str, cheap: str) -> None:
    assert gsm.economical(dear) == cheap


def test_an_economical_link_still_leads_to_the_same_page() -> None:
    text = "Détails : https://example.org/fenêtre?a=é&b=%20 – merci"
    assert gsm.economical(text) == (
        "Détails : https://example.org/fen%C3%AAtre?a=%C3%A9&b=%20 - merci"
    )


@given(writable)
def test_the_economical_text_is_never_dearer_in_kind_and_settles_at_once(text: str) -> None:
    cheap = gsm.economical(text)
    assert gsm.economical(cheap) == cheap
    if all(each.replacement is not None for each in gsm.costly(text)):
        assert gsm.encoding(cheap) is Encoding.GSM7


@given(st.text(ALPHABET, max_size=300).filter(lambda text: "http" not in text))
def test_a_text_that_costs_nothing_extra_is_left_alone(text: str) -> None:
    assert gsm.economical(text) == text
    assert gsm.costly(text) == ()


def test_the_sample_of_the_console_takes_three_segments_or_two_without_the_apostrophe() -> None:
    sample = (
        "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des "
        "Tanneries, pour réparer une fuite. Faites une réserve. https://alerte.example.org/a/7Kq2"
    ).ljust(201, ".")
    assert len(sample) == 201
    assert gsm.segments(sample).count == 3
    assert [each.character for each in gsm.costly(sample)] == ["’"]
    assert gsm.segments(gsm.economical(sample)).count == 2


@pytest.mark.parametrize(
    ("family", "cheap"),
    [
        (Family.APOSTROPHES, "l'œuvre « à\u00a0fête » – fin…"),
        (Family.QUOTES, 'l’œuvre "à\u00a0fête" – fin…'),
        (Family.DASHES, "l’œuvre « à\u00a0fête » - fin…"),
        (Family.SPACES, "l’œuvre « à fête » – fin…"),
        (Family.ELLIPSES, "l’œuvre « à\u00a0fête » – fin..."),
        (Family.LIGATURES, "l’oeuvre « à\u00a0fête » – fin…"),
        (Family.ACCENTS, "l’œuvre « à\u00a0fete » – fin…"),
    ],
)
def test_a_family_is_replaced_alone(family: Family, cheap: str) -> None:
    assert gsm.economical("l’œuvre « à\u00a0fête » – fin…", [family]) == cheap


def test_the_families_of_a_text_are_named_in_their_order() -> None:
    assert gsm.families("ê… 😀 d’eau") == (
        Family.APOSTROPHES,
        Family.ELLIPSES,
        Family.ACCENTS,
    )
    assert gsm.families("Écoles à 5 €") == ()


def test_a_link_is_encoded_only_with_the_accents() -> None:
    text = "l’eau https://example.org/fenêtre"
    assert gsm.economical(text, [Family.APOSTROPHES]) == "l'eau https://example.org/fenêtre"
    assert gsm.economical(text, [Family.ACCENTS]) == "l’eau https://example.org/fen%C3%AAtre"


@given(writable, st.sets(st.sampled_from(Family)))
def test_no_choice_of_families_adds_a_costly_character(text: str, chosen: set[Family]) -> None:
    cheap = gsm.economical(text, chosen)
    assert gsm.economical(cheap, chosen) == cheap
    assert set(cheap) - gsm.GSM <= set(text) - gsm.GSM
