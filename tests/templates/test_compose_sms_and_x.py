# SPDX-License-Identifier: EUPL-1.2
"""What leaves by SMS and on X, where every character counts."""

from dataclasses import replace
from typing import TypeVar

import pytest

from channels.base import (
    ChannelName,
    PostText,
    Rendered,
    SmsText,
    TextLimit,
    Urgency,
)
from templates import gsm
from templates.catalogue import Catalogue
from templates.content import Content, Kind, Letterhead
from templates.refusals import TooLong, Unit
from templates.render import Composed, Composer

T = TypeVar("T", SmsText, PostText)
PAGE = "https://alerte.example.org/a/7Kq2"


def _text(composed: Composed, kind: type[T]) -> T:
    assert isinstance(composed, Rendered), composed
    assert isinstance(composed.text, kind)
    return composed.text


@pytest.mark.parametrize(
    ("urgency", "kind", "language", "start", "end"),
    [
        (Urgency.INFORMATION, Kind.FIRST, "fr", "Ville de Valmont-sur-Orne : Coupure", PAGE),
        (Urgency.IMPORTANT, Kind.FIRST, "en", "Ville de Valmont-sur-Orne: Coupure", PAGE),
        (Urgency.URGENT, Kind.FIRST, "fr", "ALERTE : Ville de Valmont-sur-Orne - Coupure", PAGE),
        (Urgency.URGENT, Kind.FIRST, "en", "ALERT: Ville de Valmont-sur-Orne - Coupure", PAGE),
        (Urgency.INFORMATION, Kind.CORRECTION, "fr", "RECTIFICATIF : Ville de", PAGE),
        (Urgency.INFORMATION, Kind.CORRECTION, "en", "CORRECTION: Ville de", PAGE),
        (Urgency.URGENT, Kind.UPDATE, "fr", "MAJ : Ville de", PAGE),
        (Urgency.URGENT, Kind.UPDATE, "en", "UPDATE: Ville de", PAGE),
        (Urgency.URGENT, Kind.ALL_CLEAR, "fr", "FIN D'ALERTE : Ville de", PAGE),
        (Urgency.URGENT, Kind.ALL_CLEAR, "en", "ALL CLEAR: Ville de", PAGE),
        (Urgency.DRILL, Kind.FIRST, "fr", "EXERCICE : Ville de", f"{PAGE} EXERCICE"),
        (Urgency.DRILL, Kind.ALL_CLEAR, "fr", "EXERCICE : FIN D'ALERTE : ", f"{PAGE} EXERCICE"),
        (Urgency.DRILL, Kind.FIRST, "en", "DRILL: Ville de", f"{PAGE} DRILL"),
    ],
)
def test_an_sms_says_what_it_is_who_speaks_and_where_to_check(  # noqa: PLR0917 (fixtures and cases)
    composer: Composer,
    content: Content,
    letterhead: Letterhead,
    urgency: Urgency,
    kind: Kind,
    language: str,
    start: str,
    end: str,
) -> None:
    words = replace(content, language=language)
    headed = replace(letterhead, urgency=urgency, kind=kind)
    body = _text(composer.compose(ChannelName.SMS, words, headed), SmsText).body
    assert body.startswith(start)
    assert body.endswith(end)
    assert gsm.encoding(body) is gsm.Encoding.GSM7


def test_an_sms_without_short_text_carries_title_and_body_without_markup(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    body = _text(composer.compose(ChannelName.SMS, content, letterhead), SmsText).body
    assert body == (
        "Ville de Valmont-sur-Orne : Coupure d'eau jeudi, Tanneries. "
        "L'eau sera coupée jeudi 26/11 de 8 h à 12 h.\n"
        "- Remplissez une bassine (https://example.org/bassine).\n"
        f"- Fermez les robinets. {PAGE}"
    )


def test_the_short_text_replaces_title_and_body(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, short="Plus d'eau *jeudi*.")
    body = _text(composer.compose(ChannelName.SMS, words, letterhead), SmsText).body
    assert body == f"Ville de Valmont-sur-Orne : Plus d'eau *jeudi*. {PAGE}"


def test_an_adapted_text_is_taken_as_written_and_still_gets_its_link(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    own = "Ville de Valmont-sur-Orne : coupure d’eau jeudi 26/11 de 8 h à 12 h.\n\n**Merci**"
    words = replace(content, overrides={ChannelName.SMS: own}, short="court")
    headed = replace(letterhead, urgency=Urgency.URGENT)
    assert _text(composer.compose(ChannelName.SMS, words, headed), SmsText).body == f"{own} {PAGE}"


@pytest.mark.parametrize("own", ["Évacuez.", "EXERCICE évacuez.", "Ceci est un EXERCICE"])
def test_a_drill_says_so_first_and_last_even_when_adapted(
    composer: Composer, content: Content, letterhead: Letterhead, own: str
) -> None:
    words = replace(content, overrides={ChannelName.SMS: own, ChannelName.X: own})
    headed = replace(letterhead, urgency=Urgency.DRILL, post_link=False)
    sms = _text(composer.compose(ChannelName.SMS, words, headed), SmsText).body
    (post,) = _text(composer.compose(ChannelName.X, words, headed), PostText).posts
    assert sms.startswith("EXERCICE")
    assert sms.endswith(f"{PAGE} EXERCICE")
    assert post.startswith("EXERCICE")
    assert post.endswith("EXERCICE")
    assert "EXERCICE EXERCICE" not in post


def test_nothing_is_made_economical_unasked(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, short="Coupure d’eau, fenêtre… ")
    dear = _text(composer.compose(ChannelName.SMS, words, letterhead), SmsText).body
    asked = replace(letterhead, spelling=gsm.EVERY_FAMILY)
    cheap = _text(composer.compose(ChannelName.SMS, words, asked), SmsText).body
    assert "d’eau, fenêtre…" in dear
    assert "d'eau, fenetre..." in cheap
    assert cheap == gsm.economical(dear)


def test_an_sms_too_long_says_how_much_to_remove_and_is_not_cut(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    frame = f"Ville de Valmont-sur-Orne :  {PAGE}"
    words = replace(content, short="a" * (6 * 153 - len(frame)))
    assert isinstance(composer.compose(ChannelName.SMS, words, letterhead), Rendered)
    words = replace(words, short=f"{words.short}bb")
    assert composer.compose(ChannelName.SMS, words, letterhead) == TooLong(
        ChannelName.SMS, Unit.SEGMENTS, 7, 6, 2
    )


def test_a_channels_own_limit_is_the_one_used(content: Content, letterhead: Letterhead) -> None:
    strict = Composer(Catalogue(), {ChannelName.SMS: TextLimit("septets", 160, 153, 1)})
    refused = strict.compose(ChannelName.SMS, content, letterhead)
    assert isinstance(refused, TooLong)
    assert refused.limit == 1


def test_a_post_is_one_with_its_link_when_asked(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, short="Plus d'eau jeudi.")
    with_link = _text(composer.compose(ChannelName.X, words, letterhead), PostText)
    assert with_link.posts == (f"Plus d'eau jeudi. {PAGE}",)
    without = replace(letterhead, post_link=False, kind=Kind.UPDATE)
    bare = _text(composer.compose(ChannelName.X, words, without), PostText)
    assert bare.posts == ("MISE À JOUR : Plus d'eau jeudi.",)


def test_a_long_post_is_refused_unless_the_officer_asked_for_a_thread(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, body="Une phrase de plus. " * 20)
    refused = composer.compose(ChannelName.X, words, letterhead)
    assert isinstance(refused, TooLong)
    assert (refused.unit, refused.remove) == (Unit.WEIGHTED, refused.size - 280)
    asked = replace(letterhead, thread=True)
    posts = _text(composer.compose(ChannelName.X, words, asked), PostText).posts
    assert posts[0].endswith(f" {PAGE} 1/{len(posts)}")
    assert all(PAGE not in post for post in posts[1:])


def test_a_drill_is_never_a_thread(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, body="Évacuez. " * 60)
    headed = replace(letterhead, urgency=Urgency.DRILL, thread=True)
    assert isinstance(composer.compose(ChannelName.X, words, headed), TooLong)


def test_a_thread_with_an_endless_word_is_refused(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, body="x" * 500)
    refused = composer.compose(ChannelName.X, words, replace(letterhead, thread=True))
    assert isinstance(refused, TooLong)
    assert refused.unit is Unit.WORD
