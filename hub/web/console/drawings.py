# SPDX-License-Identifier: EUPL-1.2
"""An announcement's curve, ready to be drawn: `{{ curve("id", title, drawing.headed(…)) }}`."""

from datetime import timedelta
from typing import Final

from babel.numbers import format_decimal

from channels.base import ChannelName
from hub.reports.curve import Curve
from templates.pages.amounts import wait
from templates.pages.charts import Series, Steps
from templates.pages.wording import channel_name, translations

_MS: Final = timedelta(milliseconds=1)


def delivery_curve(found: Curve, language: str) -> Steps:
    """One line a channel over the time since publication: what was received where receipts come,
    else what was handed over. Empty where nothing left yet."""
    say = translations(language).gettext
    series = []
    for name in ChannelName:
        received, handed_over = found.received.get(name), found.handed_over.get(name)
        values = received or handed_over
        if values:
            heard = say("curve.received" if received else "curve.handed_over")
            label = f"{channel_name(name, language)}, {heard}"
            words = tuple(format_decimal(n, locale=language) for n in values)
            series.append(Series(label, name.value, values, words))
    labels = tuple(wait(after, language) for after in found.after)
    return Steps(labels, tuple(series), places=tuple(after // _MS for after in found.after))
