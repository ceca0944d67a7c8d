# SPDX-License-Identifier: EUPL-1.2
"""Receipts are believed exactly when they bear Twilio's own documented signatures."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from channels.sms.channel import SmsChannel
from channels.sms.settings import SmsSettings

VECTORS = Path(__file__).parents[3] / "shared/data/twilio-signature/vectors.json"


class StillClock:
    def now(self):
        return datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def published():
    if not VECTORS.exists():
        pytest.skip("shared/data/twilio-signature is not beside the project")
    return json.loads(VECTORS.read_text())


def reader(token):
    settings = SmsSettings(account_sid="AC0", auth_token=token, sender="VALMONT")
    return SmsChannel(settings, StillClock())


@pytest.mark.parametrize("number", [0, 1])
def test_a_documented_signature_is_believed(published, number):
    vector = published["vectors"][number]
    headers = {"x-twilio-signature": vector["signature"]}
    body = urlencode(vector["params"]).encode()
    # the vectors are of a voice call: believed, and nothing of ours
    assert reader(published["auth_token"]).read_receipts(headers, body, published["url"]) == []


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("wrong", ["parameter", "url", "token", "signature"])
def test_a_documented_signature_on_anything_else_is_not_believed(published, number, wrong):
    vector, url, token = published["vectors"][number], published["url"], published["auth_token"]
    params, signature = dict(vector["params"]), vector["signature"]
    match wrong:
        case "parameter":
            params["To"] = "+33639980001"
        case "url":
            url += "&more=1"
        case "token":
            token += "6"
        case "signature":
            signature = published["vectors"][1 - number]["signature"]
    with pytest.raises(PermissionError):
        reader(token).read_receipts(
            {"X-Twilio-Signature": signature}, urlencode(params).encode(), url
        )
