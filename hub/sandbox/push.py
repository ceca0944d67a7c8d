# SPDX-License-Identifier: EUPL-1.2
"""A push service (RFC 8030) and the devices behind it, which decrypt what they get."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import compare_digest
from hmac import digest as hmac_digest

import http_ece  # type: ignore[import-untyped]
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.base import ChannelName, Clock
from hub.sandbox.effects import Effect, Effects
from hub.sandbox.faults import Fault, Faults
from hub.sandbox.vapid import Vapid, decoded, scalar, unpadded
from hub.sandbox.wire import Wire

_MAX_BODY = 4096  # RFC 8030 section 7.2
_LONGEST_TTL = 28 * 24 * 3600  # what FCM keeps; a push service may shorten a TTL
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")  # section 5.4
_URGENCIES = frozenset({"very-low", "low", "normal", "high"})  # section 5.3


@dataclass(frozen=True, slots=True)
class _Device:
    name: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    auth: bytes = field(repr=False)


class Push:
    """Every device is derived from a seed and its name, so that none is ever stored: a
    stand-in that restarts knows them all. A device's id is its name and a proof of it."""

    def __init__(
        self,
        effects: Effects,
        faults: Faults,
        clock: Clock,
        *,
        seed: str,
        server_key: str | None = None,
    ) -> None:
        self._effects = effects
        self._faults = faults
        self._clock = clock
        self._seed = seed.encode()
        self._vapid = Vapid(server_key)
        self._wire = Wire(ChannelName.WEBPUSH, faults, clock)
        self._device = lru_cache(maxsize=20_000)(self._derive)
        self._waiting: dict[str, list[Effect]] = {}
        self.origin = ""
        faults.on_change(self._switched_on)

    def routes(self) -> list[web.RouteDef]:
        """One push resource a device."""
        return [web.post("/push/{device}", self._receive)]

    def new_device(self, name: str) -> dict[str, object]:
        """A subscription as a browser's ``toJSON`` gives it; the same for the same name."""
        device = self._device(name)
        point = device.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": f"{self.origin}/push/{self._id(name)}",
            "keys": {"p256dh": unpadded(point), "auth": unpadded(device.auth)},
        }

    def _derive(self, name: str) -> _Device:
        bits = HKDF(SHA256(), 64, salt=self._seed, info=f"device:{name}".encode()).derive(
            self._seed
        )
        key = ec.derive_private_key(scalar(bits[:48]), ec.SECP256R1())
        return _Device(name, key, auth=bits[48:])

    def _id(self, name: str) -> str:
        proof = hmac_digest(self._seed, name.encode(), "sha256")[:12]
        return f"{unpadded(name.encode())}.{proof.hex()}"

    def _named(self, device_id: str) -> _Device | None:
        try:
            name = decoded(device_id.partition(".")[0]).decode()
        except ValueError:
            return None
        known = compare_digest(self._id(name).encode(), device_id.encode())
        return self._device(name) if known else None

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            device = self._named(request.match_info["device"])
            if device is None:
                return _problem(404, "No such subscription")
            if device.name in self._faults.of(ChannelName.WEBPUSH).dead:
                return _problem(410, "Subscription expired")
            if refused := self._unfit(request):
                return refused
            body = await request.read()
            return await self._accept(device, request.headers, body)

        return await self._wire.answer(request, act, _refusal)

    def _unfit(self, request: web.Request) -> web.Response | None:
        headers = request.headers
        sender = self._vapid.refusal(
            headers.get("Authorization", ""),
            origin=self.origin,
            now=self._clock.wall().timestamp(),
        )
        if sender is not None:
            return _problem(sender.status, sender.reason)
        return _malformed(headers) or _too_much(request)

    async def _accept(
        self, device: _Device, headers: Mapping[str, str], body: bytes
    ) -> web.Response:
        if len(body) > _MAX_BODY:
            return _problem(413, "Payload too large")
        ttl, topic = min(int(headers["TTL"]), _LONGEST_TTL), headers.get("Topic", "")
        off = device.name in self._faults.of(ChannelName.WEBPUSH).off
        state, text = _opened(device, body)
        if state == "received" and off:
            state = "held" if ttl else "dropped"  # RFC 8030 section 5.2: TTL 0 never waits
        ref = f"push-{self._effects.last + 1}"
        effect = await self._effects.add(
            ChannelName.WEBPUSH,
            to=device.name,
            sender=self.origin,
            text=text,
            ref=ref,
            state=state,
            extra={"topic": topic, "ttl": ttl, "urgency": headers.get("Urgency", "normal")},
        )
        if state == "held":
            self._hold(device.name, effect)
        location = f"{self.origin}/push-messages/{ref}"
        return web.Response(status=201, headers={"Location": location, "TTL": str(ttl)})

    def _hold(self, name: str, effect: Effect) -> None:
        waiting = self._waiting.setdefault(name, [])
        topic = effect.extra["topic"]
        for earlier in [held for held in waiting if topic and held.extra["topic"] == topic]:
            waiting.remove(earlier)
            self._effects.mark(earlier, "replaced")
        waiting.append(effect)

    def _switched_on(self) -> None:
        off = self._faults.of(ChannelName.WEBPUSH).off
        for name in [name for name in self._waiting if name not in off]:
            for effect in self._waiting.pop(name):
                age = (self._clock.now() - effect.at).total_seconds()
                in_time = age < effect.extra["ttl"]
                self._effects.mark(effect, "received" if in_time else "expired")


def _malformed(headers: Mapping[str, str]) -> web.Response | None:
    """RFC 8030 sections 5.2 (TTL), 5.3 (Urgency) and 5.4 (Topic)."""
    if not headers.get("TTL", "").isdecimal():
        return _problem(400, "A TTL header is required")
    if "Topic" in headers and not _TOPIC.fullmatch(headers["Topic"]):
        return _problem(400, "Topic is not 1 to 32 characters of base64url")
    if headers.get("Urgency", "normal") not in _URGENCIES:
        return _problem(400, "Unknown Urgency")
    return None


def _too_much(request: web.Request) -> web.Response | None:
    if (request.content_length or 0) > _MAX_BODY:
        return _problem(413, "Payload too large")
    if request.can_read_body and request.headers.get("Content-Encoding") != "aes128gcm":
        return _problem(400, "Content-Encoding is not aes128gcm")
    return None


def _opened(device: _Device, body: bytes) -> tuple[str, str]:
    """What the device makes of it: (state, text). A push service itself cannot read it."""
    if not body:
        return "received", ""
    try:
        opened = http_ece.decrypt(body, private_key=device.key, auth_secret=device.auth)
        return "received", opened.decode()
    except (http_ece.ECEException, ValueError):  # a browser drops these in silence
        return "unreadable", ""


def _refusal(fault: Fault) -> web.Response:
    match fault:
        case Fault.THROTTLE:
            return _problem(429, "Too many messages")
        case Fault.REJECT:
            return _problem(403, "The sender is not allowed to push to this subscription")
        case _:
            return _problem(503, "Service unavailable")


def _problem(status: int, reason: str) -> web.Response:
    return web.json_response({"code": status, "message": reason}, status=status)
