# SPDX-License-Identifier: EUPL-1.2
"""That the preview shows exactly what leaves, or why nothing can; whose words are chosen."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import (
    SHORT_STOP_LENGTH,
    SHORT_STOP_MARK,
    STOP_TOKEN_LENGTH,
    STOP_TOKEN_MARK,
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Rendered,
    SmsText,
    Urgency,
)
from templates import fit, gsm
from templates.catalogue import Catalogue
from templates.content import Content, Kind, Letterhead
from templates.preview import EmailFigures, PostFigures, Preview, PushFigures, SmsFigures
from templates.refusals import Empty, TooLong, Unit, Unwritable
from templates.render import Composed, Composer, choose

T = TypeVar("T", SmsText, PostText, EmailText, PushText)
same_for_all_examples = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _text(composed: Composed, kind: type[T]) -> T:
    assert isinstance(composed, Rendered), composed
    assert isinstance(composed.text, kind)
    return composed.text


def _shown(push: PushText) -> dict[str, object]:
    notification: dict[str, object] = json.loads(push.payload)["notification"]
    return notification


@pytest.mark.parametrize("body", ["", "  \n", "---", "[ref]: https://example.org", "![](x.png)"])
@pytest.mark.parametrize("channel", ChannelName)
def test_markdown_that_renders_to_nothing_is_empty(
    composer: Composer, content: Content, letterhead: Letterhead, channel: ChannelName, body: str
) -> None:
    words = replace(content, body=body)
    assert composer.compose(channel, words, letterhead) == Empty(channel, "body")
    assert composer.preview(channel, words, letterhead) == Empty(channel, "body")


def test_the_short_text_stands_for_an_empty_body_where_it_is_used(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, body="", short="Plus d'eau.")
    assert isinstance(composer.compose(ChannelName.SMS, words, letterhead), Rendered)
    assert isinstance(composer.compose(ChannelName.WEBPUSH, words, letterhead), Rendered)
    assert composer.compose(ChannelName.EMAIL, words, letterhead) == Empty(
        ChannelName.EMAIL, "body"
    )


def test_a_title_is_needed_where_it_is_shown(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, title=" ", short="Plus d'eau.")
    assert isinstance(composer.compose(ChannelName.SMS, words, letterhead), Rendered)
    for channel in (ChannelName.EMAIL, ChannelName.WEBPUSH):
        assert composer.compose(channel, words, letterhead) == Empty(channel, "title")
    untitled = replace(words, short=None)
    assert composer.compose(ChannelName.SMS, untitled, letterhead) == Empty(
        ChannelName.SMS, "title"
    )


@pytest.mark.parametrize("channel", ChannelName)
def test_half_a_character_is_refused_by_name_not_by_a_crash(
    composer: Composer, content: Content, letterhead: Letterhead, channel: ChannelName
) -> None:
    words = replace(content, body="crue \ud83c")
    assert composer.preview(channel, words, letterhead) == Unwritable("body", "U+D83C", 5)


@pytest.mark.parametrize("channel", ChannelName)
def test_template_language_in_the_words_stays_as_typed(
    composer: Composer, content: Content, letterhead: Letterhead, channel: ChannelName
) -> None:
    typed = "{{ 7*7 }} {% raw %} <b>"
    words = replace(content, title=typed, body=typed, link=None)
    rendered = composer.compose(channel, words, letterhead)
    assert isinstance(rendered, Rendered)
    text = rendered.text
    said = text.html if isinstance(text, EmailText) else str(text)
    assert "{{ 7*7 }} {% raw %}" in said
    assert "49" not in said


@pytest.mark.parametrize(
    "words",
    ["👨‍👩‍👧‍👦 crue", "\u202bتنبيه فيضان\u202c", "E\u0301vacuation", "日本語の警報", "e" * 150],
)
@pytest.mark.parametrize("channel", ChannelName)
def test_awkward_words_pass_whole(
    composer: Composer, letterhead: Letterhead, channel: ChannelName, words: str
) -> None:
    content = Content("fr", words[:40], words)
    preview = composer.preview(channel, content, replace(letterhead, post_link=False))
    assert isinstance(preview, Preview)


def test_ten_kilobytes_go_by_email_and_are_refused_or_cut_in_sight_elsewhere(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, body="Une phrase de dix mots pour remplir la place ici. " * 200)
    letter = _text(composer.compose(ChannelName.EMAIL, words, letterhead), EmailText)
    assert letter.text.count("dix mots") == letter.html.count("dix mots") == 200
    assert isinstance(composer.compose(ChannelName.SMS, words, letterhead), TooLong)
    refused = composer.compose(ChannelName.X, words, replace(letterhead, thread=True))
    assert isinstance(refused, TooLong)
    assert refused.unit is Unit.POSTS
    preview = composer.preview(ChannelName.WEBPUSH, words, letterhead)
    assert isinstance(preview, Preview)
    assert isinstance(preview.figures, PushFigures)
    assert preview.figures.body_cut


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.sampled_from(ChannelName),
    st.sampled_from(Urgency),
    st.sampled_from(Kind),
)
@same_for_all_examples
def test_what_the_preview_shows_is_what_leaves(  # noqa: PLR0917 (fixtures and cases)
    composer: Composer,
    letterhead: Letterhead,
    words: str,
    channel: ChannelName,
    urgency: Urgency,
    kind: Kind,
) -> None:
    content = Content("fr", words[:60], words)
    headed = replace(letterhead, urgency=urgency, kind=kind, thread=True)
    composed = composer.compose(channel, content, headed)
    preview = composer.preview(channel, content, headed)
    assert (preview.rendered if isinstance(preview, Preview) else preview) == composed


def test_the_figures_are_those_of_the_text_that_leaves(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, short="Coupure d’eau jeudi.")
    previews = [composer.preview(channel, words, letterhead) for channel in ChannelName]
    sms, email, post, push = (each for each in previews if isinstance(each, Preview))
    assert isinstance(sms.rendered.text, SmsText)
    body = sms.rendered.text.body
    assert sms.figures == SmsFigures(
        gsm.segments(body), (gsm.Costly("’", 1, "'"),), gsm.segments(gsm.economical(body))
    )
    assert email.figures == EmailFigures(len(content.title), 60)
    assert isinstance(post.rendered.text, PostText)
    assert post.figures == PostFigures((fit.weight(post.rendered.text.posts[0]),), 280)
    assert isinstance(push.rendered.text, PushText)
    assert push.figures == PushFigures(
        title=content.title,
        body="Coupure d’eau jeudi.",
        title_cut=False,
        body_cut=False,
        bytes=len(push.rendered.text.payload.encode()),
        limit=3993,
    )


def test_a_text_ending_in_an_ellipsis_is_not_taken_for_cut(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, overrides={ChannelName.WEBPUSH: "Affaire à suivre…"})
    preview = composer.preview(ChannelName.WEBPUSH, words, letterhead)
    assert isinstance(preview, Preview)
    assert isinstance(preview.figures, PushFigures)
    assert not preview.figures.body_cut


@pytest.fixture(scope="module")
def stop_in_sms(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    overlay = tmp_path_factory.mktemp("stop-in-sms")
    (overlay / "fr/default").mkdir(parents=True)
    (overlay / "fr/default/sms.txt").write_text("{{ text }} STOP {{ stop_url }}", "utf-8")
    return Composer(Catalogue(overlay))


@given(token=st.text("abcXYZ019-_", min_size=STOP_TOKEN_LENGTH, max_size=STOP_TOKEN_LENGTH))
@same_for_all_examples
def test_a_personal_link_changes_no_length(
    stop_in_sms: Composer, content: Content, letterhead: Letterhead, token: str
) -> None:
    composer = stop_in_sms
    own = token[:SHORT_STOP_LENGTH]
    for body in (
        _text(composer.compose(ChannelName.SMS, content, letterhead), SmsText).body,
        _text(
            Composer(Catalogue()).compose(
                ChannelName.SMS, content, replace(letterhead, one_way=True)
            ),
            SmsText,
        ).body,
    ):
        assert SHORT_STOP_MARK in body
        assert STOP_TOKEN_MARK not in body
        assert gsm.segments(body.replace(SHORT_STOP_MARK, own)) == gsm.segments(body)
    push = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead), PushText).payload
    letter = _text(composer.compose(ChannelName.EMAIL, content, letterhead), EmailText)
    for text in (push, letter.text, letter.html, letter.stop_url):
        assert STOP_TOKEN_MARK in text
        assert len(text.replace(STOP_TOKEN_MARK, token).encode()) == len(text.encode())
    json.loads(push.replace(STOP_TOKEN_MARK, token))


def test_a_themes_parent_lends_its_template(
    tmp_path: Path, content: Content, letterhead: Letterhead
) -> None:
    for theme in ("reseaux", "culture"):
        (tmp_path / "fr" / theme).mkdir(parents=True)
        (tmp_path / "fr" / theme / "sms.txt").write_text(f"{theme} {{{{ title }}}}", "utf-8")
    composer = Composer(Catalogue(tmp_path))
    headed = replace(
        letterhead,
        themes=(("eau", "Eau"), ("culture", "Culture")),
        ancestors=("reseaux",),
    )
    body = _text(composer.compose(ChannelName.SMS, content, headed), SmsText).body
    assert body.startswith("reseaux ")


def test_the_key_and_the_language_go_with_the_text(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    rendered = composer.compose(ChannelName.SMS, replace(content, language="de"), letterhead)
    assert isinstance(rendered, Rendered)
    assert (rendered.channel, rendered.language, rendered.key) == (
        ChannelName.SMS,
        "de",
        "annonce-1.1",
    )


@pytest.mark.parametrize(
    ("there", "wanted", "default", "chosen"),
    [
        (("fr", "en", "de"), "en", "de", "en"),
        (("fr", "en", "de"), "it", "de", "de"),
        (("en", "fr"), "it", "de", "fr"),
        (("en", "de"), "it", "br", "en"),
    ],
)
def test_a_citizen_reads_their_language_else_the_towns(
    there: tuple[str, ...], wanted: str, default: str, chosen: str
) -> None:
    contents = {language: Content(language, "t", "b") for language in there}
    assert choose(contents, wanted, default).language == chosen
