# SPDX-License-Identifier: EUPL-1.2
"""The settings beside the daily work: the sandbox, what is kept and how long, what is logged."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from channels.base import ChannelName
from hub.settings.section import Count, Days, Port, Section


class Sandbox(Section):
    """Stand-ins for the providers, on this machine alone: no real message leaves."""

    enabled: bool = Field(False, description="Send everything to the stand-ins and show phones.")
    channels: tuple[ChannelName, ...] = Field(
        tuple(ChannelName),
        description="Stand in for these only. The others, where they are configured, are real: "
        "every page says so, and neither the time nor a training script is played.",
        min_length=1,
    )
    host: str = Field("127.0.0.1", description="Address the stand-ins listen on.")
    http_port: Port = Field(8090, description="Port of the SMS, X and push stand-ins.")
    smtp_port: Port = Field(8025, description="Port of the mail server stand-in.")


class Backup(Section):
    """Copies of the ledger, made by `hub backup`."""

    folder: Path | None = Field(
        None,
        description="Where they go; by default `backups` inside the data folder. Another disk is "
        "better, another building best.",
        examples=["/mnt/backups"],
    )
    keep: Count = Field(14, description="How many are kept; the oldest go.")
    encrypt_to: str | None = Field(
        None,
        description="Encrypt them to this age key; `hub backup-key` makes one, and its other half "
        "is kept elsewhere.",
        pattern=r"^age1[0-9a-z]{58}$",
        examples=["age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"],
    )


class Retention(Section):
    """How many days things are kept; then they are erased, without anybody asking."""

    deliveries: Days = Field(
        396, description="Who was sent what, after an announcement is over; its totals stay."
    )
    attempts: Days = Field(
        180, description="Failed attempts and providers' receipts, after an announcement is over."
    )
    audit: Days = Field(1_096, description="Who did what. It names no citizen's address.")
    unverified: Days = Field(7, description="Addresses that nobody confirmed.")
    consents: Days = Field(1_096, description="Proofs of a consent that was withdrawn.")
    backups: Days = Field(
        30,
        description="The journal of stops and erasures, and ledgers put aside: at least as long as "
        "the oldest backup you would restore.",
    )


class Logs(Section):
    """What the daemon tells its operator."""

    format: Literal["json", "console"] = Field(
        "console", description="One JSON object a line, or lines for eyes."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least serious line written."
    )
