# SPDX-License-Identifier: EUPL-1.2
"""Which class is which road, imported only when the town uses it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from channels.base import Channel, ChannelName, Clock
from channels.failover import Failover

CHANNELS: Mapping[ChannelName, str] = MappingProxyType(
    {
        ChannelName.SMS: "channels.sms.channel:SmsChannel",
        ChannelName.EMAIL: "channels.email.channel:EmailChannel",
        ChannelName.X: "channels.twitter.channel:TwitterChannel",
        ChannelName.WEBPUSH: "channels.webpush.channel:WebPushChannel",
    }
)


def load(name: ChannelName) -> Callable[[Any, Clock], Channel]:
    """The class behind `name`, called with its folder's settings and a clock."""
    module, _, attribute = CHANNELS[name].partition(":")
    return cast("Callable[[Any, Clock], Channel]", getattr(import_module(module), attribute))


def build(name: ChannelName, section: Any, clock: Clock) -> Channel:
    """The road of one section of hub.toml, closed, with whoever stands in for its provider.

    Raises ValueError naming what is missing.
    """
    make = load(name)
    first = make(section, clock)
    second = getattr(section, "backup", None) and section.for_backup()
    if second is None:
        return first
    return Failover({name: first, backup_of(name): make(second, clock)})


def backup_of(name: ChannelName) -> str:
    """How the second provider of a channel is called, in the ledger and to the operator."""
    return f"{name}.backup"
