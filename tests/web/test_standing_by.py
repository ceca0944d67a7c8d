# SPDX-License-Identifier: EUPL-1.2
"""What a hub cannot start with, or wait with, is one sentence before anything is touched."""

import pytest

from hub.app import UnusableError, lease_seconds
from hub.cli import app_for
from hub.cli.options import Refusal


def test_a_lease_outlives_the_longest_time_out_by_half(door_settings):
    by_mail = {"email": {"sender": "mairie@example.org"}}  # 30 s a letter
    assert lease_seconds(door_settings(channels=by_mail)) == 60
    with pytest.raises(UnusableError, match=r"engine\.lease_seconds must be at least 45"):
        lease_seconds(door_settings(channels=by_mail, engine={"lease_seconds": 44}))


def test_nobody_waits_beside_the_sandbox(tmp_path):
    config = tmp_path / "hub.toml"
    config.write_text("[sandbox]\nenabled = true\n", "utf-8")
    asked = ["serve", "--standby", "--config", str(config)]
    with pytest.raises(Refusal, match="sandbox lives inside one hub"):
        app_for(asked)(args=asked, standalone_mode=False)
