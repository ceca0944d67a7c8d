# SPDX-License-Identifier: EUPL-1.2
"""The push service, seen by pywebpush and by requests bent out of shape on purpose."""

import asyncio
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException, webpush

from channels.base import ChannelName
from hub.clock import ManualClock, SystemClock
from hub.sandbox.push import Push
from hub.sandbox.server import Sandbox
from hub.sandbox.vapid import Refused, Vapid, decoded, unpadded

PUSH = ChannelName.WEBPUSH


@pytest.fixture(scope="module")
def key() -> Vapid02:
    return Vapid02(ec.generate_private_key(ec.SECP256R1()))


async def push(
    sandbox: Sandbox, key: Vapid02, device: str = "amina-1", text: str = "Coupure d’eau", **how: Any
) -> Any:
    options = {
        "vapid_claims": {"sub": "mailto:mairie@example.org"},
        "ttl": 600,
        "headers": {"Topic": "valmont-1", "Urgency": "high"},
    } | how
    return await asyncio.to_thread(
        lambda: webpush(sandbox.new_device(device), text, vapid_private_key=key, **options)
    )


async def refusal(sandbox: Sandbox, key: Vapid02, **how: Any) -> int:
    with pytest.raises(WebPushException) as refused:
        await push(sandbox, key, **how)
    assert not sandbox.effects.select()
    return int(refused.value.response.status_code)


async def test_a_device_reads_what_was_sealed_for_it(sandbox: Sandbox, key: Vapid02) -> None:
    answer = await push(sandbox, key)
    assert answer.status_code == 201
    assert answer.headers["TTL"] == "600"
    (effect,) = sandbox.effects.select()
    assert (effect.to, effect.text, effect.state) == ("amina-1", "Coupure d’eau", "received")
    assert effect.extra == {"topic": "valmont-1", "ttl": 600, "urgency": "high"}
    assert answer.headers["Location"].endswith(effect.ref)


async def test_a_push_without_payload_only_wakes_the_device(sandbox: Sandbox, key: Vapid02) -> None:
    await push(sandbox, key, text="")
    assert sandbox.effects.select()[0].text == ""


async def test_a_device_is_the_same_after_a_restart(sandbox: Sandbox) -> None:
    async with Sandbox(SystemClock()) as other:
        first, second = sandbox.new_device("amina-1"), other.new_device("amina-1")
        assert first["keys"] == second["keys"]
        assert first["endpoint"] == second["endpoint"].replace(other.base_url, sandbox.base_url)
        assert sandbox.new_device("amina-2")["keys"] != first["keys"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"headers": {"Topic": "no spaces allowed"}}, 400),
        ({"headers": {"Topic": "a" * 33}}, 400),
        ({"headers": {"Urgency": "panic"}}, 400),
        ({"text": "a" * 4000}, 413),
        ({"content_encoding": "aesgcm"}, 400),
        ({"vapid_claims": {"sub": "mailto:x@example.org", "aud": "https://example.org"}}, 403),
        ({"vapid_claims": {"sub": "mailto:x@localhost"}}, 403),
        ({"vapid_claims": {"sub": "mailto:x@example.org", "exp": int(time.time()) + 90_000}}, 403),
    ],
)
async def test_a_malformed_push_is_refused(
    sandbox: Sandbox, key: Vapid02, how: dict[str, Any], status: int
) -> None:
    assert await refusal(sandbox, key, **how) == status


async def test_the_largest_payload_passes(sandbox: Sandbox, key: Vapid02) -> None:
    await push(sandbox, key, text="a" * 3993)
    assert len(sandbox.effects.select()[0].text) == 3993


async def test_gone_and_unknown_devices_are_told_apart(
    sandbox: Sandbox, key: Vapid02, http: aiohttp.ClientSession
) -> None:
    sandbox.faults.set(PUSH, dead=["amina-1"])
    assert await refusal(sandbox, key) == 410
    for device in ("nobody", "YW1pbmEtMQ.0000", "%FF%FF.00"):
        async with http.post(f"/push/{device}") as answer:
            assert answer.status == 404


async def test_a_ttl_and_a_sender_are_required(
    sandbox: Sandbox, key: Vapid02, http: aiohttp.ClientSession
) -> None:
    endpoint = str(sandbox.new_device("amina-1")["endpoint"])
    claims = {"aud": sandbox.base_url, "sub": "https://example.org", "exp": time.time() + 3600}
    signed = key.sign(claims)
    async with http.post(endpoint, headers=signed) as answer:
        assert answer.status == 400
    async with http.post(endpoint, headers={"TTL": "60"}) as answer:
        assert answer.status == 401
    async with http.post(endpoint, headers=signed | {"TTL": "60"}) as answer:
        assert answer.status == 201


async def test_what_a_device_cannot_open_is_taken_and_dropped_in_silence(
    sandbox: Sandbox, key: Vapid02, http: aiohttp.ClientSession
) -> None:
    sealed_for_another = WebPusher(sandbox.new_device("louis-1")).encode(b"secret")["body"]
    claims = {"aud": sandbox.base_url, "sub": "https://example.org", "exp": time.time() + 3600}
    headers = key.sign(claims) | {"TTL": "60", "Content-Encoding": "aes128gcm"}
    endpoint = str(sandbox.new_device("amina-1")["endpoint"])
    for body in (sealed_for_another, b"not sealed at all"):
        async with http.post(endpoint, data=body, headers=headers) as answer:
            assert answer.status == 201
    assert [effect.state for effect in sandbox.effects.select()] == ["unreadable"] * 2


async def test_a_topic_replaces_what_waits_for_a_device_switched_off(
    sandbox: Sandbox, key: Vapid02
) -> None:
    sandbox.faults.set(PUSH, off=["amina-1"])
    await push(sandbox, key, text="first version")
    await push(sandbox, key, text="second version")
    await push(sandbox, key, text="another topic", headers={"Topic": "valmont-2"})
    await push(sandbox, key, text="at once or never", ttl=0)
    states = [effect.state for effect in sandbox.effects.select()]
    assert states == ["replaced", "held", "held", "dropped"]
    sandbox.faults.set(PUSH, off=["somebody-else"])
    states = [effect.state for effect in sandbox.effects.select()]
    assert states == ["replaced", "received", "received", "dropped"]


async def test_what_waited_longer_than_its_ttl_is_gone(key: Vapid02) -> None:
    clock = ManualClock(SystemClock().wall())
    async with Sandbox(clock) as sandbox:
        sandbox.faults.set(PUSH, off=["amina-1"])
        await push(sandbox, key, ttl=60)
        clock.jump(timedelta(seconds=61))
        sandbox.faults.set(PUSH, off=[])
        assert sandbox.effects.select()[0].state == "expired"


def token(key: Vapid02, **claims: Any) -> str:
    whole = {"aud": "https://push.example.org", "sub": "mailto:x@example.org", "exp": 1000} | claims
    return str(key.sign(whole)["Authorization"])


def judged(header: str, now: float = 500) -> Refused | None:
    return Vapid().refusal(header, origin="https://push.example.org", now=now)


def test_a_sound_token_passes_until_it_expires(key: Vapid02) -> None:
    header = token(key)
    checker = Vapid()
    origin = "https://push.example.org"
    assert checker.refusal(header, origin=origin, now=500) is None
    assert checker.refusal(header, origin=origin, now=999) is None
    expired = checker.refusal(header, origin=origin, now=1000)
    assert expired == Refused(403, "ExpiredJwtToken")


def test_many_senders_are_checked_without_memory_growing(key: Vapid02) -> None:
    checker = Vapid()
    for number in range(1_002):
        header = token(key, sub=f"mailto:x{number}@example.org")
        assert checker.refusal(header, origin="https://push.example.org", now=1) is None
    assert len(checker._good) <= 1_000


def test_tampered_tokens_are_refused(key: Vapid02) -> None:
    header = token(key)
    signed, _, public = header.partition(",k=")
    assert public
    none = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    _, body, signature = signed.removeprefix("vapid t=").split(".")
    for bad in (
        "Bearer abc",
        "vapid nonsense",
        "vapid t=a.b.c,k=d",
        f"{signed}A,k={public}",
        f"{signed[:-8]}AAAAAAAA,k={public}",
        f"vapid t={none}.{body}.{signature},k={public}",
        header.replace(",k=B", ",k=C"),
    ):
        assert judged(bad) == Refused(403, "BadJwtToken"), bad


def test_a_device_may_be_bound_to_one_senders_key(key: Vapid02) -> None:
    _, _, public = token(key).partition(",k=")
    origin = "https://push.example.org"
    bound = Vapid(public.strip())
    assert bound.refusal(token(key), origin=origin, now=500) is None
    other = Vapid02(ec.generate_private_key(ec.SECP256R1()))
    assert bound.refusal(token(other), origin=origin, now=500) == Refused(403, "BadJwtToken")


@pytest.mark.parametrize("claims", [{"sub": 4}, {"sub": "tel:+33"}, {"exp": "soon"}])
def test_claims_of_the_wrong_kind_are_refused(key: Vapid02, claims: dict[str, Any]) -> None:
    checker = Vapid()
    checker._good["header"] = {
        "aud": "https://push.example.org",
        "sub": "mailto:x@example.org",
        "exp": 1000,
    } | claims
    refused = checker.refusal("header", origin="https://push.example.org", now=500)
    assert refused is not None
    assert refused.status == 403


def test_base64url_refuses_other_alphabets() -> None:
    assert decoded(unpadded(b"\xff\xfe")) == b"\xff\xfe"
    with pytest.raises(ValueError, match="base64"):
        decoded("a+b/")


def test_device_names_may_be_anything(sandbox: Sandbox) -> None:
    assert isinstance(sandbox.push, Push)
    assert sandbox.new_device("Téléphone d’Amina")["endpoint"]
