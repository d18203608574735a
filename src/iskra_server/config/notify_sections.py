"""The sections of notifications: the channels they go to ([[notify]]), and the rules that send them ([alerts])."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from iskra_server.base.address import PathSecret
from iskra_server.base.language import Language
from iskra_server.base.secret import Secret
from iskra_server.config.common_keys import SECRET

_DAY_MINUTES = 1440


class NotifyConfig(Struct, frozen=True):
    kind: Annotated[
        Literal["ntfy", "webhook", "gotify", "email"],
        Meta(description="Kind of channel: ntfy, webhook (JSON to any address), gotify or email."),
    ] = "ntfy"
    url: Annotated[
        PathSecret,
        Meta(
            description="Where messages go. ntfy: https://ntfy.sh/TOPIC; webhook: an http or https address; gotify: "
            "that of the server; email: smtps://HOST (TLS) or smtp://HOST (STARTTLS). Empty: this channel is off.",
            extra=SECRET,
        ),
    ] = PathSecret()
    name: Annotated[
        str, Meta(max_length=100, description="Name of this channel, for notify test. Empty: its kind.")
    ] = ""
    token: Annotated[
        Secret,
        Meta(
            description="Access token of ntfy, application token of gotify, or token that a webhook gets as "
            "Authorization: Bearer. Empty: none is sent.",
            extra=SECRET,
        ),
    ] = Secret()
    user: Annotated[str, Meta(description="User at the mail server. Empty: the one in the url, else no login.")] = ""
    password: Annotated[Secret, Meta(description="Password of this user. Empty: the one in the url.", extra=SECRET)] = (
        Secret()
    )
    sender: Annotated[
        str, Meta(max_length=254, description="Address that mails come from. Empty: user, if that is an address.")
    ] = ""
    recipients: Annotated[
        str, Meta(max_length=2000, description="Addresses that mails go to, separated by commas; only for email.")
    ] = ""
    ca_file: Annotated[
        str,
        Meta(description="CA certificates to check the certificate of the url (PEM). Empty: those of this machine."),
    ] = ""
    language: Annotated[Language, Meta(description="Language of the messages: en (English) or de (German).")] = "en"
    events: Annotated[
        str,
        Meta(
            max_length=200,
            description="What is sent here, separated by commas: silent, fault, locked, load, base_load, weekly, "
            "monthly. Empty: all of them.",
        ),
    ] = ""
    page_url: Annotated[
        str,
        Meta(
            max_length=500,
            description="Address of the page that a message links to. Empty: that of this machine, by its host name.",
        ),
    ] = ""
    max_per_day: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Maximum number of messages in 24 hours, without digests; more are dropped and counted.",
        ),
    ] = 30


class AlertsConfig(Struct, frozen=True):
    silent_after_minutes: Annotated[
        float,
        Meta(
            gt=0,
            le=_DAY_MINUTES,
            description="Minutes without a current reading, or with another failed check, after which a message is "
            "sent.",
        ),
    ] = 10.0
    load_above_w: Annotated[
        int,
        Meta(ge=0, le=10_000_000, description="Power from the grid in W above which a message is sent. 0: never."),
    ] = 0
    load_for_minutes: Annotated[
        float,
        Meta(gt=0, le=_DAY_MINUTES, description="Minutes for which power must be above load_above_w without a pause."),
    ] = 15.0
    base_load_percent: Annotated[
        float,
        Meta(
            ge=0,
            le=1000,
            description="Rise of the base load in percent, last seven nights against the seven before, above which a "
            "message is sent. 0: never.",
        ),
    ] = 25.0
    repeat_after_minutes: Annotated[
        float,
        Meta(
            ge=0,
            le=30 * _DAY_MINUTES,
            description="Minimum minutes between two messages about the same event of a meter, however often it comes "
            "and goes.",
        ),
    ] = 60.0
    digest_hour: Annotated[
        int,
        Meta(
            ge=0,
            le=23,
            description="Hour of the local day at which digests are sent: on Mondays of the week before, on the first "
            "of the month of the month before.",
        ),
    ] = 7
