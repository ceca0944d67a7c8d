# SPDX-License-Identifier: EUPL-1.2
"""The compiled letter, read back with the standard library's parser as the oracle."""

import email
import email.policy
import quopri
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import STOP_TOKEN_LENGTH, STOP_TOKEN_MARK, EmailText
from channels.email.letter import compile_letter, quoted_printable
from channels.email.settings import EmailSettings

TOKEN = "t" * STOP_TOKEN_LENGTH
SETTINGS = EmailSettings(sender="mairie@example.org", sender_name="Mairie de Valmont-sur-Orne")

# Bodies as templates make them, with the token's place anywhere, and lines that begin with dots.
bodies = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\r")),
        st.sampled_from([STOP_TOKEN_MARK, ".", "\n.", "\r\n", "=", " \n", "é" * 40, "x" * 200]),
    )
).map("".join)


def written(
    subject: str = "Eau",
    text: str = "t",
    html: str = "<p>h</p>",
    name: str = "Eau",
    settings: EmailSettings = SETTINGS,
) -> bytes:
    stop_url = f"https://example.org/s/{STOP_TOKEN_MARK}"
    content = EmailText(subject, text, html, stop_url, "eau.example.org", name)
    letter = compile_letter(content, settings)
    return letter.addressed("lea@example.org", "k@example.org", "Mon, 01 Mar 2027", TOKEN)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw.removesuffix(b".\r\n"), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@given(bodies)
def test_what_is_written_is_what_is_read_with_the_reader_s_token_in_its_place(body: str) -> None:
    encoded = quoted_printable(body).replace(STOP_TOKEN_MARK, TOKEN)
    expected = body.replace("\r\n", "\n").replace(STOP_TOKEN_MARK, TOKEN)
    decoded = quopri.decodestring(encoded.encode("ascii").replace(b"\r\n", b"\n"))
    assert decoded.decode() == expected


@given(bodies)
def test_lines_are_short_never_begin_with_a_dot_and_never_end_in_blank(body: str) -> None:
    for line in quoted_printable(body).split("\r\n"):
        assert len(line) <= 76
        assert not line.startswith(".")
        assert not line.endswith((" ", "\t"))
        assert "\n" not in line
        assert "\r" not in line


@given(bodies, bodies)
def test_only_the_last_line_is_the_lone_dot(text: str, html: str) -> None:
    raw = written(text=text, html=html)
    assert raw.endswith(b"\r\n.\r\n")
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n")[:-2])
    assert raw.count(b"\n") == raw.count(b"\r\n")


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_subject_or_list_name_adds_a_header(subject: str, name: str) -> None:
    message = parsed(written(subject=subject, name=name))
    assert message.keys() == [
        "To",
        "Message-ID",
        "Date",
        "From",
        "Subject",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "List-Id",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    "subject",
    [
        "Coupure d’eau",
        "Plain",
        "A very long subject " * 8 + "é",
        "Réunion publique sur le réaménagement de la place du marché, salle des fêtes, à 18 h 30",
    ],
)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    raw = written(subject=subject)
    assert parsed(raw)["Subject"] == subject.strip()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_names_with_quotes_and_accents_are_read_as_they_were_written() -> None:
    settings = SETTINGS.model_copy(update={"sender_name": 'Mairie "la belle" (Orne)'})
    message = parsed(written(name="Eau à Valmont", settings=settings))
    [sender] = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (
        'Mairie "la belle" (Orne)',
        "mairie@example.org",
    )
    assert message["List-Id"] == "Eau à Valmont <eau.example.org>"


def test_a_sender_without_a_name_is_an_address() -> None:
    settings = EmailSettings(sender="mairie@example.org")
    assert b"From: <mairie@example.org>\r\n" in written(settings=settings)


def test_unsubscribing_is_one_click_and_by_mail_where_there_is_a_mailbox() -> None:
    settings = SETTINGS.model_copy(update={"stop_mailbox": "stop@example.org"})
    message = parsed(written(settings=settings))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].split(", ") == [
        f"<https://example.org/s/{TOKEN}>",
        f"<mailto:stop@example.org?subject=stop-{TOKEN}>",
    ]


@pytest.mark.parametrize("stop_url", ["https://example.org/é", "https://a\r\nBcc: b", "a> <b", ""])
def test_a_stop_address_that_cannot_stand_in_a_header_is_refused(stop_url: str) -> None:
    content = EmailText("s", "t", "h", stop_url, "eau.example.org", "Eau")
    with pytest.raises(ValueError, match="header"):
        compile_letter(content, SETTINGS)


def test_a_letter_shows_nothing_of_itself_in_a_log() -> None:
    content = EmailText("s", "secret", "h", "https://example.org", "eau.example.org", "Eau")
    assert "secret" not in repr(compile_letter(content, SETTINGS))


def test_a_letter_to_one_person_of_the_house_is_of_no_list() -> None:
    letter = compile_letter(EmailText("s", "t", "<p>h</p>", None), SETTINGS)
    assert b"List-" not in b"".join(letter.pieces)
    assert b"Auto-Submitted: auto-generated" in b"".join(letter.pieces)
