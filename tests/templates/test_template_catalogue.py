# SPDX-License-Identifier: EUPL-1.2
"""Which template is used, and what is said of one that is missing or broken."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from templates.catalogue import DIGESTS, NAMES, Catalogue, TemplateFault
from templates.check import problems


def _write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def _said(folder: Path, files: Mapping[str, str]) -> list[str]:
    return [str(fault) for fault in problems(Catalogue(_write(folder, files)))]


@pytest.mark.parametrize(
    ("language", "themes", "used"),
    [
        ("fr", (), "fr default"),
        ("fr", ("coupures", "eau"), "fr eau"),
        ("fr", ("eau", "travaux"), "fr eau"),
        ("fr", ("culture",), "fr default"),
        ("pt-BR", ("eau",), "pt default"),
        ("it", ("eau",), "de default"),
        ("../fr", ("../eau",), "de default"),
    ],
)
def test_the_nearest_template_is_used(
    tmp_path: Path, language: str, themes: tuple[str, ...], used: str
) -> None:
    names = ("fr/default", "fr/eau", "fr/travaux", "pt/default", "de/default")
    files = {f"{name}/sms.txt": name.replace("/", " ") for name in names}
    catalogue = Catalogue(_write(tmp_path, files), language="de")
    found = catalogue.find("sms.txt", language, themes)
    assert found.render({}) == used
    assert found.locale == used.partition(" ")[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_message_is_packaged_in_french_and_english(name: str, language: str) -> None:
    assert Catalogue().find(name, language).locale == language


def test_an_unknown_language_speaks_french() -> None:
    assert Catalogue(language="eo").find("sms.txt", "ja").locale == "fr"


def test_the_towns_own_template_comes_before_the_packaged_one(tmp_path: Path) -> None:
    catalogue = Catalogue(_write(tmp_path, {"fr/default/sms.txt": "à nous"}))
    assert catalogue.find("sms.txt", "fr").render({}) == "à nous"
    assert catalogue.find("post.txt", "fr").render({"text": "x", "label": ""}) == "x"


def test_a_template_is_compiled_once(tmp_path: Path) -> None:
    catalogue = Catalogue(_write(tmp_path, {"fr/default/sms.txt": "avant"}))
    before = catalogue.find("sms.txt", "fr")
    _write(tmp_path, {"fr/default/sms.txt": "après"})
    assert catalogue.find("sms.txt", "fr").render({}) == before.render({}) == "avant"


def test_a_template_added_later_waits_for_a_new_catalogue(tmp_path: Path) -> None:
    catalogue = Catalogue(_write(tmp_path, {"fr/default/sms.txt": "avant"}))
    _write(tmp_path, {"fr/eau/sms.txt": "après"})
    assert catalogue.find("sms.txt", "fr", ("eau",)).render({}) == "avant"
    assert Catalogue(tmp_path).find("sms.txt", "fr", ("eau",)).render({}) == "après"


def test_the_packaged_templates_have_no_problem() -> None:
    assert problems(Catalogue()) == ()


def test_a_missing_template_is_named_with_its_language_and_channel(tmp_path: Path) -> None:
    said = _said(tmp_path, {"de/default/sms.txt": "{{ text }}"})
    assert "messages/de/default/post.txt: missing: no x text in language 'de'" in said
    assert "messages/de/default/email.html: missing: no email text in language 'de'" in said
    assert len(said) == len(NAMES) - 1


def test_without_any_template_the_fault_says_which(tmp_path: Path) -> None:
    empty = Catalogue(packaged=tmp_path)
    with pytest.raises(TemplateFault, match=r"^messages/fr/default/sms\.txt: missing"):
        empty.find("sms.txt", "fr")
    assert len(problems(empty)) == 2 * len({**NAMES, **DIGESTS})


def test_a_file_nobody_reads_is_named(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, {"fr/eau/sms.text": "x"})
    assert said.startswith("fr/eau/sms.text: no message reads this file")


@pytest.mark.parametrize(
    ("name", "source", "fault"),
    [
        ("sms.txt", "un\n{% if %}", "2: Expected an expression"),
        ("sms.txt", "un\n\n{{ txet }}", "3: 'txet' is undefined"),
        ("sms.txt", "{{ text.__class__.__mro__ }}", "1: access to attribute '__class__'"),
        ("sms.txt", "{{ text }}\n{{ 1 / 0 }}", "2: this expression raises ZeroDivisionError"),
        ("sms.txt", "{{ text | long_date('x', 'fr') }}", "1: this expression raises AttributeErr"),
        ("sms.txt", "{% include 'fr/eau/nothing.txt' %}", "1: fr/eau/nothing.txt"),
        ("sms.txt", "{{ text }} l’eau", " ’ (U+2019) makes every SMS dearer (UCS-2)"),
        ("sms.txt", "{{ 'mot ' * 300 }}", " The message takes 8 SMS; the most is 6. Remove "),
        ("post.txt", "{{ 'mot ' * 80 }}", " The post counts"),
        ("email.txt", "{{ text }}", " no stop link: write {{ stop_url }}"),
        ("email.html", "<p>{{ stop_url }}</p>", " a drill must start and end with {{ drill }}"),
        ("push.json", "{\n{{ text }}", "2: not JSON"),
        ("push.json", "[]", ' not a declarative push message: "web_push" must be 8030'),
        ("push.json", '{"web_push": 8030}', ' "notification" needs a "title" and a "navigate"'),
        (
            "push.json",
            '{"web_push": 8030, "notification": {"title": "t", "navigate": "https://example.org"}}',
            " no stop link: write {{ stop_url | json }}",
        ),
    ],
)
def test_a_broken_template_is_named_with_its_line(
    tmp_path: Path, name: str, source: str, fault: str
) -> None:
    said = _said(tmp_path, {f"fr/eau/{name}": source})
    assert said
    assert all(line.startswith(f"{tmp_path / 'fr/eau' / name}:{fault}") for line in said), said


def test_a_broken_layout_is_named_itself(tmp_path: Path) -> None:
    files = {"layout.html": "a\n{% if %}", "fr/eau/email.html": "{% extends 'layout.html' %}"}
    (said,) = _said(tmp_path, files)
    assert said.startswith(f"{tmp_path / 'layout.html'}:2:")


def test_a_template_cannot_change_what_it_is_given(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, {"fr/eau/sms.txt": "{{ themes.append('x') }}{{ text }}"})
    assert "access to attribute 'append' of 'list' object is unsafe" in said


def test_a_fault_never_quotes_the_message(tmp_path: Path) -> None:
    catalogue = Catalogue(_write(tmp_path, {"fr/default/sms.txt": "{{ text + 1 }}"}))
    with pytest.raises(TemplateFault) as caught:
        catalogue.find("sms.txt", "fr").render({"text": "rue des Lilas"})
    assert "Lilas" not in str(caught.value)
    assert caught.value.__suppress_context__
