# SPDX-License-Identifier: EUPL-1.2
"""The few words of an SMS: accents, case, spaces and punctuation forgiven."""

import pytest

from hub.flow.citizens.words import Wish, folded, matching, nearest, understood


@pytest.mark.parametrize(
    "said",
    [
        *("STOP", "stop", " Stop. ", "ARRET", "Arrêt !", "arrêt", "ARRÊTEZ", "S.T.O.P", "S T O P"),
        *("désabonner", "Désabonnement", "désinscription", "unsubscribe", "STOPALL", "«STOP»"),
        "stop\n",
    ],
)
def test_a_stop_in_any_spelling(said):
    assert (understood(said).wish, understood(said).about) == (Wish.STOP, "")


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("STOP EAU", "EAU"),
        ("stop : eau", "EAU"),
        ("Arrêt  cantine scolaire", "CANTINE SCOLAIRE"),
        ("STOP-EAU", "EAU"),
        ("stop svp merci", "SVP MERCI"),
        ("Stop œuvres", "OEUVRES"),
    ],
)
def test_a_stop_with_something_after_it(said, about):
    assert (understood(said).wish, understood(said).about) == (Wish.STOP, about)


@pytest.mark.parametrize("said", ["AIDE", "aide ?", "Help", "INFO", "infos"])
def test_who_asks_for_help(said):
    assert understood(said).wish is Wish.HELP


@pytest.mark.parametrize("said", ["START", "start", "Reprendre", "REPRISE.", "unstop"])
def test_who_wants_it_back(said):
    assert understood(said).wish is Wish.START


@pytest.mark.parametrize(
    "said",
    [
        *("", "  ", "?!", "Merci", "Bonjour, quand revient l'eau ?", "start eau", "🙂", "stopper"),
        *("Stop à la fermeture de l'école !", "Nonstop", "a" * 5_000, "help me please"),
    ],
)
def test_anything_else_is_unclear(said):
    assert understood(said).wish is Wish.UNCLEAR


@pytest.mark.parametrize(("said", "english"), [("HELP", True), ("AIDE", False), ("STOP", False)])
def test_a_word_may_tell_the_language(said, english):
    assert understood(said).english is english


def test_a_theme_is_found_by_its_key_or_its_name():
    names = {"eau": "Eau potable", "travaux": "Travaux et voirie", "ecole": "École"}
    assert matching("EAU", names) == "eau"
    assert matching(folded("eau potable"), names) == "eau"
    assert matching(folded("école"), names) == "ecole"
    assert matching("", names) is None
    assert matching("GAZ", names) is None


@pytest.mark.parametrize(
    ("said", "about"),
    [
        *(("ABO", ""), ("abonnement", ""), ("Inscription svp", ""), ("join", ""), ("Alerte !", "")),
        *(("ABO EAU", "EAU"), ("alertes urgentes", "URGENTES"), ("Inscription : école", "ECOLE")),
    ],
)
def test_who_wants_to_join(said, about):
    assert (understood(said).wish, understood(said).about) == (Wish.SUBSCRIBE, about)


def test_a_cry_for_help_is_no_subscription():
    assert understood("Alerte il y a le feu chez moi").wish is Wish.UNCLEAR


def test_the_beginning_of_a_name_is_enough_where_it_is_only_one():
    names = {"ecoles": "Écoles", "eau": "Eau et coupures", "eaux-usees": "Égouts"}
    assert nearest("ECOLE", names) == "ecoles"
    assert nearest("EAU", names) == "eau"  # whole, though another begins so
    assert nearest("E", names) is None
    assert nearest("EGOU", names) == "eaux-usees"
    assert nearest("", names) is None
