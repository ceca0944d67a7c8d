# SPDX-License-Identifier: EUPL-1.2
"""What every door has at hand. Doors ask flow, subscribers and reports; never a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from channels.base import ChannelName, Clock, ReceiptReader
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
from hub.web.references import References
from subscribers.tokens import StopTokens
from templates.pages.around import Mixed


@dataclass(frozen=True, slots=True)
class Desk:
    """The composition root fills it; handlers find it under `DESK`.

    `authority` is the number of the town whose pages this instance shows, under its name.
    `receipts` reads what the SMS provider posts; None without that channel. `stand_ins` are the
    channels that the sandbox carries.
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
    references: References
    asking: Asking
    devices: Devices
    limiter: Limiter
    metrics: CollectorRegistry
    gauges: Mapping[str, Gauge]
    authority: int
    authority_name: str
    stand_ins: tuple[ChannelName, ...] = ()
    receipts: ReceiptReader | None = None

    @property
    def sandbox(self) -> bool:
        """Whether nothing real leaves: every channel in use is stood in for. What only training
        allows (to approve one's own announcement, to play with the time) asks this."""
        return bool(self.stand_ins) and not self._real

    @property
    def writes_officers(self) -> bool:
        """Whether a letter reaches an officer, really or on the stage: not where a stand-in keeps
        it while real people are told, and another officer would read it at `/sandbox`."""
        played = ChannelName.EMAIL in self.stand_ins and not self.sandbox
        return ChannelName.EMAIL in self.intake.channels and not played

    @property
    def banner(self) -> bool | Mixed:
        """What every page says of it: all is a sandbox, nothing is, or which channels are."""
        if self.stand_ins and self._real:
            return Mixed(self.stand_ins, self._real)
        return bool(self.stand_ins)

    @property
    def _real(self) -> tuple[ChannelName, ...]:
        return tuple(name for name in self.intake.channels if name not in self.stand_ins)


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


def desk(request: web.Request) -> Desk:
    """The desk of the application a request came to."""
    return request.config_dict[DESK]
