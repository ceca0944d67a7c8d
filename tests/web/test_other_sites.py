# SPDX-License-Identifier: EUPL-1.2
"""No other site makes a reader's browser act here; machines and one-click stops are not readers."""

import pytest

from channels.base import ChannelName

HOME = "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://ailleurs.example.org"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://alerte.example.org"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_form_of_another_site_is_refused_before_anything_looks_at_it(door, headers, method):
    answer = await door.ask(method, HOME, headers=headers)
    assert answer.status == 403


async def test_a_form_of_ours_passes(door):
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": door.hub.base_url}, {}):
        assert (await door.ask("POST", HOME, headers=headers)).status == 405  # no such form here


async def test_a_one_click_stop_comes_from_anywhere(door):
    token = door.stop_token(ChannelName.EMAIL, await door.person("v0001"), 1)
    headers = {"Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site"}
    answer = await door.ask("POST", f"/stop/{token}", headers=headers)
    assert answer.status in {200, 410}


async def test_no_address_of_ours_makes_a_page_that_leads_elsewhere(door):
    """Two slashes begin another site's address: the link to the other language keeps to one."""
    page = (await door.ask("GET", "//ailleurs.example.org/annonces")).text
    assert 'href="/ailleurs.example.org/annonces?lang=' in page
    assert '"//' not in page
