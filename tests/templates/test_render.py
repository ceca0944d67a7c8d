# SPDX-License-Identifier: EUPL-1.2
"""What leaves on each channel, and that the preview shows exactly that."""

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import (
    STOP_TOKEN_LENGTH,
    STOP_TOKEN_MARK,
    ChannelName,
    EmailText,
    PostText,
    PushText,
    Rendered,
    SmsText,
    TextLimit,
    Urgency,
)
from templates import fit, gsm
from templates.catalogue import PACKAGED, Catalogue
from templates.content import Content, Kind, Letterhead
from templates.preview import EmailFigures, PostFigures, Preview, PushFigures, SmsFigures
from templates.refusals import Empty, TooLong, Unit, Unwritable
from templates.render import Composed, Composer, choose

T = TypeVar("T", SmsText, PostText, EmailText, PushText)
PAGE = "https://alerte.example.org/a/7Kq2"
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


# ------------------------------------------------------------------------------------------ SMS


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
    asked = replace(letterhead, economical=True)
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


# -------------------------------------------------------------------------------------------- X


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


# --------------------------------------------------------------------------------------- e-mail


class _Outline(HTMLParser):
    """The text, the tags and the languages of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.languages: dict[str, str | None] = {}
        self.styled: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if "lang" in named:
            self.languages[tag] = named["lang"]
        if "style" in named:
            self.styled.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_an_email_carries_why_stop_and_page_in_text_and_html(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    letter = _text(composer.compose(ChannelName.EMAIL, content, letterhead), EmailText)
    assert letter.subject == "Coupure d'eau jeudi, Tanneries"
    for page in (letter.text, letter.html):
        assert letterhead.stop_url in page
        assert letterhead.page_url in page
        assert letterhead.home_url in page
        assert "Eau et coupures" in page
        assert "https://example.org/travaux" in page
        assert "mercredi 25 novembre 2026 à 9 h 00" in page
        assert "jeudi 26 novembre 2026 à 14 h 00" in page
    assert letter.stop_url == letterhead.stop_url
    assert letter.list_id == "eau.alerte.example.org"
    assert letter.list_name == "Eau et coupures"


def test_an_email_is_readable_without_sight_images_or_style_sheets(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, language="ar", body=f"{content.body}\n\n# Suite\n\nfin")
    letter = _text(composer.compose(ChannelName.EMAIL, words, letterhead), EmailText)
    page = _Outline(letter.html)
    assert page.languages == {"html": "fr", "h1": "ar", "div": "ar"}
    assert 'dir="rtl"' in letter.html
    assert page.tags.count("h1") == 1
    assert [tag for tag in page.tags if tag.startswith("h") and tag[1:].isdigit()] == ["h1", "h2"]
    assert not {"img", "script", "link", "table"} & set(page.tags)
    assert {"body", "h1", "h2", "p", "ul", "a"} <= page.styled
    assert "prefers-color-scheme: dark" in letter.html


@pytest.mark.parametrize(("language", "subject"), [("fr", "ALERTE : "), ("en", "ALERT: ")])
def test_an_urgent_email_says_urgent_in_words(
    composer: Composer, content: Content, letterhead: Letterhead, language: str, subject: str
) -> None:
    words = replace(content, language=language)
    headed = replace(letterhead, urgency=Urgency.URGENT)
    letter = _text(composer.compose(ChannelName.EMAIL, words, headed), EmailText)
    assert letter.subject == f"{subject}{content.title}"
    assert letter.text.startswith("URGENT\n")
    assert "URGENT" in _Outline(letter.html).words


@pytest.mark.parametrize(("language", "word"), [("fr", "EXERCICE"), ("en", "DRILL")])
def test_a_drill_by_email_starts_and_ends_with_its_word(
    composer: Composer, content: Content, letterhead: Letterhead, language: str, word: str
) -> None:
    words = replace(content, language=language)
    headed = replace(letterhead, urgency=Urgency.DRILL, expires=None, themes=(), zones=())
    letter = _text(composer.compose(ChannelName.EMAIL, words, headed), EmailText)
    body = _Outline(letter.html.partition("<body")[2].partition(">")[2]).words.strip()
    for text in (letter.subject, letter.text.strip(), body):
        assert text.startswith(word)
        assert text.endswith(word)
        assert text.count(word) == 2
    assert letter.list_id == "valmont.alerte.example.org"
    assert letter.list_name == letterhead.authority


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_an_email_stands_out_from_its_ground() -> None:
    # WCAG 2.2, 1.4.3; what names no ground of its own lies on the page, light or dark.
    sheet = (PACKAGED / "email.base.html").read_text("utf-8")
    light, dark = re.findall(r"<style.*?>(.*?)</style>", sheet, re.DOTALL)
    for rules, page in ((light, "#ffffff"), (dark, "#1b2427")):
        colours = re.findall(r"([\w., ]+) \{([^{}]*[ ;]color: (#\w{6})[^{}]*)\}", f" {rules}")
        assert len(colours) >= 7
        for name, rule, colour in colours:
            ground = re.search(r"background: (#\w{6})", rule)
            shades = sorted(map(_luminance, (colour, ground[1] if ground else page)))
            assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 4.5, name


def test_a_header_of_the_list_stays_one_line(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    headed = replace(letterhead, themes=(("eau/coupures à venir", "Eau\r\nBcc: x"),))
    letter = _text(composer.compose(ChannelName.EMAIL, content, headed), EmailText)
    assert letter.list_id == "eau-coupures-venir.alerte.example.org"
    assert letter.list_name == "Eau Bcc: x"


def test_an_adapted_email_replaces_the_body_in_both_forms(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, overrides={ChannelName.EMAIL: "Un **autre** texte"})
    letter = _text(composer.compose(ChannelName.EMAIL, words, letterhead), EmailText)
    assert "Un autre texte" in letter.text
    assert "Un <strong>autre</strong> texte" in letter.html
    assert "bassine" not in letter.text + letter.html


# ------------------------------------------------------------------------------------- web push


def test_a_notification_is_a_declarative_push_message(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    push = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead), PushText)
    message = json.loads(push.payload)
    expected_topic = urlsafe_b64encode(sha256(b"annonce-1").digest())[:32].decode()
    assert push.topic == expected_topic
    assert message["web_push"] == 8030
    shown = message["notification"]
    assert shown["title"] == content.title
    assert shown["navigate"] == PAGE
    assert shown["lang"] == "fr"
    assert shown["dir"] == "ltr"
    assert shown["tag"] == expected_topic
    assert shown["timestamp"] == 1795593600000
    assert shown["requireInteraction"] is False
    assert [(each["action"], each["navigate"]) for each in shown["actions"]] == [
        ("open", PAGE),
        ("stop", letterhead.stop_url),
    ]
    assert shown["data"] == {"urgency": "information", "kind": "first", "key": "annonce-1.1"}


def test_an_update_replaces_the_notification_of_its_chain(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    update = replace(letterhead, kind=Kind.UPDATE, key="annonce-2.1")
    first = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead), PushText)
    later = _text(composer.compose(ChannelName.WEBPUSH, content, update), PushText)
    assert first.topic == later.topic
    assert str(_shown(later)["title"]).startswith("MISE À JOUR : ")


def test_a_drill_keeps_its_word_on_a_cut_notification(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, title="Un titre " * 12, body="mot " * 90)
    headed = replace(letterhead, urgency=Urgency.DRILL)
    shown = _shown(_text(composer.compose(ChannelName.WEBPUSH, words, headed), PushText))
    assert re.fullmatch(r"EXERCICE : Un titre.*…", str(shown["title"]))
    assert re.fullmatch(r"EXERCICE : mot.*… EXERCICE", str(shown["body"]))
    assert len(str(shown["title"])) <= 50
    assert len(str(shown["body"])) <= 120


def test_a_payload_beyond_one_record_is_refused(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    headed = replace(letterhead, page_url=f"https://alerte.example.org/{'a' * 2000}")
    refused = composer.compose(ChannelName.WEBPUSH, content, headed)
    assert isinstance(refused, TooLong)
    assert refused.unit is Unit.BYTES
    assert refused.size - refused.remove == 3993


# ------------------------------------------------------------------------------------ refusals


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


# ------------------------------------------------------------------------------------- previews


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
    sms = _text(composer.compose(ChannelName.SMS, content, letterhead), SmsText).body
    push = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead), PushText).payload
    letter = _text(composer.compose(ChannelName.EMAIL, content, letterhead), EmailText)
    assert gsm.segments(sms.replace(STOP_TOKEN_MARK, token)) == gsm.segments(sms)
    for text in (push, letter.text, letter.html, letter.stop_url):
        assert STOP_TOKEN_MARK in text
        assert len(text.replace(STOP_TOKEN_MARK, token).encode()) == len(text.encode())
    json.loads(push.replace(STOP_TOKEN_MARK, token))


# ---------------------------------------------------------------------------- themes, languages


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
