# SPDX-License-Identifier: EUPL-1.2
"""Money, shares and waits as people read them on a page. Money is in whole millionths throughout:
no sum of prices is ever a floating one."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from babel.numbers import format_currency, format_decimal

MILLION: Final = 1_000_000
_LOCALE: Final = {"fr": "fr", "en": "en_GB"}
_CENTS: Final = Decimal("0.01")
_FINE: Final = Decimal("0.0001")


def money(millionths: int, language: str, currency: str = "EUR") -> str:
    """An amount to the cent: "66,78 €"; "€66.78"."""
    amount = (Decimal(millionths) / MILLION).quantize(_CENTS, ROUND_HALF_UP)
    return format_currency(amount, currency, locale=_LOCALE[language])


def unit_price(millionths: int, language: str, currency: str = "EUR") -> str:
    """What one of something costs, to a hundredth of a cent where it is not round: "0,0513 €"."""
    amount = (Decimal(millionths) / MILLION).quantize(_FINE, ROUND_HALF_UP)
    digits = "#,##0.00##\u00a0¤" if language == "fr" else "¤#,##0.00##"
    return format_currency(
        amount, currency, digits, locale=_LOCALE[language], currency_digits=False
    )


def share(part: int, whole: int, language: str) -> str:
    """A part in percent, to one digit: "99,6 %". All but a few is never told as all of them."""
    tenths = part * 1_000 // whole if whole else 0
    digits = format_decimal(Decimal(tenths) / 10, "#,##0.#", locale=_LOCALE[language])
    return f"{digits}\u00a0%" if language == "fr" else f"{digits}%"


def wait(lasted: timedelta, language: str) -> str:
    """How long something took, in its two largest units: "2 min 41 s"; "3 j 4 h"."""
    seconds = max(int(lasted.total_seconds()), 0)
    units = ((86_400, "j" if language == "fr" else "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in units:
        n, seconds = divmod(seconds, size)
        parts.append((n, name))
    first = next((i for i, (n, _) in enumerate(parts) if n), len(parts) - 1)
    told = [f"{n}\u00a0{name}" for n, name in parts[first : first + 2] if n or name == "s"]
    if len(told) > 1 and told[-1].startswith("0"):
        told.pop()
    return " ".join(told)
