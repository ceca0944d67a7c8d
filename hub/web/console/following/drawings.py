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

_NOTHING: Final = timedelta(0)


def delivery_curve(found: Curve, language: str) -> Steps:
    """One line a channel over the time since publication: what was received where receipts come,
    else what was handed over. Empty where nothing left yet.

    The steps are even, but for a last one that holds whoever was reached long after the others: it
    is drawn as wide as any, and the scale says so ("2 min … 1 j").
    """
    if not found.after:
        return Steps((), ())
    say = translations(language).gettext
    series = []
    for name in ChannelName:
        received, handed_over = found.received.get(name), found.handed_over.get(name)
        counts = received or handed_over
        if counts:
            heard = say("curve.received" if received else "curve.handed_over")
            label = f"{channel_name(name, language)}, {heard}"
            values = (0, *counts)
            words = tuple(format_decimal(n, locale=language) for n in values)
            series.append(Series(label, name.value, values, words))
    labels = tuple(wait(after, language) for after in (_NOTHING, *found.after))
    late = len(found.after) > 1 and found.after[-1] - found.after[-2] > 2 * found.after[0]
    end = f"{labels[-2]} … {labels[-1]}" if late else labels[-1]
    return Steps(labels, tuple(series), end=end)
