"""The configuration of the web, ready to use."""

from msgspec import Struct

from iskra_server.base.build import Build
from iskra_server.base.secret import Secret
from iskra_server.cost.contracts import Contract

# the kind and the value of each group, such as ("building", "7")
Groups = tuple[tuple[str, str], ...]


class ScopedToken(Struct, frozen=True):
    """A token that gives access to the meters of some groups only."""

    token: Secret
    groups: Groups


class WebSettings(Struct, frozen=True):
    """What the endpoints depend on, beside the running server.

    readout_interval_s  minimum seconds between two new values at the cumulated endpoint; 0: every telegram
    tz, tz_reason       the time zone in which days begin, and how it is known (base/timezone.py)
    token               required from clients; empty: no authentication
    allowed_hosts       host names that clients may use, beside those of the local network (base/hosts.py)
    scoped_tokens       further tokens, with access to some groups only
    is_central          a central server: reads no meter, serves its database
    language            of the page until another is chosen there: en, de, or auto, that of the browser
    price_zone          the first zone whose spot prices are fetched; empty: none are
    own_address         where programs on the network of this machine or container reach the server
    offers              contracts that are compared and never billed
    build               what commit the program was built from; None where that is not known
    """

    version: str
    readout_interval_s: float = 0.0
    tz: str = "UTC"
    token: Secret = Secret()
    allowed_hosts: tuple[str, ...] = ()
    contracts: tuple[Contract, ...] = ()
    scoped_tokens: tuple[ScopedToken, ...] = ()
    is_central: bool = False
    tz_reason: str = "configured"
    has_history: bool = False
    language: str = "auto"
    own_address: str = ""
    price_zone: str = ""
    offers: tuple[Contract, ...] = ()
    build: Build | None = None
