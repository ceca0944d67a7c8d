# SPDX-License-Identifier: EUPL-1.2
"""What comes back by mail, in the forms real servers write it; garbage says nothing and costs
nobody their mailbox."""

from datetime import UTC, datetime
from textwrap import dedent
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Reason
from channels.email.bounces import DELIVERED, FAILED, SENT, failure, read_letter

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def read(letter):
    """(rank, code, reason, dead) of a letter, or None where it says nothing."""
    raw = letter if isinstance(letter, bytes) else dedent(letter).lstrip().encode()
    found = read_letter(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), "12.1.mac", NOW)
    if not found:
        return None
    (receipt,) = found
    assert (receipt.token, receipt.at, receipt.ref) == ("12.1.mac", NOW, None)
    return receipt.rank, receipt.code, receipt.reason, receipt.contact_dead


def report(*groups, kind="delivery-status", text="It did not arrive."):
    """A multipart/report with these groups of fields after the first."""
    fields = "\n\n".join(["Reporting-MTA: dns; mx.example.org", *groups])
    return (
        "From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\n{text}\n\n"
        f"--b\nContent-Type: message/{kind}\n\n{fields}\n\n--b--\n"
    )


def group(action, status, diagnostic=""):
    said = f"\nDiagnostic-Code: smtp; {diagnostic}" if diagnostic else ""
    return f"Final-Recipient: rfc822; claire@example.org\nAction: {action}\nStatus: {status}{said}"


POSTFIX = """
    Return-Path: <>
    From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
    Subject: Undelivered Mail Returned to Sender
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
    \tboundary="4F1.1795428000/mx.example.org"

    This is a MIME-encapsulated message.

    --4F1.1795428000/mx.example.org
    Content-Description: Notification
    Content-Type: text/plain; charset=utf-8

    <claire@example.org>: host mx2.example.org[192.0.2.7] said: 550 5.1.1
        <claire@example.org>: Recipient address rejected: User unknown (in reply to
        RCPT TO command)

    --4F1.1795428000/mx.example.org
    Content-Description: Delivery report
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx.example.org
    X-Postfix-Queue-ID: 4F1
    Arrival-Date: Mon, 23 Nov 2026 10:00:00 +0000 (UTC)

    Final-Recipient: rfc822; claire@example.org
    Original-Recipient: rfc822;claire@example.org
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; mx2.example.org
    Diagnostic-Code: smtp; 550 5.1.1 <claire@example.org>: Recipient address
        rejected: User unknown

    --4F1.1795428000/mx.example.org
    Content-Description: Undelivered Message Headers
    Content-Type: text/rfc822-headers

    From: Ville <mairie@example.org>
    Subject: Coupure

    --4F1.1795428000/mx.example.org--
"""
EXCHANGE = """
    From: <postmaster@example.org>
    Subject: Undeliverable: Coupure d'eau
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status; boundary="exch"

    --exch
    Content-Type: multipart/alternative; boundary="in"

    --in
    Content-Type: text/html; charset="us-ascii"

    <html><body>Your message to claire@example.org couldn't be delivered.</body></html>

    --in--

    --exch
    Content-Type: message/delivery-status

    Reporting-MTA: dns;PR0P264MB.example.org
    Received-From-MTA: dns;smtp.example.org

    Final-Recipient: rfc822;claire@example.org
    Action: failed
    Status: 5.1.10
    Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by
     SMTP address lookup

    --exch--
"""
GMAIL = """
    From: Mail Delivery Subsystem <mailer-daemon@googlemail.example.org>
    Auto-Submitted: auto-replied
    Content-Type: multipart/report; boundary="0000000000000a"; report-type=delivery-status

    --0000000000000a
    Content-Type: multipart/related; boundary="0000000000000b"

    --0000000000000b
    Content-Type: text/plain; charset="UTF-8"

    ** Message blocked **

    --0000000000000b--

    --0000000000000a
    Content-Type: message/delivery-status

    Reporting-MTA: dns; googlemail.example.org
    X-Original-Message-ID: <abc@example.org>

    Final-Recipient: rfc822; claire@example.org
    Action: failed
    Status: 5.7.26
    Diagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is
     unauthenticated.
    Last-Attempt-Date: Mon, 23 Nov 2026 02:00:00 -0800 (PST)

    --0000000000000a--
"""


@pytest.mark.parametrize(
    ("letter", "verdict"),
    [
        (POSTFIX, (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)),
        (EXCHANGE, (FAILED, "5.1.10", Reason.NO_SUCH_ADDRESS, True)),
        (GMAIL, (FAILED, "5.7.26", Reason.REPUTATION, False)),
    ],
    ids=["postfix", "exchange", "gmail"],
)
def test_the_forms_of_the_great_servers(letter, verdict):
    assert read(letter) == verdict


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "verdict"),
    [
        ("failed", "5.2.1", "", (FAILED, "5.2.1", Reason.NO_SUCH_ADDRESS, True)),
        ("failed", "5.2.2", "", (FAILED, "5.2.2", Reason.MAILBOX_FULL, False)),
        ("failed", "5.3.4", "", (FAILED, "5.3.4", Reason.TOO_LONG, False)),
        # a queue that gave up after days: final for the letter, not for the mailbox
        ("failed", "4.4.7", "", (FAILED, "4.4.7", Reason.UNREACHABLE, False)),
        ("failed", "4.2.2", "", (FAILED, "4.2.2", Reason.MAILBOX_FULL, False)),
        # a general status, and what the other server added
        ("failed", "5.0.0", "550 5.1.1 no", (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)),
        ("failed", "", "550 5.1.1 no", (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)),
        ("failed", "5.0.0", "550 no such user", (FAILED, "5.0.0", Reason.UNREACHABLE, False)),
        # policy wins over whatever else is said
        ("failed", "5.1.1", "550 5.7.1 spam", (FAILED, "5.7.1", Reason.REPUTATION, False)),
        ("failed", "5.7.1", "550 5.1.1 no", (FAILED, "5.7.1", Reason.REPUTATION, False)),
        # what nobody knows suspends nobody
        ("failed", "5.9.9", "", (FAILED, "5.9.9", Reason.UNREACHABLE, False)),
        ("failed", "", "", (FAILED, "", Reason.UNREACHABLE, False)),
        ("failed", "five", "192.168.5.1.1", (FAILED, "", Reason.UNREACHABLE, False)),
        ("FAILED (bad)", "5.1.1", "", (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)),
        ("delayed", "4.4.1", "", (SENT, "4.4.1", Reason.UNKNOWN, False)),
        ("delivered", "2.0.0", "", (DELIVERED, "2.0.0", Reason.UNKNOWN, False)),
        ("relayed", "2.0.0", "", (SENT, "2.0.0", Reason.UNKNOWN, False)),
        ("expanded", "", "", (SENT, "expanded", Reason.UNKNOWN, False)),
        ("", "5.1.1", "", (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)),
        ("", "4.4.1", "", (SENT, "4.4.1", Reason.UNKNOWN, False)),
        ("", "", "", None),
        ("exploded", "5.1.1", "", None),
    ],
)
def test_a_status_report(action, status, diagnostic, verdict):
    assert read(report(group(action, status, diagnostic))) == verdict


@pytest.mark.parametrize(
    ("groups", "rank"),
    [
        ([group("failed", "5.1.1"), group("delivered", "2.0.0")], DELIVERED),
        ([group("failed", "5.1.1"), group("delayed", "4.4.1")], SENT),
        ([group("failed", "5.1.1"), group("failed", "5.2.2")], FAILED),
    ],
)
def test_where_mail_is_forwarded_to_several_only_the_failure_of_all_is_one(groups, rank):
    assert read(report(*groups))[0] == rank


def test_a_status_report_in_a_plain_multipart_is_read_too():
    letter = report(group("failed", "5.1.1"))
    mixed = letter.replace("multipart/report; report-type=delivery-status", "multipart/mixed")
    assert read(mixed) == (FAILED, "5.1.1", Reason.NO_SUCH_ADDRESS, True)


def test_an_internationalised_report_is_read_too():
    letter = report(group("failed", "5.1.1"), kind="global-delivery-status")
    assert read(letter)[0] == FAILED


def test_free_text_that_servers_write_fails_the_letter_but_never_the_mailbox():
    qmail = """
        From: MAILER-DAEMON@mx.example.org
        Subject: failure notice

        Hi. This is the qmail-send program at mx.example.org.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <claire@example.org>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.
    """
    assert read(qmail) == (FAILED, "unstructured", Reason.UNREACHABLE, False)


COMPLAINT = """
    From: <feedback@provider.example.org>
    Subject: complaint
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=feedback-report; boundary="arf"

    --arf
    Content-Type: text/plain

    This is an email abuse report.

    --arf
    Content-Type: message/feedback-report

    Feedback-Type: {kind}
    User-Agent: SomeGenerator/1.0
    Version: 1
    Original-Mail-From: <bounce+12.1.mac@retours.example.org>

    --arf
    Content-Type: message/rfc822

    From: <mairie@example.org>
    Subject: Coupure

    Jeudi.
    --arf--
"""


@pytest.mark.parametrize("kind", ["abuse", "Fraud", "opt-out", "other"])
def test_a_complaint_arrived_and_ends_the_use_of_the_address(kind):
    told = (DELIVERED, kind.lower(), Reason.COMPLAINT, True)
    assert read(COMPLAINT.format(kind=kind)) == told


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus", "", "é"])
def test_a_report_that_is_no_complaint_changes_nothing(kind):
    assert read(COMPLAINT.format(kind=kind)) is None


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied\nSubject: Absente",
        "Auto-Submitted: auto-replied (vacation)\nSubject: Absente",
        "X-Autoreply: yes\nSubject: Absente",
        "Subject: Merci",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ],
)
def test_a_reply_says_nothing_about_the_letter(head):
    assert read(f"From: claire@example.org\n{head}\n\nJe rentre lundi. 550 5.1.1 rien.\n") is None


def test_only_a_row_of_the_table_calls_a_mailbox_dead():
    dead = {status for status in ALL if failure(status)[1]}
    assert dead == {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}


ALL = [f"{a}.{b}.{c}" for a in (2, 4, 5) for b in range(9) for c in range(40)]

# --------------------------------------------------------------------------- garbage

PIECES = [
    POSTFIX,
    EXCHANGE,
    GMAIL,
    COMPLAINT.format(kind="abuse"),
    report(group("failed", "5.1.1")),
]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_bytes_of_no_kind_say_nothing(raw):
    assert read_letter(raw, "t", NOW) == []


@st.composite
def broken(draw):
    """A true letter with holes, doubled pieces and strange bytes."""
    raw = bytearray(dedent(draw(st.sampled_from(PIECES))).lstrip().encode())
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        until = min(len(raw), at + draw(st.integers(0, 60)))
        raw[at:until] = draw(st.binary(max_size=30) | st.just(bytes(raw[at:until]) * 2))
    return bytes(raw)


@settings(max_examples=400, deadline=None)
@given(broken())
def test_a_broken_letter_never_raises_and_never_suspends_without_its_code(raw):
    for receipt in read_letter(raw, "t", NOW):
        if receipt.contact_dead and receipt.reason is not Reason.COMPLAINT:
            assert receipt.rank == FAILED
            assert failure(receipt.code) == (receipt.reason, True)
            assert receipt.code.encode() in raw


def test_a_letter_of_a_thousand_parts_is_read_in_time():
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(500)
    )
    assert read_letter(deep, "t", NOW) == []


@pytest.mark.parametrize("lines", [b"\r\n", b"aaaa\r\n", b"--b\r\n\r\nx\r\n"])
def test_a_hostile_letter_of_a_megabyte_costs_no_more_than_a_small_one(lines):
    head = b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    letter = head + lines * (1_000_000 // len(lines))
    begun = thread_time()
    assert read_letter(letter, "t", NOW) == []
    assert thread_time() - begun < 3


def test_a_report_is_read_however_long_the_letter_it_returns():
    raw = dedent(report(group("failed", "5.1.1"))).lstrip().encode()
    long = raw.removesuffix(b"--b--\n") + b"--b\n\n" + b"our own letter\n" * 60_000 + b"--b--\n"
    (receipt,) = read_letter(long, "t", NOW)
    assert (receipt.code, receipt.contact_dead) == ("5.1.1", True)
