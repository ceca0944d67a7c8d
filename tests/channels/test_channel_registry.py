# SPDX-License-Identifier: EUPL-1.2
"""Every road has a class, and only the roads a town uses are imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from channels.base import ChannelName
from channels.registry import CHANNELS, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ChannelName)
def test_every_channel_is_registered_under_its_own_name(name):
    assert load(name).name is name


def test_every_channel_name_has_exactly_one_class():
    assert set(CHANNELS) == set(ChannelName)
    assert len(set(CHANNELS.values())) == len(ChannelName)


def test_a_channel_is_imported_only_when_loaded():
    """In a fresh interpreter: SMS alone brings no other provider's library along."""
    code = (
        "import sys; from channels.base import ChannelName; from channels.registry import load;"
        "assert 'twilio' not in sys.modules; load(ChannelName.SMS);"
        "assert 'twilio' in sys.modules and 'tweepy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
