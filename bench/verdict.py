# SPDX-License-Identifier: EUPL-1.2
"""What the proof came to: which promises broke, the figures, and the table people read."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from bench.checker import Copy, Findings, Key
from bench.ordeal import Blow
from channels.email.settings import EmailSettings
from channels.sms.settings import SmsSettings
from channels.twitter.settings import TwitterSettings
from channels.webpush.settings import WebPushSettings

CHANNELS: Final = ("sms", "email", "x", "webpush")
WITH_DOUBLES: Final = ("email", "webpush")
CONNECTIONS: Final = {
    "sms": SmsSettings.model_fields["connections"].default,
    "email": EmailSettings.model_fields["connections"].default,
    "x": TwitterSettings.model_fields["connections"].default,
    "webpush": WebPushSettings.model_fields["connections"].default,
}
FLUSH: Final = 0.1  # seconds of sending of which a crash may take the record with it
_ON_THE_WIRE: Final = 0.05  # seconds in which what was on the wire still arrives
TAKEN_OVER: Final = 75  # the exit code of a hub whose folder another one has


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """What one trial came to."""

    name: str
    findings: Findings
    blows: Sequence[Blow]
    copies: Mapping[Key, Sequence[Copy]]
    paces: Mapping[str, float]
    seconds: float
    verified: bool | None

    def doubles(self) -> list[Counter[str]]:
        """Surplus copies by channel, each laid to the blow that fell after the copy before it,
        whose record it took away."""
        found = [Counter[str]() for _ in self.blows]
        times = [blow.at + _ON_THE_WIRE for blow in self.blows]
        for (_, channel, _), all_of_them in self.copies.items():
            for copy in all_of_them[:-1]:
                if self.blows:
                    at = bisect_left(times, copy.at)
                    found[min(at, len(times) - 1)][channel] += 1
        return found

    def bound(self, channel: str) -> int:
        """The most copies one crash may double: what is in flight, and what was answered but not
        committed yet. None on SMS and X, which are asked first."""
        if channel not in WITH_DOUBLES:
            return 0
        return int(CONNECTIONS[channel] + self.paces[channel] * FLUSH)

    def broken(self) -> list[str]:
        """What was not as promised."""
        wrong = list(self.findings.broken)
        most = _most(self.doubles())
        wrong += [
            f"doubled_{each}_in_a_blow" for each in WITH_DOUBLES if most[each] > self.bound(each)
        ]
        with_any = sum(bool(sum(blow.reserved.values())) for blow in self.blows)
        if 2 * with_any < len(self.blows):
            wrong.append("half_of_the_blows_interrupted_nothing")
        for blow in self.blows:
            if blow.kind == "stopped" and blow.exit_code != TAKEN_OVER:
                wrong.append(f"a_stopped_hub_ended_with_{blow.exit_code}")
            wrong += [f"stale_{each}" for each, n in blow.stale.items() if n]
            wrong += [f"woken_{each}" for each, n in blow.woken.items() if n > CONNECTIONS[each]]
        if self.verified is False:
            wrong.append("hub_verify")
        return sorted(set(wrong))


def broken_promises(wards: Sequence[Ward], beside: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Over all trials, and over what was run beside them."""
    wrong = {f"{ward.name}: {each}" for ward in wards for each in ward.broken()}
    return sorted(wrong | {name for name, found in beside.items() if found.get("ok") is False})


def _most(doubles: Sequence[Mapping[str, int]]) -> Counter[str]:
    return Counter({each: max((d[each] for d in doubles), default=0) for each in CHANNELS})


def _sum(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total = sum((Counter(each) for each in counts), Counter[str]())
    return {each: total[each] for each in CHANNELS}


def figures(wards: Sequence[Ward], beside: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Everything, for the line of JSON. `beside` are the proofs on virtual time, by name."""
    return {
        "kills": sum(blow.kind != "stopped" for ward in wards for blow in ward.blows),
        "stops": sum(blow.kind == "stopped" for ward in wards for blow in ward.blows),
        "lost": sum(_number(ward.findings.lost) for ward in wards),
        "doubled": _sum([ward.findings.doubled for ward in wards]),
        "parked": sum(ward.findings.parked for ward in wards),
        "rows_in_doubt": sum(sum(b.reserved.values()) for ward in wards for b in ward.blows),
        "broken": broken_promises(wards, beside),
        "beside": dict(beside),
        "trials": [_trial(ward) for ward in wards],
    }


def _number(examples: Sequence[str]) -> int:
    if examples and examples[-1].startswith("… "):
        return int(examples[-1].split()[1])
    return len(examples)


def _trial(ward: Ward) -> dict[str, Any]:
    found, doubles = ward.findings, ward.doubles()
    reserved = [sum(blow.reserved.values()) for blow in ward.blows]
    return {
        "name": ward.name,
        "seconds": ward.seconds,
        "deliveries": found.expected,
        "effects": found.effects,
        "blows": dict(Counter(blow.kind for blow in ward.blows)),
        "while_planning": sum(blow.planning for blow in ward.blows),
        "looked_up_before_the_kill": sum(blow.looked_up for blow in ward.blows),
        "rows_in_doubt": {
            "total": sum(reserved),
            "blows_with_any": sum(map(bool, reserved)),
            "per_blow": reserved,
        },
        "left_unrecorded": _sum([blow.unrecorded for blow in ward.blows]),
        "lost": _number(found.lost),
        "unexpected": _number(found.unexpected),
        "doubled": found.doubled,
        "doubled_most_in_a_blow": dict(_most(doubles)),
        "bound": {each: ward.bound(each) for each in CHANNELS},
        "unlike": _number(found.unlike),
        "parked": found.parked,
        "woken": _sum([blow.woken for blow in ward.blows]),
        "stale": _sum([blow.stale for blow in ward.blows]),
        "stopped_again": sum(blow.again for blow in ward.blows),
        "exit_codes": dict(Counter(str(b.exit_code) for b in ward.blows if b.kind == "stopped")),
        "verify": ward.verified,
        "paces": dict(ward.paces),
        "per_blow": [
            {"kind": blow.kind, "unrecorded": dict(blow.unrecorded), "doubled": dict(many)}
            for blow, many in zip(ward.blows, doubles, strict=True)
        ],
        "examples": {
            name: value
            for name in type(found).__slots__
            if isinstance(value := getattr(found, name), list) and value
        },
    }


def table(wards: Sequence[Ward], beside: Mapping[str, Mapping[str, Any]]) -> Table:
    """The same, for eyes: a line a figure, a column a trial."""
    shown = Table(title="The proof", title_justify="left")
    shown.add_column("")
    for ward in wards:
        shown.add_column(ward.name, justify="right")
    trials = [_trial(ward) for ward in wards]
    for name, of in _LINES.items():
        shown.add_row(name, *(of(each) for each in trials))
    for each in CHANNELS:
        left = [f"{t['left_unrecorded'][each]:,}" for t in trials]
        twice = [
            f"{t['doubled'][each]:,}  (at most {t['doubled_most_in_a_blow'][each]} in a blow; "
            f"bound {t['bound'][each]})"
            for t in trials
        ]
        shown.add_row(f"{each}: had left, not recorded", *left)
        shown.add_row(f"{each}: sent twice", *twice)
    shown.add_row("broken promises", *(", ".join(ward.broken()) or "none" for ward in wards))
    for name, found in beside.items():
        shown.add_row(name, _in_short(found))
    return shown


def _in_short(found: Mapping[str, Any]) -> str:
    """The numbers and the yes or no of a companion; what is longer stands in the JSON."""
    if found.get("missing"):
        return "not there yet"
    told = {k: v for k, v in found.items() if k != "ok" and isinstance(v, int | float | str)}
    word = "holds" if found["ok"] else "BROKEN"
    return "\n".join([word, *(f"{key} {value}" for key, value in told.items())])


_LINES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "blows": lambda t: ", ".join(f"{n} {kind}" for kind, n in t["blows"].items()),
    "of them with a run being planned": lambda t: str(t["while_planning"]),
    "of them with rows in doubt": lambda t: str(t["rows_in_doubt"]["blows_with_any"]),
    "rows in doubt": lambda t: f"{t['rows_in_doubt']['total']:,}",
    "messages": lambda t: f"{t['deliveries']:,}",
    "lost": lambda t: str(t["lost"]),
    "second copies without the first one's mark": lambda t: str(t["unlike"]),
    "left to a human": lambda t: str(t["parked"]),
    "written by a stopped hub as it woke": lambda t: str(sum(t["woken"].values())),
    "sent by a stopped hub later on": lambda t: str(sum(t["stale"].values())),
    "exit codes of the stopped": lambda t: str(t["exit_codes"] or "-"),
    "hub verify": lambda t: {True: "clean", False: "NOT CLEAN", None: "no hub verify yet"}[
        t["verify"]
    ],
    "seconds": lambda t: str(t["seconds"]),
}
