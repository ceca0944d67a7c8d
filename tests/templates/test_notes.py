# SPDX-License-Identifier: EUPL-1.2
"""A code fits one SMS, a link is in its letter twice, and nothing leaves where it cannot."""

import json
from dataclasses import replace

import pytest

from channels.base import ChannelName
from templates import gsm
from templates.catalogue import Catalogue
from templates.check import _LETTERHEAD as TOWN
from templates.content import NoteKind
from templates.notes import NoteWords, compose_note
from templates.render import Composer

COMPOSER = Composer(Catalogue())
SMS_KINDS = (NoteKind.CODE, NoteKind.SIGN_IN, NoteKind.TEST)
LETTERS = (NoteKind.CONFIRM, NoteKind.SIGN_IN, NoteKind.TEST)


def words(kind):
    return NoteWords(kind, "042817", "https://alerte.example.org/l/" + "x" * 28, 20)


def composed(channel, kind, language="fr", head=TOWN):
    return compose_note(COMPOSER, channel, language, words(kind), head).text


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", SMS_KINDS)
@pytest.mark.parametrize(
    "town", ["Valmont", "Œuilly", "Communauté de communes du pays de Saint-Rémy-en-Bouzemont"]
)
def test_every_sms_is_one_segment_of_gsm_7(language, kind, town):
    body = composed(ChannelName.SMS, kind, language, replace(TOWN, sender=town)).body
    found = gsm.segments(body)
    assert (found.count, found.encoding) == (1, gsm.Encoding.GSM7)


def test_a_code_ends_with_the_line_phones_fill_forms_by():
    body = composed(ChannelName.SMS, NoteKind.CODE, head=replace(TOWN, sender="Valmont")).body
    assert body.endswith("\n\n@alerte.example.org #042817")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_shows_its_link_in_both_parts_and_how_to_stop(language, kind):
    letter = composed(ChannelName.EMAIL, kind, language)
    for part in (letter.text, letter.html):
        assert words(kind).url in part
        assert TOWN.stop_url in part
    assert f'lang="{language}"' in letter.html
    assert "042817" not in letter.text + letter.html


def test_a_letter_escapes_the_towns_name():
    head = replace(TOWN, authority="<Val & Mont>")
    assert "<Val" not in composed(ChannelName.EMAIL, NoteKind.TEST, head=head).html


def test_a_trial_notification_says_which_town_it_is_from():
    message = json.loads(composed(ChannelName.WEBPUSH, NoteKind.TEST).payload)
    assert message["notification"]["title"] == TOWN.authority


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        (ChannelName.X, NoteKind.CODE),
        (ChannelName.EMAIL, NoteKind.CODE),
        (ChannelName.SMS, NoteKind.CONFIRM),
    ],
)
def test_what_does_not_leave_on_a_channel_is_refused(channel, kind):
    with pytest.raises(ValueError, match="no note"):
        composed(channel, kind)
