# SPDX-License-Identifier: EUPL-1.2
"""Weights of posts, against twitter-text's own conformance suite."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.base import ChannelName
from templates import fit

SUITE = Path(__file__).parents[2].parent / "shared" / "data" / "twitter-text" / "validate.yml"


def _cases(section: str) -> list[Any]:
    if not SUITE.exists():
        reason = f"{SUITE.name} is not here: the conformance data is kept beside the project"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    sections = yaml.safe_load(SUITE.read_text("utf-8"))["tests"]
    return [pytest.param(case, id=case["description"]) for case in sections[section]]


@pytest.mark.parametrize(
    "case",
    [
        *_cases("WeightedTweetsWithDiscountedEmojiCounterTest"),  # version 3, the one in use
        *_cases("UnicodeDirectionalMarkerCounterTest"),
    ],
)
def test_a_post_weighs_what_x_says(case: dict[str, Any]) -> None:
    assert fit.weight(case["text"]) == case["expected"]["weightedLength"]


@pytest.mark.parametrize("case", _cases("WeightedTweetsWithDiscountedEmojiCounterTest"))
def test_a_post_too_heavy_for_x_is_too_long_for_us(case: dict[str, Any]) -> None:
    fits = fit.post(case["text"], fit.LIMITS[ChannelName.X]) == (case["text"],)
    assert fits == (case["expected"]["weightedLength"] <= 280)
