# SPDX-License-Identifier: EUPL-1.2
"""A message exactly as it leaves, with the figures that officers decide by."""

from dataclasses import dataclass

from channels.base import SHORT_STOP_MARK, STOP_TOKEN_MARK, Rendered, SmsText
from templates import fit, gsm


@dataclass(frozen=True, slots=True)
class SmsFigures:
    """What it costs now, which characters make it dear, what it would cost without them."""

    segments: gsm.Segments
    costly: tuple[gsm.Costly, ...]
    economical: gsm.Segments


@dataclass(frozen=True, slots=True)
class PostFigures:
    """The weighted length of each post, of at most `limit`."""

    weights: tuple[int, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class EmailFigures:
    """The subject's length in characters, and the most that inboxes show."""

    subject_length: int
    advised: int = fit.SUBJECT_ADVISED


@dataclass(frozen=True, slots=True)
class PushFigures:
    """What the phone shows, whether each was cut, and the payload's bytes of at most `limit`."""

    title: str
    body: str
    title_cut: bool
    body_cut: bool
    bytes: int
    limit: int


Figures = SmsFigures | PostFigures | EmailFigures | PushFigures


@dataclass(frozen=True, slots=True)
class Preview:
    """`rendered` is what leaves, byte for byte but for personal links of equal length."""

    rendered: Rendered
    figures: Figures


def sms_figures(text: SmsText) -> SmsFigures:
    """The figures of an SMS."""
    return SmsFigures(
        gsm.segments(text.body),
        gsm.costly(text.body),
        gsm.segments(gsm.economical(text.body)),
    )


def specimen(text: str) -> str:
    """A text with a dot for each character of its personal links: each person gets their own."""
    for mark in (STOP_TOKEN_MARK, SHORT_STOP_MARK):
        text = text.replace(mark, "\N{BULLET}" * len(mark))
    return text
