# SPDX-License-Identifier: EUPL-1.2
"""Small rules of the doors, each alone: masks, sentences of every kind of refusal."""

import pytest

from channels.base import ChannelName
from hub.flow.accept.submission import parse
from hub.web.portal.masking import masked

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (ChannelName.SMS, "+33639980042", f"06{NBSP}•• •• •• 42"),
        (ChannelName.SMS, "+262639980042", "+262 •• •• 42"),
        (ChannelName.EMAIL, "claire.4@example.org", "c•••@example.org"),
        (ChannelName.WEBPUSH, "https://push.example.org/abc", "•••"),
        (ChannelName.X, "clairedumoulin", "•••"),
    ],
)
def test_an_address_is_recognised_by_its_owner_alone(channel, address, shown):
    assert masked(channel, address) == shown


@pytest.mark.parametrize("channel", list(ChannelName))
def test_an_address_that_is_gone_shows_nothing_strange(channel):
    assert not any(c.isalnum() for c in masked(channel, ""))


def test_line_ends_of_other_systems_become_ours():
    said = {"title": " Eau ", "body": "un\r\ndeux\rtrois", "themes": ["eau"]}
    asked = parse(said)
    assert (asked.title, asked.body) == ("Eau", "un\ndeux\ntrois")
