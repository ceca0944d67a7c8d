# SPDX-License-Identifier: EUPL-1.2
"""What the town answers to an SMS fits in one segment, whatever the town and theme are called."""

import pytest

from templates import gsm
from templates.answers import Answer, answer

URL = "https://alertes.valmont-sur-orne.example.org"
LONG = "Communauté d'agglomération du Grand Valmont-sur-Orne et des Trois-Rivières"


@pytest.mark.parametrize("town", ["Ville de Valmont-sur-Orne", LONG, "Plœmeur", "Ča", "[^]" * 30])
@pytest.mark.parametrize("theme", ["Eau", "Écoles, crèches et activités périscolaires du mercredi"])
@pytest.mark.parametrize("language", ["fr", "en", "de"])
@pytest.mark.parametrize("what", list(Answer))
def test_every_answer_is_one_segment_of_gsm_7(what, language, town, theme):
    said = answer(what, language, town=town, url=URL + "/" + "x" * 60, theme=theme)
    found = gsm.segments(said)
    assert (found.encoding, found.count) == (gsm.Encoding.GSM7, 1)


def test_the_town_and_the_way_back_are_named():
    said = answer(Answer.STOPPED, "fr", town="Valmont", url=URL)
    assert said == "Valmont : c'est noté, vous ne recevrez plus nos SMS. Pour reprendre : START"
    assert URL in answer(Answer.HELP, "en", town="Valmont", url=URL)
