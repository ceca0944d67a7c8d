# SPDX-License-Identifier: EUPL-1.2
"""What messages cost, by the prices in hub.toml and the very texts that leave; and who keeps it."""

from collections.abc import Mapping

from channels.base import ChannelName, Clock, Rendered, Text
from hub.announcement import Announcement
from hub.flow.keep.measuring import Measuring
from hub.flow.site import Press
from hub.ledger.store import Ledger
from hub.pricing import Prices
from hub.reports.costs import Tariff
from hub.reports.measuring import measure
from hub.settings import Settings
from subscribers.catalogue import Catalogue


def prices_of(settings: Settings) -> Mapping[ChannelName, Prices]:
    """The prices in hub.toml: euros, but for X, which bills in dollars."""
    prices = {}
    for name in ChannelName:
        section = getattr(settings.channels, name)
        each = section.price if section else 0.0
        with_link = getattr(section, "price_with_link", each)
        prices[name] = Prices(each, with_link, "USD" if name is ChannelName.X else "EUR")
    return prices


def tariff_of(settings: Settings, press: Press) -> Tariff:
    """Prices with the press that says how long each text is."""

    def printed(
        announcement: Announcement, catalogue: Catalogue, channel: ChannelName, language: str
    ) -> Text | None:
        text = press.print(announcement, catalogue, channel, language)
        return text.text if isinstance(text, Rendered) else None

    return Tariff(prices_of(settings), printed)


def measuring(settings: Settings, press: Press, ledger: Ledger, clock: Clock) -> Measuring:
    """What writes down, beside the engine, what each announcement came to."""
    tariff = tariff_of(settings, press)
    return Measuring(ledger, lambda conn, number: measure(conn, number, tariff), clock)
