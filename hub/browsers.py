# SPDX-License-Identifier: EUPL-1.2
"""Which browsers may ask to be told, by the very rules of the road their messages take."""

from hub.flow.citizens.devices import Devices, PushTerms
from hub.flow.engine import Engine
from hub.settings import Settings


def devices_of(settings: Settings, engine: Engine, authority: int) -> Devices:
    """The citizens' browsers; where web push is not configured, none is taken."""
    terms = _terms(settings)
    return Devices(engine.ledger, engine.wishes, engine.clock, authority, terms)


def _terms(settings: Settings) -> PushTerms | None:
    road = settings.channels.webpush
    if road is None:
        return None
    from channels.webpush.endpoint import Fence  # noqa: PLC0415 (only where the road is used)
    from channels.webpush.keys import public_key  # noqa: PLC0415

    fence = Fence(road.allowed_hosts, loopback=road.allow_loopback)
    key = public_key(road.private_key.get_secret_value())
    return PushTerms(key, lambda url: fence.admit(url) is not None, loopback=road.allow_loopback)
