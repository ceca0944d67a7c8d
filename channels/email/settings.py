# SPDX-License-Identifier: EUPL-1.2
"""What an operator says about the mail server and the sender's name."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")

Mailbox = Annotated[str, StringConstraints(pattern=rf"^{_ADDRESS.pattern}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+$")]


class EmailSettings(BaseModel):
    """The mail server that takes the town's letters, and who signs them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("localhost", description="The mail server (smarthost) letters are handed to.")
    port: int = Field(587, ge=1, le=65535, description="587 with STARTTLS, 465 with TLS, 25 local.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="starttls (required, never optional), tls from the first byte, or none.",
    )
    ca_file: Path | None = Field(
        None, description="Certificates to trust instead of the system's (a private authority)."
    )
    username: str = Field("", description="Account on the mail server; empty: no sign-in.")
    password: SecretStr = Field(SecretStr(""), description="Its password (keep it in secrets/).")
    local_hostname: Domain = Field(
        "localhost", description="How the hub names itself in EHLO; best its public host name."
    )
    sender: Mailbox = Field(description="The address in From, such as mairie@example.org.")
    sender_name: str = Field("", description="The name readers see beside it.")
    envelope_sender: Mailbox | None = Field(
        None, description="Where bounces go when bounce_domain is empty; default: the sender."
    )
    bounce_domain: Domain | None = Field(
        None,
        description="Domain whose mail reaches the hub; each letter then has its own return"
        " address bounce+<receipt>@domain, and bounces are matched without guessing.",
    )
    stop_mailbox: Mailbox | None = Field(
        None, description="A mailbox that takes unsubscriptions by mail, beside the one-click link."
    )
    pace: float = Field(10.0, gt=0, description="Letters a second, at most.")
    connections: int = Field(5, ge=1, le=50, description="Connections kept open to the server.")
    letters_per_connection: int = Field(
        100, ge=1, description="A connection is renewed after this many (servers set a limit)."
    )
    timeout: float = Field(30.0, gt=0, description="Seconds one letter may take, all included.")
    price: float = Field(0.0, ge=0, description="Euros a letter, for the cost preview.")

    @property
    def domain(self) -> str:
        """The domain of the sender: the right part of every Message-ID."""
        return self.sender.rpartition("@")[2]

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        """A password crosses no network in clear (RFC 4954 section 4)."""
        if self.username and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password needs security = starttls or tls")
        return self
