# SPDX-License-Identifier: EUPL-1.2
"""How each road is driven, as hub.toml says: windows, pace, patience, a second provider, budget."""

from typing import Any

from channels.base import Channel, ChannelName
from channels.registry import backup_of
from hub.flow.engine import RoadSettings
from hub.flow.send.budget import Limits
from hub.settings import Settings


def road_settings(settings: Settings, channel: Channel) -> RoadSettings:
    """For a channel that is configured."""
    section = getattr(settings.channels, channel.name.value)
    window: int = getattr(settings.engine.windows, channel.name.value)
    backup = getattr(section, "backup", None)
    return RoadSettings(
        channel,
        window,
        min(section.connections, backup.connections) if backup else section.connections,
        section.pace,
        timeout=longest(section),
        limits=limits_of(settings) if channel.name is ChannelName.X else None,
        others={backup_of(channel.name): backup.pace} if backup else {},
        receipts=bool(getattr(section, "status_callback_url", "")),
    )


def longest(section: Any) -> float:
    """Seconds that one message may take, whichever provider carries it."""
    backup = getattr(section, "backup", None)
    return float(max(section.timeout, backup.timeout if backup else 0.0))


def limits_of(settings: Settings) -> Limits | None:
    """What a month of posts on X may cost; None where there is no limit."""
    x = settings.channels.x
    if x is None or not (x.monthly_posts or x.monthly_budget):
        return None
    bounds, prices = (x.monthly_posts, x.monthly_budget), (x.price, x.price_with_link)
    return Limits(*bounds, *prices, settings.hub.timezone)
