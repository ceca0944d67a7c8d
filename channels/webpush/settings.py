# SPDX-License-Identifier: EUPL-1.2
"""What the web push road has to be told: the town's key, whom to write to, and where it may go."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from channels.webpush.keys import read_vapid_key

# The push services of Chrome and Android, Firefox, Safari, and Edge.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)


def _readable(key: SecretStr) -> SecretStr:
    read_vapid_key(key.get_secret_value())
    return key


def _reachable(subject: str) -> str:
    """Apple refuses a subject nobody can be reached at, such as one at localhost."""
    if not re.fullmatch(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+", subject):
        raise ValueError("must be mailto:somebody@a.domain or https://a.domain")
    return subject


class WebPushSettings(BaseModel):
    """The town's web push key. The descriptions become the comments of hub.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    private_key: Annotated[SecretStr, AfterValidator(_readable)] = Field(
        description="VAPID private key, made by `hub init`, in PEM or base64. Changing it ends "
        "every subscription.",
    )
    sender: Annotated[str, AfterValidator(_reachable)] = Field(
        description="Whom a push service writes to when something is wrong: mailto: or https:.",
        examples=["mailto:mairie@example.org"],
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=PUSH_SERVICES,
        description="Push services browsers may name; *.example.org stands for any host under it. "
        "Anything else is refused, or a false subscription could make the hub call any machine.",
    )
    allow_loopback: bool = Field(
        default=False, description="Also allow this machine, without TLS. For the sandbox only."
    )
    price: float = Field(default=0.0, ge=0, description="Price of one message in euros.")
    pace: float = Field(default=500.0, gt=0, description="Messages per second.")
    connections: int = Field(default=50, ge=1, le=500, description="Connections at a time.")
    timeout: float = Field(
        default=10.0, gt=0, le=60, description="Seconds one message may take, in all."
    )
