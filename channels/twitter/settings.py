# SPDX-License-Identifier: EUPL-1.2
"""What the X road has to be told: the town's account and its application's keys."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TwitterSettings(BaseModel):
    """The town's account on X. The descriptions become the comments of hub.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sender: str = Field(default="", description="The town's account, without @, for the preview.")
    consumer_key: SecretStr = Field(
        default=SecretStr(""), description="API key of the town's application at developer.x.com."
    )
    consumer_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of the API key above."
    )
    access_token: SecretStr = Field(
        default=SecretStr(""),
        description="Access token of the town's account, with permission to read and write "
        "(and direct messages, where used).",
    )
    access_token_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of the access token above."
    )
    direct_messages: bool = Field(
        default=False,
        description="Also write to citizens who wrote to the account first (X allows no others): "
        "at /mes-alertes/x they are shown a code to send it.",
    )
    base_url: str = Field(
        default="https://api.twitter.com", description="X's API. The sandbox sets its own."
    )
    max_posts: int = Field(default=4, ge=1, le=25, description="Longest thread, in posts.")
    price: float = Field(
        default=0.015, ge=0, description="Price of one post without a link (X: 0.015 dollars)."
    )
    price_with_link: float = Field(
        default=0.2, ge=0, description="Price of one post with a link (X: 0.200 dollars)."
    )
    monthly_posts: int = Field(
        default=0, ge=0, description="Most posts in a calendar month; 0: no limit."
    )
    monthly_budget: float = Field(
        default=0.0,
        ge=0,
        description="Most dollars in a calendar month, at the prices above; 0: no limit. When it "
        "is spent nothing more is posted, and what was to leave waits for you (hub parked).",
    )
    pace: float = Field(
        default=1.0,
        gt=0,
        description="Posts per second. X allows 100 in 15 minutes; past that it says how long to "
        "wait, and the hub waits.",
    )
    connections: int = Field(default=2, ge=1, le=50, description="Connections at a time.")
    timeout: float = Field(
        default=15.0, gt=0, le=60, description="Seconds one post may take, in all."
    )
