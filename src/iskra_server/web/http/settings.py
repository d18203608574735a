"""What the web room is told at its start."""

from msgspec import Struct

from iskra_server.base.secret import Secret
from iskra_server.cost.contracts import Contract


class Scope(Struct, frozen=True):
    """A token that sees the meters of some groups alone; a group is its kind and its value."""

    token: Secret
    groups: tuple[tuple[str, str], ...]


class Settings(Struct, frozen=True):
    """`readout_interval_s`: seconds between new values at the cumulated endpoint, 0 = every telegram.

    `tz`: the time zone in which days and months begin, `tz_reason` how it is known (zone.py). `token`: what a request
    must show, an empty one asks for none; `scopes`: tokens beside it that see less. `allowed_hosts`: names that this
    server answers to, beside those of the own network (hosts.py). `is_central`: it reads no meter, and shows its
    database.
    """

    version: str
    readout_interval_s: float = 0.0
    tz: str = "UTC"
    token: Secret = Secret()
    allowed_hosts: tuple[str, ...] = ()
    contracts: tuple[Contract, ...] = ()
    scopes: tuple[Scope, ...] = ()
    is_central: bool = False
    tz_reason: str = "configured"
