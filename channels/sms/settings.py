# SPDX-License-Identifier: EUPL-1.2
"""What the SMS road has to be told: the Twilio account, who the sender is, and the pace."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TwilioAccount(BaseModel):
    """An account that speaks Twilio's API, and who the SMS comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_sid: str = Field(
        default="", description="Twilio account SID, from console.twilio.com: AC and 32 characters."
    )
    auth_token: SecretStr = Field(
        default=SecretStr(""),
        description="Twilio auth token: signs in, and proves that a receipt comes from Twilio.",
    )
    sender: str = Field(
        default="",
        max_length=16,
        description="Who the SMS comes from: a name of at most 11 letters (nobody can answer it) "
        "or a short code. French 06/07 numbers may not carry a town's messages.",
    )
    messaging_service_sid: str = Field(
        default="", description="Twilio Messaging Service SID (MG…), used instead of the sender."
    )
    base_url: str = Field(
        default="https://api.twilio.com",
        description="Twilio's API. Ireland: https://api.dublin.ie1.twilio.com. The sandbox sets "
        "its own.",
    )
    price: float = Field(
        default=0.0,
        ge=0,
        description="Price of one part in euros, for the officer's preview; 0 where not known.",
    )
    pace: float = Field(
        default=10.0,
        gt=0,
        description="Messages per second the sender may really send. Twilio accepts faster and "
        "then holds messages back for hours.",
    )
    connections: int = Field(default=20, ge=1, le=500, description="Connections at a time.")
    timeout: float = Field(
        default=10.0, gt=0, le=60, description="Seconds one message may take, in all."
    )


class SmsSettings(TwilioAccount):
    """The SMS road. The descriptions become the comments of hub.toml."""

    two_way: bool = Field(
        default=False,
        description="Citizens can answer this sender (a short code or a number): STOP, STOP EAU, "
        "AIDE, START are obeyed and answered, and ABO EAU subscribes. Twilio must post to "
        "/callbacks/twilio/inbound. "
        "Where they cannot, the link in each SMS is the reader's own, to read more and to stop.",
    )
    status_callback_url: str = Field(
        default="",
        description="Public address where Twilio posts receipts, if not the hub's own. Empty: made "
        "from hub.public_url where that is https; else an SMS stays 'accepted'.",
    )
    max_parts: int = Field(
        default=6, ge=1, le=10, description="Longest SMS, in parts; each part is paid for."
    )
    backup: TwilioAccount | None = Field(
        default=None,
        description="A second account, at Twilio or at a provider that speaks its API: takes over "
        "while the first does not work, and hands back.",
    )

    @property
    def one_way(self) -> bool:
        """Whether a reader of any of its SMS may be unable to answer STOP: each then bears a link.

        A text is made before it is known which account carries it.
        """
        backup = self.for_backup()
        return not (self.two_way and (backup is None or backup.two_way))

    def for_backup(self) -> "SmsSettings | None":
        """The second account's own settings; what is not the account's is the same for both."""
        if self.backup is None:
            return None
        account = dict(self.backup)
        two_way = self.two_way and not any(map(str.isalpha, self.backup.sender))
        return self.model_copy(update={**account, "backup": None, "two_way": two_way})
