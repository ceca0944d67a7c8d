# SPDX-License-Identifier: EUPL-1.2
"""Nothing personal reaches the logs: not by value, by message, by exception, nor by a library."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub.logs import bound, get_logger, mask, set_up_logs

TOKEN = "q7Rk2mVb0ZxYt5LwHn8sJc4uDf1gAeP3"


def _fail(sentence: str) -> None:
    raise RuntimeError(sentence)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The logs' destination; the root logger is put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    sink = io.StringIO()
    yield sink
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to lea.martin@example.org now", "to [address] now"),
        ("<lea.martin+eau@mail.example.org>", "<[address]>"),
        ("to=lea%40example.org&x=1", "to=[address]&x=1"),
        ("to +33639980012.", "to [address]."),
        ("to +33 6 39 98 00 12", "to [address]"),
        ("To=%2B33639980012&From", "To=[address]&From"),
        ("0033639980012", "[address]"),
        ("06 39 98 00 12", "[address]"),
        ("0639980012", "[address]"),
        ("06.39.98.00.12", "[address]"),
        (f"GET /arreter/{TOKEN} 200", "GET /arreter/[token] 200"),
        (
            f"https://alerte.example.org/arreter/{TOKEN}",
            "https://alerte.example.org/arreter/[token]",
        ),
        ("https://fcm.googleapis.com/fcm/send/abc:APA91b", "https://fcm.googleapis.com/[address]"),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/gAA",
            "https://updates.push.services.mozilla.com/[address]",
        ),
        ("https://user:pw@example.org/x", "https://example.org/x"),
        ("receipt 41.2.q7Rk2mVb0Z", "receipt [token]"),
        ("deadbee5" * 4, "[token]"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[token]"),
    ],
)
def test_addresses_and_tokens_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T18:43:57.120394+01:00",
        "run 12 planned 5000 of 1000000 in 0.120 s",
        "channel sms paused for 30 s after 429",
        "https://api.twilio.com/2010-04-01/Accounts",
        "SM" + "0123456789abcdef" * 2,
        "test_a_dead_number_is_suppressed",
        "CHANNEL_NOT_CONFIGURED_ANYWHERE",
        "anticonstitutionnellement",
        "/usr/lib/python3.11/asyncio/tasks.py",
    ],
)
def test_what_an_operator_needs_stays_readable(text: str) -> None:
    assert mask(text) == text


@given(st.from_regex(r"\+33 ?6 ?39 ?98( ?[0-9]{2}){2}", fullmatch=True))
def test_no_number_reserved_for_fiction_survives(number: str) -> None:
    assert mask(f"sent to {number}: 21610") == "sent to [address]: 21610"


@given(st.from_regex(r"[a-z0-9.+_-]{1,30}@[a-z0-9-]{1,20}\.example\.org", fullmatch=True))
def test_no_mailbox_survives(address: str) -> None:
    assert "@" not in mask(f"RCPT TO:<{address}> refused")


def test_values_are_masked_however_deep(stream: io.StringIO) -> None:
    set_up_logs("json", "info", stream)

    class Letter:
        def __repr__(self) -> str:
            return "Letter(lea@example.org)"

    get_logger("hub.flow").info(
        "sent",
        delivery=7,
        seen=[{"at": ("+33639980012", 3)}],
        letter=Letter(),
        raw=b"lea@example.org",
        file=Path("data/lea@example.org"),
        by_address={"lea@example.org": None},
    )
    line = json.loads(stream.getvalue())
    assert line["seen"] == [{"at": ["[address]", 3]}]
    assert line["by_address"] == {"[address]": None}
    assert line["delivery"] == 7
    assert "lea" not in stream.getvalue()


def test_values_named_personal_are_hidden_whatever_they_hold(stream: io.StringIO) -> None:
    set_up_logs("json", "info", stream)
    get_logger("x").info("m", text="Coupure d'eau", extra={"password": "court"}, to=None)
    line = json.loads(stream.getvalue())
    assert (line["text"], line["extra"], line["to"]) == ("[hidden]", {"password": "[hidden]"}, None)


def test_exceptions_are_masked_too(stream: io.StringIO) -> None:
    set_up_logs("json", "info", stream)
    try:
        _fail("550 5.1.1 <lea@example.org> unknown")
    except RuntimeError:
        get_logger("x").exception("refused")
    line = json.loads(stream.getvalue())
    assert "RuntimeError: 550 5.1.1 <[address]> unknown" in line["exception"]
    assert "lea@example.org" not in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
def test_the_libraries_records_pass_the_same_mask(style: str, stream: io.StringIO) -> None:
    set_up_logs(style, "info", stream)  # type: ignore[arg-type]
    library = logging.getLogger("aiosmtplib")
    library.warning("refused %s", "lea@example.org", extra={"peer": "+33639980012"})
    try:
        _fail(f"no route to lea@example.org with {TOKEN}")
    except RuntimeError:
        library.exception("failed")
    written = stream.getvalue()
    assert "refused [address]" in written
    for secret in ("lea@", "33639980012", TOKEN):
        assert secret not in written


def test_bound_ids_are_on_every_line_of_the_block_and_gone_after(stream: io.StringIO) -> None:
    set_up_logs("json", "info", stream)
    with bound(run=12):
        get_logger("a").info("inside")
        logging.getLogger("b").info("inside too")
    get_logger("a").info("outside")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("run") for line in lines] == [12, 12, None]
    assert [line["logger"] for line in lines] == ["a", "b", "a"]


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    set_up_logs("console", "warning", stream)
    get_logger("a").info("quiet")
    get_logger("a").warning("loud")
    assert "loud" in stream.getvalue()
    assert "quiet" not in stream.getvalue()


def test_the_logs_go_to_stderr_by_default(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("console", "info")
    get_logger("a").info("here")
    assert "here" in capsys.readouterr().err
