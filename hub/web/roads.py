# SPDX-License-Identifier: EUPL-1.2
"""How the channels and their providers are, as health, metrics and the API tell it."""

from typing import Any

from hub.flow.send.dispatch import Road
from hub.flow.send.providers import Condition


def state(road: Road, now: float) -> str:
    """One word, and why where messages wait: "open", "probing", "closed: network"."""
    why = road.closed_for
    if why is not None:
        return f"closed: {why}"
    conditions = [each.condition(now) for each in road.providers.each]
    return str(Condition.OPEN if Condition.OPEN in conditions else Condition.PROBING)


def alarming(road: Road) -> bool:
    """Whether a provider waits for a human: a wrong key, a spent budget."""
    spent = road.budget is not None and road.budget.spent
    return spent or any(each.breaker.alarm for each in road.providers.each)


def described(road: Road, now: float) -> dict[str, Any]:
    """The channel, and each of its providers in order of preference."""
    return {
        "channel": road.name,
        "state": state(road, now),
        "budget_spent": road.budget is not None and road.budget.spent,
        "providers": [
            {
                "name": each.name,
                "state": each.condition(now),
                "reason": each.breaker.reason,
                "alarm": each.breaker.alarm,
                "pace": round(each.pace.current, 3),
            }
            for each in road.providers.each
        ],
    }
