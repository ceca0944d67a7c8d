# SPDX-License-Identifier: EUPL-1.2
"""Where nobody can answer STOP to an SMS, its one link is the reader's own, and says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from channels.base import SHORT_STOP_MARK, ChannelName, Rendered, SmsText, Urgency
from templates import gsm
from templates.catalogue import Catalogue
from templates.check import problems
from templates.content import Content, Letterhead
from templates.digest import DigestItem, compose_digest
from templates.preview import Preview, SmsFigures
from templates.render import Composed, Composer

SMS = ChannelName.SMS
PAGE = "https://alerte.example.org/a/7Kq2"
OWN = f"https://alerte.example.org/s/{SHORT_STOP_MARK}"


def _body(composed: Composed) -> str:
    assert isinstance(composed, Rendered), composed
    assert isinstance(composed.text, SmsText)
    return composed.text.body


@pytest.mark.parametrize(
    ("language", "said"), [("fr", f" Infos/STOP : {OWN}"), ("en", f" Info/STOP: {OWN}")]
)
@pytest.mark.parametrize("urgency", Urgency)
def test_one_way_the_only_link_is_the_readers_own(  # noqa: PLR0917 (fixtures and cases)
    composer: Composer,
    content: Content,
    letterhead: Letterhead,
    language: str,
    said: str,
    urgency: Urgency,
) -> None:
    words = replace(content, language=language, short="Plus d'eau.")
    head = replace(letterhead, urgency=urgency)
    one_way = _body(composer.compose(SMS, words, replace(head, one_way=True)))
    two_way = _body(composer.compose(SMS, words, head))
    assert one_way == two_way.replace(f" {PAGE}", said)
    assert one_way.count("https://") == 1
    assert SHORT_STOP_MARK not in two_way
    assert "STOP" not in two_way
    assert gsm.encoding(one_way) is gsm.Encoding.GSM7


def test_an_adapted_text_gets_the_readers_own_link_too(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, overrides={SMS: "Fermez les volets."})
    body = _body(composer.compose(SMS, words, replace(letterhead, one_way=True)))
    assert body == f"Fermez les volets. Infos/STOP : {OWN}"


@pytest.mark.parametrize(("more", "parts"), [(0, 1), (1, 2)])
def test_at_160_septets_it_is_one_part_and_the_preview_says_so(
    composer: Composer, content: Content, letterhead: Letterhead, more: int, parts: int
) -> None:
    head = replace(letterhead, one_way=True)
    room = 160 - len(f" Infos/STOP : {OWN}") + more
    words = replace(content, overrides={SMS: "a" * room})
    preview = composer.preview(SMS, words, head)
    assert isinstance(preview, Preview)
    assert preview.rendered == composer.compose(SMS, words, head)
    assert isinstance(preview.figures, SmsFigures)
    assert preview.figures.segments.count == parts
    body = _body(preview.rendered)
    assert gsm.segments(body.replace(SHORT_STOP_MARK, "Az09-_Az09-_Az0A")).count == parts


@pytest.mark.parametrize(("language", "stop"), [("fr", "STOP : "), ("en", "STOP: ")])
def test_a_digest_ends_with_the_readers_own_link(
    composer: Composer, content: Content, letterhead: Letterhead, language: str, stop: str
) -> None:
    head = replace(letterhead, one_way=True)
    one = DigestItem(replace(content, language=language), head)
    body = _body(compose_digest(composer, SMS, language, [one], head))
    assert body.splitlines()[-1] == f"{stop}{OWN}"
    assert SHORT_STOP_MARK not in _body(compose_digest(composer, SMS, language, [one], letterhead))
    many = _body(compose_digest(composer, SMS, language, [one] * 20, head))
    last = many.splitlines()[-1]
    assert last.startswith(("et ", "and "))
    assert last.endswith(f", {stop}{OWN}")
    assert "https://alerte.example.org/\n" not in f"{many}\n"
    assert gsm.encoding(many) is gsm.Encoding.GSM7


def test_the_packaged_templates_have_no_problem_one_way() -> None:
    assert problems(Catalogue(), one_way=True) == ()


@pytest.mark.parametrize("file", ["eau/sms.txt", "default/digest.sms.txt"])
def test_a_towns_sms_without_the_link_is_a_fault_only_where_nobody_can_answer(
    tmp_path: Path, file: str
) -> None:
    (tmp_path / "fr" / file).parent.mkdir(parents=True)
    (tmp_path / "fr" / file).write_text("{{ sender }} {{ page_url }}", "utf-8")
    assert problems(Catalogue(tmp_path)) == ()
    (fault,) = problems(Catalogue(tmp_path), one_way=True)
    assert str(fault).endswith(" no stop link, and nobody can answer: write {{ stop_url }}")
    assert str(fault).startswith(str(tmp_path / "fr" / file))
