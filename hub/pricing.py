# SPDX-License-Identifier: EUPL-1.2
"""What one copy of a text costs. Pure."""

from dataclasses import dataclass
from typing import assert_never

from channels.base import EmailText, PostText, PushText, SmsText, Text
from templates import gsm


@dataclass(frozen=True, slots=True)
class Prices:
    """What a provider takes: for an SMS segment, a post, a letter. 0 is a price nobody set."""

    each: float
    with_link: float  # for a post; elsewhere the same as `each`
    currency: str


def cost_of_one(text: Text, prices: Prices) -> float | None:
    """The cost of one copy, or None where its price is not set."""
    match text:
        case SmsText():
            cost = gsm.segments(text.body).count * prices.each
        case PostText():
            cost = sum(prices.with_link if "://" in post else prices.each for post in text.posts)
        case EmailText() | PushText():
            cost = prices.each
        case _:  # pragma: no cover
            assert_never(text)
    return cost or None
