# SPDX-License-Identifier: EUPL-1.2
"""What every door has at hand. Doors ask flow, subscribers and reports; never a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from channels.base import Clock, ReceiptReader
from hub.flow.accept.credentials import Seal
from hub.flow.accept.intake import Intake
from hub.flow.citizens.asking import Asking
from hub.flow.citizens.devices import Devices
from hub.flow.citizens.inbound import Answering
from hub.flow.engine import Engine
from hub.flow.receipts import Receiving
from hub.flow.site import Site
from hub.ledger.store import Ledger
from hub.settings import Settings
from hub.web.limiter import Limiter
from subscribers.tokens import StopTokens


@dataclass(frozen=True, slots=True)
class Desk:
    """The composition root fills it; handlers find it under `DESK`.

    `authority` is the number of the town whose pages this instance shows, under its name.
    `receipts` reads what the SMS provider posts; None without that channel.
    """

    settings: Settings
    clock: Clock
    ledger: Ledger
    engine: Engine
    intake: Intake
    site: Site
    stops: StopTokens
    receiving: Receiving
    answering: Answering
    seal: Seal
    asking: Asking
    devices: Devices
    limiter: Limiter
    metrics: CollectorRegistry
    gauges: Mapping[str, Gauge]
    authority: int
    authority_name: str
    sandbox: bool = False
    receipts: ReceiptReader | None = None


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


def desk(request: web.Request) -> Desk:
    """The desk of the application a request came to."""
    return request.config_dict[DESK]
