# SPDX-License-Identifier: EUPL-1.2
"""Which class is which road, imported only when the town uses it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from channels.base import Channel, ChannelName, Clock

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
