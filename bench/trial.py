# SPDX-License-Identifier: EUPL-1.2
"""A whole town on trial: the real daemon and the sandbox, each in a process of its own.

Used by the benches and by the journeys in `tests/`. Everything listens on loopback, every wait
has an end, and every process is stopped by the id it was started with.
"""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench import town
from bench.checker import Links
from bench.standing_still import stands, write_locked
from channels.base import ChannelName
from hub.sandbox.effects import Effect, read_log

HUB = (sys.executable, "-m", "hub")
CHANNELS = tuple(ChannelName)
_AGAIN = 20  # times a stop that caught the writer inside a transaction is tried again


def wait_for(what: str, seconds: float, ready: Any, every: float = 0.1) -> Any:
    """Poll until `ready()` is true; what it returned. Raises `TimeoutError` naming `what`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := ready():
            return found
        time.sleep(every)
    raise TimeoutError(f"{what}: not within {seconds} s")


@dataclass(slots=True)
class Trial:
    """A data folder, a sandbox process, a daemon process, and where asked one that waits.

    `paces` are messages a second by channel; `timeout` the seconds one message may take on any
    channel; `engine` are lines of hub.toml's section of that name.
    """

    folder: Path
    paces: Mapping[str, float] = field(default_factory=dict)
    posts_per_window: int = 10_000
    timeout: float | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    _sandbox: "subprocess.Popen[str] | None" = None
    _daemon: "subprocess.Popen[str] | None" = None
    _standby: "subprocess.Popen[str] | None" = None
    _woken: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.push(self)
            self._start_sandbox()
            self._write_settings()
            name = "Ville de Valmont-sur-Orne"
            self.hub("init", "--authority", "valmont", "--authority-name", name)
            undo.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        for process in (self._standby, self._woken, self._daemon, self._sandbox):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if self._sandbox is not None and self._sandbox.stdout is not None:
            self._sandbox.stdout.close()

    # ------------------------------------------------------------------ processes

    @property
    def log(self) -> Path:
        """The sandbox's own record of every effect."""
        return self.folder / "effects.jsonl"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "data" / "ledger.sqlite3"

    def _start_sandbox(self) -> None:
        self._sandbox = subprocess.Popen(
            [
                *(*HUB, "sandbox", "--http-port", "0", "--smtp-port", "0"),
                *("--effects-log", str(self.log)),
                *("--posts-per-window", str(self.posts_per_window)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._sandbox.stdout is not None
        self.ready = json.loads(self._sandbox.stdout.readline())

    def _write_settings(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        sections = {
            "hub": {
                "data": str(self.folder / "data"),
                "public_url": self.base_url,
                "authority": "valmont",
            },
            "server": {"port": port},
            "limits": {"api_per_minute": 10_000},
            "logs": {"level": "warning", "format": "json"},
            "engine": self.engine,
            **{
                f"channels.{name}": {
                    **given,
                    **({"pace": self.paces[name]} if name in self.paces else {}),
                    **({"timeout": self.timeout} if self.timeout else {}),
                }
                for name, given in self.ready["channels"].items()
            },
        }
        lines = [
            line
            for name, values in sections.items()
            for line in (f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items()))
        ]
        (self.folder / "hub.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def start(self) -> None:
        """Start the daemon, and wait until it is ready."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start the daemon; what becomes of it is not waited for."""
        self._daemon = self._serve()

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Until the daemon's doors are open."""
        wait_for("the daemon", seconds, self.answers, 0.05)

    def _serve(self, *options: str) -> "subprocess.Popen[str]":
        with (self.folder / "daemon.log").open("a", encoding="utf-8") as errors:
            return subprocess.Popen(
                [*HUB, "serve", *options, "--config", str(self.folder / "hub.toml")],
                stderr=errors,
                stdout=errors,
                text=True,
            )

    def answers(self) -> bool:
        """Whether the daemon is ready."""
        assert self._daemon is not None
        assert self._daemon.poll() is None, (self.folder / "daemon.log").read_text("utf-8")[-2000:]
        try:
            with urllib.request.urlopen(f"{self.base_url}/readyz", timeout=1):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """`kill -9`."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGKILL)
        self._daemon.wait()

    def stop(self) -> None:
        """SIGTERM, and wait for the clean end."""
        assert self._daemon is not None
        self._daemon.terminate()
        self._daemon.wait(40)

    def start_standby(self) -> None:
        """Start a second hub on the same folder, and wait until it waits."""
        before = self._waiting()
        self._standby = self._serve("--standby")
        wait_for("the hub that waits", 120, lambda: self._waiting() > before)

    def _waiting(self) -> int:
        return (self.folder / "daemon.log").read_text("utf-8").count("standby.waits")

    def pause(self) -> None:
        """SIGSTOP: the daemon stands still, in the middle of whatever it does.

        On a busy machine a thread may run on for a moment, into a transaction even: wait for all.
        """
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)
        pid = self._daemon.pid
        wait_for("every thread to stop", 10, lambda: stands(pid), 0.001)

    def pause_between_transactions(self) -> int:
        """`pause`, until nobody's write lock is held: who is stopped inside a transaction keeps
        SQLite's, and nobody can take over (operations.md). Returns how often that was."""
        for again in range(_AGAIN):
            self.pause()
            if not write_locked(self.ledger):
                return again
            self.resume()
            time.sleep(0.01 * (again + 1))
        raise TimeoutError(f"{_AGAIN} stops in a row caught the writer inside a transaction")

    def resume(self) -> None:
        """SIGCONT, to the daemon; after `wait_until_taken_over`, to the one that was stopped."""
        sleeper = self._woken or self._daemon
        assert sleeper is not None
        sleeper.send_signal(signal.SIGCONT)

    def wait_until_taken_over(self, seconds: float) -> None:
        """Until the hub that waited has a lease of its own. It is `the daemon` from then on."""
        standby = self._standby
        assert standby is not None
        wait_for("the take-over", seconds, lambda: self.sender() == standby.pid, 0.05)
        self._woken, self._daemon, self._standby = self._daemon, standby, None

    def sender(self) -> int | None:
        """Which process the ledger says may send."""
        found = self._plain("SELECT process FROM lease WHERE NOT dead ORDER BY id DESC LIMIT 1")
        return int(found[0][0].rpartition(" ")[2]) if found else None

    def woken_runs(self) -> bool:
        """Whether the one that was stopped and woken is still there."""
        return self._woken is not None and self._woken.poll() is None

    def woken_ended(self, seconds: float) -> int:
        """Wait until the one that was stopped and woken has ended; its exit code."""
        assert self._woken is not None
        code, self._woken = self._woken.wait(seconds), None
        return code

    def hub(self, *arguments: str) -> str:
        """Run a verb of the command line; what it printed. Raises where it fails."""
        done = subprocess.run(
            [*HUB, *arguments, "--config", str(self.folder / "hub.toml")],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def settle(
        self,
        people: int,
        shares: Mapping[ChannelName, float],
        followers: Mapping[str, int] | None = None,
    ) -> None:
        """Move in a town: see `bench.town`."""
        town.move_in(self.ledger, self.ready["base_url"], people, shares, followers or {})

    # ------------------------------------------------------------------ announcements

    def key(self) -> str:
        """An API key that may publish anything."""
        text = self.hub(
            "key", "add", f"trial {time.time_ns()}", "--may-publish", "--highest-urgency", "urgent"
        )
        found = re.search(r"hub_[A-Za-z0-9_-]{43}", text)
        assert found, "no key was printed"
        return found.group()

    def post(
        self, key: str, asked: Mapping[str, Any], idempotency: str | None = None
    ) -> dict[str, Any]:
        """Post an announcement; the answer with its `ms` and `status`."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        request = urllib.request.Request(
            f"{self.base_url}/api/v1/announcements", json.dumps(asked).encode(), headers
        )
        start = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: dict[str, Any] = json.load(answer)
            return {**body, "status": answer.status, "ms": (time.monotonic() - start) * 1000}

    def show(self, key: str, code: str) -> dict[str, Any]:
        """The announcement with its live counts."""
        request = urllib.request.Request(
            f"{self.base_url}/api/v1/announcements/{code}",
            headers={"Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            shown: dict[str, Any] = json.load(answer)
            return shown

    def wait_until_finished(self, key: str, code: str, seconds: float) -> dict[str, Any]:
        """Poll until its state is `finished`."""

        def finished() -> dict[str, Any] | None:
            shown = self.show(key, code)
            return shown if shown["state"] == "finished" else None

        found: dict[str, Any] = wait_for(f"announcement {code}", seconds, finished, 0.25)
        return found

    # ------------------------------------------------------------------ what became of it

    def outcomes(self) -> "Counter[tuple[str, str]]":
        """(channel, state) of every row of the ledger, counted row by row with plain SQL."""
        rows = self._plain(
            "SELECT r.channel, d.state, count(*) FROM delivery d JOIN run r ON r.id = d.run "
            "GROUP BY 1, 2"
        )
        return Counter({(channel, state): n for channel, state, n in rows})

    def _plain(self, query: str) -> list[Any]:
        conn = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)
        try:
            return conn.execute(query).fetchall()
        finally:
            conn.close()

    def effects(self) -> Iterator[Effect]:
        """Everything that reached anybody, from the sandbox's own log."""
        return read_log(self.log)

    def received(self, code: str) -> "Counter[tuple[str, str]]":
        """How often each (channel, address) got an announcement."""
        mine: Counter[tuple[str, str]] = Counter()
        links = Links(self.ledger)
        for effect in self.effects():
            if links.code(f"{effect.subject}\n{effect.text}") == code:
                mine[effect.channel.value, effect.to] += 1
        return mine


def doubled(received: "Counter[tuple[str, str]]", channel: ChannelName) -> int:
    """How many addresses of a channel got it more than once."""
    return sum(1 for (name, _), n in received.items() if name == channel and n > 1)
