# SPDX-License-Identifier: EUPL-1.2
"""What an alert leaves unsaid is seen, and what it says is not asked for again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.completeness import Element, completeness, missing

SENDER = "Ville de Valmont-sur-Orne"
PLACES = ("Valmont-sur-Orne", "Tanneries", "Centre", "Gare", "Les Coteaux", "Quai de l'Orne")
PAGE = "https://alerte.example.org/a/7Kq2"
SAMPLE = (
    "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h, quartier des Tanneries, "
    f"pour réparer une fuite. Faites une réserve. {PAGE}"
)

S, H, P, T, A, L = Element


@pytest.mark.parametrize(
    ("text", "unsaid"),
    [
        (SAMPLE, ()),
        (f"ALERTE : Ville de Valmont-sur-Orne - Crue. {PAGE}", (P, T, A)),
        (f"Ville de Valmont-sur-Orne : inondation quai de l'Orne. Montez. {PAGE}", (T,)),
        (f"Mairie : crue en cours quai de l’Orne, éloignez-vous des berges. {PAGE}", ()),
        ("Coupure d'eau aux Tanneries dès 14 h. Faites une réserve.", (S, L)),
        (f"Préfecture : orages violents dès 17 h sur toute la commune. {PAGE}", (A,)),
        (f"Mairie : feu d'entrepôt à la Gare, fumées. Fermez vos fenêtres. {PAGE}", (T,)),
        (f"Mairie : travaux rue de la Halle jusqu'à 18 h, évitez le secteur. {PAGE}", (T,)),
        (f"Mairie : travaux rue de la Halle de 9 h à 18 h, évitez le secteur. {PAGE}", ()),
        (f"Mairie : eau non potable au Centre, ne la buvez pas. {PAGE}", (T,)),
        (f"Mairie : eau non potable au Centre dès maintenant, ne la buvez pas. {PAGE}", ()),
        (f"Ville de Valmont-sur-Orne : évacuez le quartier des Tanneries à 15h30. {PAGE}", (H,)),
        (f"Mairie : chute d'arbres avenue de la Gare ce matin. Contournez par le pont. {PAGE}", ()),
        ("Fuite de gaz. N'allumez rien.", (S, P, T, L)),
        (f"Mairie : verglas dès 5 h, ne prenez pas la route. Toute la ville. {PAGE}", ()),
        (f"Mairie : canicule. Buvez de l'eau, restez au frais. {PAGE}", (P, T)),
        (f"Mairie : conseil municipal jeudi 26/11 à 20 h, salle des fêtes. Venez. {PAGE}", ()),
        (f"Mairie : conseil municipal jeudi 26/11, salle des fêtes. Venez. {PAGE}", (T,)),
        (f"Mairie : panne d'électricité Les Coteaux depuis 6:40, appelez le 09. {PAGE}", ()),
        (f"SDIS : incendie en cours, route de Caen. Il est demandé de rester chez soi. {PAGE}", ()),
        (f"Mairie : reprise de l'eau à midi, Tanneries. Aucune démarche. {PAGE}", ()),
        (f"Mairie : pollution de l'Orne, baignade interdite au Centre dès 9 h. {PAGE}", ()),
        (f"Mairie : pollution, interdiction de se baigner au Centre dès 9 h. {PAGE}", ()),
        ("EXERCICE : évacuez. EXERCICE", (S, H, P, T, L)),
        (f"Town of Valmont-sur-Orne: water cut, Tanneries, from 8 am. Store water. {PAGE}", ()),
        (f"ALERT: Ville de Valmont-sur-Orne - Flood. Move upstairs. {PAGE}", (P, T)),
        (f"Council: storm tonight all over town. Stay indoors. {PAGE}", ()),
        (f"Council: roadworks, Station Road, until 18:00. Avoid the area. {PAGE}", (T,)),
        (f"Council: gas leak, Bridge Street district, now. Do not light anything. {PAGE}", ()),
        ("Water off tomorrow.", (S, P, T, A, L)),
        (f"Fire service: factory fire in town since 14:20. Close windows. {PAGE}", ()),
        ("Mairie : crue quai de l'Orne dès 14 h. Montez. Infos www.valmont.example.org", ()),
        (f"{SENDER} : sirène à midi au Centre, rien à faire. {PAGE}", ()),
    ],
)
def test_what_an_alert_leaves_unsaid(text: str, unsaid: tuple[Element, ...]) -> None:
    assert missing(completeness(text, sender=SENDER, places=PLACES)) == unsaid


@pytest.mark.parametrize(
    "hour",
    ["8 h", "8h", "8 h 30", "8h30", "08:30", "14\u00a0h", "14 heures", "8 am", "8:30 pm", "midi"],
)
def test_hours_are_known_however_they_are_written(hour: str) -> None:
    assert completeness(f"coupure dès {hour}", sender=SENDER, places=())[Element.TIME]


@pytest.mark.parametrize(
    "not_an_hour", ["26/11", "12 habitants", "n° 8", "80 ha", "38 h par semaine"]
)
def test_other_numbers_are_no_hour(not_an_hour: str) -> None:
    assert not completeness(f"coupure {not_an_hour}", sender=SENDER, places=())[Element.TIME]


def test_the_senders_own_name_is_no_place() -> None:
    found = completeness(f"{SENDER} : coupure.", sender=SENDER, places=["Valmont-sur-Orne"])
    assert not found[Element.PLACE]


@pytest.mark.parametrize("written", ["les coteaux", "LES COTEAUX", "Les\u00a0Coteaux"])
def test_places_are_known_in_any_letters(written: str) -> None:
    assert completeness(f"Coupure, {written}.", sender=SENDER, places=PLACES)[Element.PLACE]


@given(st.text(max_size=400), st.text(max_size=40), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_gets_an_answer_to_all_six(text: str, sender: str, places: list[str]) -> None:
    assert list(completeness(text, sender=sender, places=places)) == list(Element)


@given(st.text(max_size=200))
def test_more_words_never_take_the_link_or_the_hour_away(words: str) -> None:
    found = completeness(f"{SAMPLE}\n{words}", sender=SENDER, places=PLACES)
    assert found[Element.LINK]
    assert found[Element.TIME]


@pytest.mark.parametrize("piece", ["a-", "a.", ".\n", "avant 12h ", "jusqu'au 12h ", "ne l"])
def test_no_text_is_looked_through_again_from_each_of_its_letters(piece: str) -> None:
    """A text of 20 000 characters took ten seconds, in which nothing else left."""
    began = time.process_time()
    completeness(piece * (20_000 // len(piece)), sender=SENDER, places=PLACES)
    assert time.process_time() - began < 1.0
