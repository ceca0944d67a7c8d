# SPDX-License-Identifier: EUPL-1.2
"""The letter: MIME compiled once per announcement, a reader's own bytes spliced at each send.

Building a message costs a millisecond, splicing one a microsecond. Bodies are quoted-printable:
it holds any line length, asks nothing of the server (no 8BITMIME), and lets two rules be settled
for good at compile time: no output line begins with a dot (so nothing needs dot-stuffing, RFC 5321
section 4.5.2) and the stop token's place is never broken by a soft line end (so any token of the
same length fits).
"""

import re
from dataclasses import dataclass, field
from email.header import Header
from email.utils import quote

from channels.base import STOP_TOKEN_MARK, EmailText
from channels.email.settings import EmailSettings

# "=_" cannot occur in quoted-printable text, so this boundary needs no search (RFC 2045 6.7).
_BOUNDARY = "=_alternative"
_LINE = 76  # RFC 2045 section 6.7 rule 5
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_URI = re.compile(r"[!-;=?-~]+")  # printable ASCII, neither space nor angle brackets
_UNITS = re.compile(STOP_TOKEN_MARK.encode() + rb"|[^\n]")
_MARK = STOP_TOKEN_MARK.encode()


@dataclass(frozen=True, slots=True)
class Letter:
    """A compiled letter: the bytes between the places of the stop token."""

    pieces: tuple[bytes, ...] = field(repr=False)

    def addressed(self, to: str, message_id: str, date: str, stop_token: str) -> bytes:
        """The whole DATA of one reader, ended by the lone dot.

        The caller has checked that the values hold no control character.
        """
        head = f"To: <{to}>\r\nMessage-ID: <{message_id}>\r\nDate: {date}\r\n"
        return head.encode() + stop_token.encode("ascii").join(self.pieces)


def compile_letter(text: EmailText, settings: EmailSettings) -> Letter:
    """Compile what every reader gets (RFC 5322, 2046, 8058, 2919, 3834).

    Raises ValueError where the stop address or the list's id cannot stand in a header.
    """
    lines = [
        f"From: {_named(settings.sender_name, settings.sender, 'From')}",
        f"Subject: {_unstructured(text.subject, 'Subject')}",
        *_of_a_list(text, settings.stop_mailbox),
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"',
        "",
        *_part("plain", text.text),
        *_part("html", text.html),
        f"--{_BOUNDARY}--",
        ".",
        "",
    ]
    return Letter(tuple("\r\n".join(lines).encode("ascii").split(_MARK)))


def _of_a_list(text: EmailText, stop_mailbox: str | None) -> list[str]:
    """What a letter to everybody says of its list; one to a single person of the house has none."""
    if text.stop_url is None:
        return []
    return [
        f"List-Unsubscribe: {_stop_addresses(text.stop_url, stop_mailbox)}",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"List-Id: {_named(text.list_name, _uri(text.list_id), 'List-Id')}",
    ]


def _part(subtype: str, body: str) -> list[str]:
    return [
        f"--{_BOUNDARY}",
        f"Content-Type: text/{subtype}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        quoted_printable(body),
    ]


def quoted_printable(body: str) -> str:
    """Quoted-printable (RFC 2045 section 6.7) that never splits the stop token's place and never
    begins a line with a dot; line ends become CRLF."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").encode().split(b"\n")
    return "\r\n".join(_encoded_line(line) for line in lines)


def _encoded_line(line: bytes) -> str:
    units = [_unit(unit) for unit in _UNITS.findall(line)]
    if units and units[-1] in {" ", "\t"}:  # a mail server may strip them at the end of a line
        units[-1] = f"={ord(units[-1]):02X}"
    done: list[str] = []
    current = ""
    for unit in units:
        if len(current) + len(unit) >= _LINE:  # one place is kept for the soft line end's "="
            done.append(current + "=")
            current = ""
        current += "=2E" if unit == "." and not current else unit
    return "\r\n".join([*done, current])


def _unit(unit: bytes) -> str:
    plain = len(unit) > 1 or unit == b"\t" or (b" " <= unit <= b"~" and unit != b"=")
    return unit.decode("ascii") if plain else f"={unit[0]:02X}"


def _unstructured(value: str, header: str) -> str:
    """Free text as a header value: one line, RFC 2047 encoded words where not ASCII."""
    line = _CONTROLS.sub(" ", value).strip()
    return Header(line, header_name=header).encode(linesep="\r\n")


def _named(name: str, address: str, header: str) -> str:
    """``name <address>`` with the name quoted, or as encoded words where not ASCII."""
    line = _CONTROLS.sub(" ", name).strip()
    if not line:
        return f"<{address}>"
    phrase = f'"{quote(line)}"' if line.isascii() else _unstructured(line, header)
    return f"{phrase}\r\n <{address}>"


def _stop_addresses(url: str, mailbox: str | None) -> str:
    """RFC 8058 section 3.1 asks for an HTTPS address; RFC 2369 allows a mailbox beside it."""
    mail = f",\r\n <mailto:{mailbox}?subject=stop-{STOP_TOKEN_MARK}>" if mailbox else ""
    return f"<{_uri(url)}>{mail}"


def _uri(value: str) -> str:
    if not _URI.fullmatch(value):
        raise ValueError("an address in a header holds a character that cannot stand there")
    return value
