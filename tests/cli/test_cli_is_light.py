# SPDX-License-Identifier: EUPL-1.2
"""A verb that starts no daemon waits for none of what the daemon imports."""

import subprocess
import sys

import pytest

SERVERS = ("hub.app", "hub.web.server", "aiohttp.web", "twilio", "tweepy")


@pytest.mark.parametrize("room", ["report", "redrive", "subscriber", "source", "importing"])
def test_a_verb_beside_the_daemon_imports_no_server(room: str) -> None:
    said = f"import sys, hub.cli.{room}; print([n for n in {SERVERS} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
