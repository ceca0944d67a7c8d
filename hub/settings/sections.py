# SPDX-License-Identifier: EUPL-1.2
"""Every setting there is, grouped by room; hub.toml shows the same with the same words."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from channels.email.settings import EmailSettings
from channels.sms.settings import SmsSettings
from channels.twitter.settings import TwitterSettings
from channels.webpush.settings import WebPushSettings
from hub.settings.keeping import Backup, Logs, Retention, Sandbox
from hub.settings.section import Count, Port, Seconds, Section
from templates.pages.colours import contrast, legible_on_white


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError("is not a time zone of the IANA database") from unknown
    return name


def _legible(accent: str) -> str:
    if not legible_on_white(accent):
        found = contrast(accent, "#ffffff")
        raise ValueError(
            f"is too pale: {found:.2f} to 1 on white, where 4.5 is needed (WCAG, RGAA)"
        )
    return accent


class Hub(Section):
    """The instance itself."""

    data: Path = Field(Path("data"), description="Folder of the ledger, the secrets and the lock.")
    secrets: Path | None = Field(
        None,
        description="Folder of the secret files; by default `secrets` inside the data folder.",
        examples=["/run/credentials/hub.service"],
    )
    secret: SecretStr | None = Field(
        None,
        description="32 random bytes in base64: signs links and receipts. `hub init` makes it.",
        examples=["(a secret file made by hub init)"],
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="Address citizens and providers see, without a slash at the end.",
        pattern=r"^https?://[^/\s]+$",
        examples=["https://alertes.example.org"],
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "Europe/Paris", description="Civil time of the town, as an IANA name."
    )
    language: Literal["fr", "en"] = Field("fr", description="Language of who has not chosen one.")
    authority: str = Field(
        "mairie",
        description="Key of the local authority that this instance publishes for first.",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
    )

    @property
    def secrets_folder(self) -> Path:
        """Where the secret files are, whether chosen or by default."""
        return self.secrets or self.data / "secrets"


class Server(Section):
    """The web doors."""

    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: Port = Field(8080, description="Port the server listens on.")
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Reverse proxies whose X-Forwarded-For is believed.",
        examples=[["127.0.0.1/32", "::1/128"]],
    )
    client_max_size: Count = Field(
        10_485_760, description="Largest request body of any door, in bytes (imports need most)."
    )


class Mailbox(Section):
    """The door for mail that comes back: bounces, complaints, and stops by mail (LMTP)."""

    host: str = Field(
        "127.0.0.1", description="Address the mail door listens on; best this machine alone."
    )
    port: Port = Field(0, description="Port of the mail door, such as 8024; 0: no such door.")
    max_size: Count = Field(1_048_576, description="Largest letter taken, in bytes.")
    connections: Count = Field(20, description="Connections at a time.")
    timeout: Seconds = Field(60, description="Seconds a quiet connection is kept.")


class Limits(Section):
    """How much one caller may ask of each door."""

    api_per_minute: Count = Field(120, description="API requests a minute for one key.")
    api_body: Count = Field(1_048_576, description="Largest API request body, in bytes.")
    hook_per_minute: Count = Field(60, description="Webhook events a minute for one source.")
    hook_body: Count = Field(262_144, description="Largest webhook or CAP body, in bytes.")
    console_per_minute: Count = Field(600, description="Console requests a minute, an officer.")
    public_per_minute: Count = Field(
        60, description="Portal forms a minute for one address block (/24, or /56 in IPv6)."
    )


class Portal(Section):
    """The citizens' pages."""

    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$"), AfterValidator(_legible)] = Field(
        "#0b5563", description="The town's colour, for buttons and links; legible on white."
    )
    logo: Path | None = Field(
        None,
        description="The town's logo, an SVG or PNG file; without one its name stands alone.",
        examples=["/etc/hub/logo.svg"],
    )
    texts: Path | None = Field(
        None,
        description="Folder of the town's own texts in Markdown, as fr/legal.md, en/privacy.md; "
        "what is not there is said in the house's words.",
        examples=["/etc/hub/pages"],
    )
    contact: str = Field(
        "", description="How citizens reach the town hall: a telephone number or an address."
    )
    dpo: str = Field("", description="E-mail of the data protection officer.")
    x_account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{0,15}$")] = Field(
        "", description="The town's account on X, without @, for whoever wants to follow it."
    )
    accessibility: Literal["not", "partly", "fully"] = Field(
        "not", description="What the accessibility audit found; 'not' until there was one (RGAA)."
    )
    embed_in: tuple[Annotated[str, Field(pattern=r"^(\*|https?://[^\s;,'\"]+)$")], ...] = Field(
        ("*",),
        description="Sites that may show the widget in a frame, as https://www.example.org.",
    )


class SignUps(Section):
    """How often somebody may ask for a code or a link, whoever they are: each costs the town."""

    pause: Count = Field(60, description="Seconds before a first new code; then twice, then 5 min.")
    contact_per_day: Count = Field(5, description="Codes a day to one address or number.")
    origin_per_hour: Count = Field(
        10, description="Codes an hour asked for from one address block (/24, or /56 in IPv6)."
    )
    prefix_per_hour: Count = Field(
        20, description="Codes an hour to numbers that differ in their last four digits only."
    )
    sms_per_day: Count = Field(500, description="Codes and links a day by SMS, to everybody.")
    email_per_day: Count = Field(5_000, description="Links a day by e-mail, to everybody.")
    fill_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        2.0, description="A form filled faster than this is a machine's, in seconds."
    )


class Console(Section):
    """The officers' console."""

    second_proof: Literal["everybody", "approvers", "nobody"] = Field(
        "approvers",
        description="Who must give a code or a passkey beside the password: everybody, whoever "
        "may approve, administer or operate, or nobody. In the sandbox nobody must.",
    )
    undo_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        30, description="Seconds in which a published announcement can be taken back; never urgent."
    )
    alone: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")], ...] = Field(
        (),
        description="Themes under which whoever may approve may also publish without a second "
        'person, such as ["culture"]; the journal then says so.',
    )
    type_people: Count = Field(
        1_000, description="Above this many people, the officer types their number to send."
    )
    type_cost: Annotated[float, Field(gt=0)] = Field(
        100.0, description="Above this cost in euros, the officer types the number of people."
    )
    sms_month_budget: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="What SMS may cost a month, in euros; above which only urgent ones leave.",
    )
    reserve_from: date | None = Field(
        None,
        description="First day of the reserve before an election: what is written then is reminded "
        "of it (Code électoral, L52-1).",
        examples=["2031-09-01"],
    )
    reserve_until: date | None = Field(
        None, description="Last day of that reserve.", examples=["2032-03-28"]
    )


class Windows(Section):
    """How many messages a channel reserves at once: the most that one crash puts in doubt."""

    sms: Count = Field(20, description="SMS reserved at once.")
    x: Count = Field(1, description="X posts reserved at once.")
    email: Count = Field(100, description="E-mails reserved at once.")
    webpush: Count = Field(100, description="Push notifications reserved at once.")


class Engine(Section):
    """The queue and the delivery protocol."""

    windows: Windows = Field(Windows(), description="Messages reserved at once, by channel.")
    commit_wait: Annotated[float, Field(ge=0, le=1)] = Field(
        0.020, description="Longest wait for others to share a commit, in seconds."
    )
    retry_hours: Seconds = Field(
        72, description="How long a message without its own expiry is tried, in hours."
    )
    digest_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        "18:00", description="When digests leave, on the town's clock."
    )
    digest_day: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = Field("friday", description="The day of the weekly digest.")
    drain_seconds: Annotated[float, Field(gt=0, le=25)] = Field(
        25, description="Time given to messages in flight when the daemon stops, in seconds."
    )
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        60,
        description="How long a daemon that stands still keeps the right to send, in seconds; then "
        "a hub that waits takes over. At least half as long again as the longest time-out of a "
        "channel.",
    )
    fallback_seconds: Annotated[float, Field(gt=0)] = Field(
        300,
        description="How long an urgent message may stay without a receipt before it also goes "
        "out on the citizen's next channel, in seconds.",
    )


class Words(Section):
    """The texts."""

    overlay: Path | None = Field(
        None,
        description="Folder of the town's own templates, looked at before those of the house.",
        examples=["/etc/hub/messages"],
    )
    sms_transliteration: Literal["propose", "always", "never"] = Field(
        "propose",
        description="Replace characters that make an SMS dearer: propose to the officer, "
        "always, or never.",
    )


class People(Section):
    """The subscribers."""

    phone_regions: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(
        ("FR", "GP", "MQ", "GF", "RE", "PM", "YT", "NC", "PF", "WF"),
        description="Countries whose mobile numbers may subscribe (ISO 3166); others are refused, "
        "which is what stops SMS pumping.",
        min_length=1,
    )


class Channels(Section):
    """The roads out of town; a section that is absent is a channel that is not configured."""

    sms: SmsSettings | None = Field(None, description="SMS, by Twilio.")
    email: EmailSettings | None = Field(None, description="E-mail, by the town's mail server.")
    x: TwitterSettings | None = Field(None, description="Posts on X, from the town's account.")
    webpush: WebPushSettings | None = Field(None, description="Notifications in the browser.")


class Settings(BaseSettings):
    """All of it. Built by `load_settings`; built directly it takes what it is given and no more."""

    model_config = SettingsConfigDict(
        env_prefix="HUB__", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    hub: Hub = Hub()
    server: Server = Server()
    limits: Limits = Limits()
    portal: Portal = Portal()
    sign_ups: SignUps = SignUps()
    console: Console = Console()
    mailbox: Mailbox = Mailbox()
    engine: Engine = Engine()
    words: Words = Words()
    people: People = People()
    channels: Channels = Channels()
    sandbox: Sandbox = Sandbox()
    backup: Backup = Backup()
    retention: Retention = Retention()
    logs: Logs = Logs()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `load_settings` reads the sources, so it can name the culprit."""
        return (init_settings,)
