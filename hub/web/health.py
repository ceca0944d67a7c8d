# SPDX-License-Identifier: EUPL-1.2
"""For machines that watch: alive, ready, and figures for Prometheus. Nothing personal."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hub.ledger.database import LedgerFullError
from hub.reports.health import queue_health
from hub.web.desk import desk
from hub.web.roads import alarming, state


def routes() -> list[web.RouteDef]:
    """The three addresses monitoring asks."""
    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]


async def alive(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Whether it can accept: the ledger takes a commit that writes. Channels are told, and do not
    count: with a provider down, announcements are still accepted and wait."""
    hub = desk(request)
    now = hub.clock.monotonic()
    channels = {str(name): state(road, now) for name, road in hub.engine.roads.items()}
    try:
        await hub.engine.prove_writable()
    except LedgerFullError:
        body = {"status": "ledger full", "channels": channels}
        return web.json_response(body, status=503)
    return web.json_response({"status": "ready", "channels": channels})


def gauges(registry: CollectorRegistry) -> dict[str, Gauge]:
    """The figures of the queue; set when they are asked for."""
    return {
        "ready": Gauge("hub_ready_deliveries", "Waiting to leave.", ["lane"], registry=registry),
        "oldest": Gauge("hub_oldest_ready_seconds", "Age of the oldest due.", registry=registry),
        "parked": Gauge("hub_parked_deliveries", "Waiting for a human.", registry=registry),
        "doubt": Gauge("hub_doubtful_deliveries", "Being checked.", registry=registry),
        "open": Gauge("hub_channel_open", "1 while open.", ["channel"], registry=registry),
        "alarm": Gauge("hub_channel_alarm", "1: mend a key.", ["channel"], registry=registry),
        "pace": Gauge("hub_channel_pace", "Messages a second.", ["channel"], registry=registry),
    }


async def metrics(request: web.Request) -> web.Response:
    """Prometheus's text format."""
    hub = desk(request)
    now = hub.clock.now()
    found = await hub.ledger.read(lambda conn: queue_health(conn, now))
    figures = hub.gauges
    for lane, waiting in found.ready.items():
        figures["ready"].labels(lane.name.lower()).set(waiting)
    figures["oldest"].set(found.oldest.total_seconds() if found.oldest else 0)
    figures["parked"].set(found.parked)
    figures["doubt"].set(found.in_doubt)
    for name, road in hub.engine.roads.items():
        figures["open"].labels(name).set(road.open)
        figures["alarm"].labels(name).set(alarming(road))
        figures["pace"].labels(name).set(road.pace.current)
    return web.Response(
        body=generate_latest(hub.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )
