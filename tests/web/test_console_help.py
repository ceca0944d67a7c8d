# SPDX-License-Identifier: EUPL-1.2
"""Officers find help in both languages, and every state is explained by its own name."""

import html
import re

import pytest

from hub.web.console.guidance import PAGES
from templates.pages.texts import text
from templates.pages.wording import TIMED_STATES, ShownState, state_label


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_page_of_help_opens_from_the_list(office, language):
    hand = await office.writer()
    listed = await hand.get(f"/console/aide?lang={language}")
    found = re.findall(r'href="/console/aide/(\w+)"', listed.text)
    assert tuple(found) == PAGES
    for name in PAGES:
        page = await hand.get(f"/console/aide/{name}?lang={language}")
        assert page.status == 200
        assert f"<h1>{text(f'console/{name}', language, {}).title}</h1>" in page.text
    assert (await hand.get("/console/aide/autre")).status == 404


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", sorted(set(ShownState) - TIMED_STATES))
def test_every_state_is_explained_under_its_own_name(state, language):
    body = text("console/etats", language, {}).body
    assert f"<td>{state_label(state, language)}</td>" in body


@pytest.mark.parametrize("name", PAGES)
def test_french_help_puts_no_plain_space_before_high_punctuation(name):
    body = re.sub(r"<[^>]*>", "", text(f"console/{name}", "fr", {}).body)
    assert not re.search(r" [:;?!»]|« ", body)


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_help_asks_the_six_questions_of_the_form(office, language):
    hand = await office.writer()
    begun = await hand.post("/console/annonces/nouvelle", {"urgent": "1"})
    form = (await hand.get(f"{begun.headers['Location']}?lang={language}")).text
    asked = re.findall(r'<label for="six_\w+">([^<]+)</label>', form)
    told = re.findall(r"<li>([^<]+\?)</li>", text("console/urgence", language, {}).body)
    assert len(told) == 6
    assert [html.unescape(each) for each in asked] == [html.unescape(each) for each in told]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_help_names_the_box_that_the_form_asks_for(office, language):
    hand = await office.writer()
    begun = await hand.post("/console/annonces/nouvelle", {"model": ""})
    form = (await hand.get(f"{begun.headers['Location']}?lang={language}")).text
    whole = re.search(r'id="whole-1".*?<label for="whole-1">([^<]+)</label>', form, re.DOTALL)
    assert whole is not None
    assert whole[1].strip() in text("console/publier", language, {}).body
