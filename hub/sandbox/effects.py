# SPDX-License-Identifier: EUPL-1.2
"""The record of everything that reached a citizen: in memory, and on disk when asked to."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from channels.base import ChannelName, Clock

CALLER: Final = ContextVar("CALLER", default=0)
"""The port the request being answered came from."""


@dataclass(slots=True)
class Effect:
    """One message a provider took charge of. Only `state`, and what explains it in
    `extra`, change after birth.

    `to` is what a citizen would call themselves on that channel: an E.164 number, an e-mail
    address, a push device's name, an X participant id, or ``public`` for a post. `ref` is the
    provider's reference (Twilio sid, Message-ID, post id, push message id). `text` is what
    the citizen reads (for web push: the decrypted payload). `state` is the provider's own word.
    `caller` is the client's port, which tells one sending process from another; 0 where unknown.
    """

    seq: int
    at: datetime
    channel: ChannelName
    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    ref: str
    state: str
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    caller: int = 0

    def as_json(self) -> dict[str, Any]:
        """The same names, with values JSON knows."""
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "channel": self.channel.value,
            "to": self.to,
            "sender": self.sender,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "ref": self.ref,
            "extra": dict(self.extra),
            "state": self.state,
            "caller": self.caller,
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`. Raises `KeyError` or `ValueError` on anything else."""
        return cls(
            seq=line["seq"],
            at=datetime.fromisoformat(line["at"]),
            channel=ChannelName(line["channel"]),
            to=line["to"],
            sender=line["sender"],
            subject=line["subject"],
            text=line["text"],
            html=line["html"],
            ref=line["ref"],
            extra=line["extra"],
            state=line["state"],
            caller=line.get("caller", 0),
        )


def read_log(path: Path) -> Iterator[Effect]:
    """The effects of a log file, oldest first.

    A last line without its newline was being written when the power went: nobody was answered
    for it, so it is left out. Raises `ValueError` where any other line is damaged.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield Effect.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"effect log: line {number} is damaged") from error


class _Disk:
    """The append-only file. Its methods block; they run in a thread, one call at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = self._without_torn_line()

    def _without_torn_line(self) -> int:
        size = os.fstat(self._file).st_size
        while size and os.pread(self._file, 1, size - 1) != b"\n":
            size -= 1
        os.ftruncate(self._file, size)
        return size

    def append(self, lines: bytes) -> None:
        """Write and fsync, or leave the file as it was and raise `OSError`."""
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(lines)

    def close(self) -> None:
        os.close(self._file)


class Effects:
    """What reached the citizens, newest last.

    Memory is bounded twice, by number and by characters of text, because a million e-mails may
    pass through; the log, where there is one, keeps everything. `add` returns only when the
    effect is on disk, so a protocol that answers afterwards never promises what a crash forgets.
    """

    def __init__(
        self,
        clock: Clock,
        log: Path | None = None,
        *,
        keep: int = 200_000,
        keep_chars: int = 256_000_000,
    ) -> None:
        self._clock = clock
        self._log = log
        self._keep = keep
        self._keep_chars = keep_chars
        self._chars = 0
        self._last = 0
        self._all: deque[Effect] = deque()
        self._by_address: dict[tuple[ChannelName, str], deque[Effect]] = {}
        self._by_ref: dict[str, Effect] = {}
        self._news = asyncio.Event()
        self._disk: _Disk | None = None
        self._pending: list[tuple[Effect, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._log is not None:
            self._disk = await asyncio.to_thread(_Disk, self._log)
            for effect in await asyncio.to_thread(lambda log: list(read_log(log)), self._log):
                self._publish(effect)
                self._last = effect.seq
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._flusher is not None:
            await self._flusher
        if self._disk is not None:
            self._disk.close()

    @property
    def last(self) -> int:
        """The highest number given so far; 0 before the first effect."""
        return self._last

    async def add(
        self,
        channel: ChannelName,
        *,
        to: str,
        sender: str,
        text: str,
        ref: str,
        state: str,
        subject: str = "",
        html: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> Effect:
        """Record one effect. Raises `OSError` when the log cannot take it: answer no success."""
        self._last += 1
        effect = Effect(
            seq=self._last,
            at=self._clock.now(),
            channel=channel,
            to=to,
            sender=sender,
            subject=subject,
            text=text,
            html=html,
            ref=ref,
            extra=extra or {},
            state=state,
            caller=CALLER.get(),
        )
        if self._disk is None:
            self._publish(effect)
        else:
            await self._on_disk(self._disk, effect)
        return effect

    def mark(self, effect: Effect, state: str, **extra: Any) -> None:
        """The provider's later word on it; the log keeps the first one."""
        effect.state = state
        if extra:
            effect.extra = {**effect.extra, **extra}
        self._tell()

    def by_ref(self, ref: str) -> Effect | None:
        """The effect a provider's reference names, while memory holds it."""
        return self._by_ref.get(ref)

    def select(
        self,
        *,
        since: int = 0,
        channel: ChannelName | None = None,
        addresses: Callable[[Effect], bool] | None = None,
        limit: int = 1_000,
    ) -> list[Effect]:
        """Those numbered above `since`, oldest first, at most `limit`."""
        skipped = max(0, since + 1 - self._all[0].seq) if self._all else 0
        wanted = (
            effect
            for effect in islice(self._all, skipped, None)
            if effect.seq > since
            and (channel is None or effect.channel is channel)
            and (addresses is None or addresses(effect))
        )
        return list(islice(wanted, limit))

    def to(self, channel: ChannelName, address: str) -> Iterator[Effect]:
        """Everything one address received on one channel, newest first."""
        return reversed(self._by_address.get((channel, address), deque()))

    async def news(self) -> None:
        """Return at the next effect, change of state or emptying."""
        await self._news.wait()

    def clear(self) -> None:
        """Empty the phones. Numbering goes on and the log keeps everything."""
        self._all.clear()
        self._by_address.clear()
        self._by_ref.clear()
        self._chars = 0
        self._tell()

    async def _on_disk(self, disk: _Disk, effect: Effect) -> None:
        done = asyncio.get_running_loop().create_future()
        self._pending.append((effect, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(disk))
        await done

    async def _flush(self, disk: _Disk) -> None:
        # Whatever arrives during one fsync shares the next: no timer, and a lone message
        # waits for nobody.
        while self._pending:
            group, self._pending = self._pending, []
            lines = "".join(
                json.dumps(effect.as_json(), ensure_ascii=False) + "\n" for effect, _ in group
            )
            try:
                await asyncio.to_thread(disk.append, lines.encode())
            except OSError as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
                continue
            for effect, done in group:
                self._publish(effect)
                if not done.done():
                    done.set_result(None)

    def _publish(self, effect: Effect) -> None:
        self._all.append(effect)
        self._by_address.setdefault((effect.channel, effect.to), deque()).append(effect)
        self._by_ref[effect.ref] = effect
        self._chars += len(effect.text) + len(effect.html)
        while len(self._all) > self._keep or self._chars > self._keep_chars:
            self._forget_oldest()
        self._tell()

    def _forget_oldest(self) -> None:
        effect = self._all.popleft()
        self._chars -= len(effect.text) + len(effect.html)
        if self._by_ref.get(effect.ref) is effect:
            del self._by_ref[effect.ref]
        theirs = self._by_address[effect.channel, effect.to]
        theirs.popleft()
        if not theirs:
            del self._by_address[effect.channel, effect.to]

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
