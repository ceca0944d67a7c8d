# SPDX-License-Identifier: EUPL-1.2
"""What leaves by web push: one declarative message that every browser reads."""

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

from channels.base import (
    ChannelName,
    PushText,
    Rendered,
    Urgency,
)
from templates.content import Content, Kind, Letterhead
from templates.refusals import TooLong, Unit
from templates.render import Composed, Composer

PAGE = "https://alerte.example.org/a/7Kq2"


def _text(composed: Composed) -> PushText:
    assert isinstance(composed, Rendered), composed
    assert isinstance(composed.text, PushText)
    return composed.text


def _shown(push: PushText) -> dict[str, object]:
    notification: dict[str, object] = json.loads(push.payload)["notification"]
    return notification


def test_a_notification_is_a_declarative_push_message(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    push = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead))
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
    first = _text(composer.compose(ChannelName.WEBPUSH, content, letterhead))
    later = _text(composer.compose(ChannelName.WEBPUSH, content, update))
    assert first.topic == later.topic
    assert str(_shown(later)["title"]).startswith("MISE À JOUR : ")


def test_a_drill_keeps_its_word_on_a_cut_notification(
    composer: Composer, content: Content, letterhead: Letterhead
) -> None:
    words = replace(content, title="Un titre " * 12, body="mot " * 90)
    headed = replace(letterhead, urgency=Urgency.DRILL)
    shown = _shown(_text(composer.compose(ChannelName.WEBPUSH, words, headed)))
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
