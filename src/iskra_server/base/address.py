"""An address, read once: of a meter, a broker, a database. Printed, it shows where it leads, and no password or key.

    mqtt://USER:PASSWORD@HOST:1883        the password is masked: also one with @ / ? # that nobody has escaped
    esphome://HOST/?port_name=NAME&key=K  of the options only those are shown that are known to be harmless
    tcp://WHOEVER@HOST:2001               a user alone is masked where it cannot be a name
    /dev/ttyUSB0?baud=9600                a path is shown as it is

A password that holds an @ is told from the host by the last @ before the options.
"""

import re
from ipaddress import ip_address
from urllib.parse import quote, unquote

from iskra_server.base.secret import MASK, Secret, masking

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CUTS = re.compile(r"[/?#@:&;=\[\]\\\s]+")
_OPTIONS = re.compile(r"\?[\w.-]+=")
_SEPARATOR = re.compile(r"([&;])")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}\.?")
_PORT = re.compile(r"[0-9]{1,5}")
# what follows is a path, or a profile: there are no users in it, and no keys behind it
_PATHS = frozenset(("file", "simulator", "sqlite"))
# a user that stands alone is a name here, and elsewhere perhaps a token
_WITH_NAMES = frozenset(("mqtt", "mqtts", "postgres", "postgresql", "postgresql+psycopg"))
_HARMLESS = frozenset(
    (
        *(
            "baud",
            "speed",
            "port_name",
            "seed",
            "rate",
            "faults",
            "start",
            "since",
            "unlock",
            "relock",
            "mode",
            "node_id",
        ),
        *("host", "port", "dbname", "user", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"),
        *("application_name", "target_session_attrs", "load_balance_hosts", "gssencmode", "channel_binding"),
    )
)
_LARGEST_PORT = 65_535


class Address(Secret):
    """`user` and `password` are unescaped; `host` is in small letters, without the brackets of IPv6, "" for none.

    Any text can be an address; what is none has no host. `rest` is what follows the host, from its first / ? # on.
    """

    __slots__ = ("_accounts", "_hidden", "_port", "_shown", "host", "password", "rest", "scheme", "user")

    def __init__(self, text: "str | Secret" = "") -> None:
        super().__init__(text)
        self.user = self.host = self.rest = self._port = ""
        self.password = Secret()
        # user and password together, as they are sent encoded; and what must not be seen even in pieces
        self._accounts: tuple[str, ...] = ()
        self._hidden: tuple[str, ...] = ()
        found = _SCHEME.match(self._text)
        self.scheme = found[1].lower() if found else ""
        begin = found[0] if found else ""
        after = self._text.removeprefix(begin)
        # without its scheme, an address begins with two slashes
        is_path = self.scheme in _PATHS or (not found and after.startswith(("/", ".", "~")) and after[:2] != "//")
        self._shown = self._text if is_path else begin + self._read(after)

    @property
    def port(self) -> int | None:
        """None where there is none. Raises ValueError with a sentence."""
        if not self._port:
            return None
        if not _PORT.fullmatch(self._port) or not 1 <= int(self._port) <= _LARGEST_PORT:
            raise ValueError(f"the port must be a number from 1 to {_LARGEST_PORT}")
        return int(self._port)

    def parts(self) -> tuple[str, ...]:
        """Also what others take for a host or a port, where they cut an address at a sign in the password."""
        pieces = (piece for part in self._hidden for piece in _CUTS.split(part))
        return (*self._accounts, *self._hidden, *pieces)

    def escaped(self) -> str:
        """All of it, as those who read addresses strictly want it."""
        account = quote(self.user, safe="") + (f":{quote(self.password.reveal(), safe='')}" if self.password else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = f"{host}:{self._port}" if self._port else host
        rest = self.rest.replace("#", "%23")
        return f"{self.scheme}://{account}{'@' if account else ''}{place}{rest}"

    def masked(self, text: object) -> str:
        """What somebody else says of this address, such as an error of a library, without what is secret in it."""
        said = str(text).replace(self._text, self._shown) if self._text else str(text)
        return masking((self,))(said)

    def __str__(self) -> str:
        return self._shown

    def _read(self, after: str) -> str:
        """Read user, password, host, port and options; gives them as they are shown."""
        slashes = "//" if after.startswith("//") else ""
        body, options = _without_options(after.removeprefix(slashes))
        account, at, place = body.rpartition("@")
        if at:
            account = self._account(account)
        end = next((where for where, sign in enumerate(place) if sign in "/?#"), len(place))
        authority, self.rest = place[:end], place[end:] + options
        if slashes:
            host, _, self._port = authority.rpartition("]") if authority.startswith("[") else authority.partition(":")
            self.host, self._port = host.removeprefix("[").lower(), self._port.removeprefix(":")
        if self._port and not _PORT.fullmatch(self._port):
            # a password whose @ is missing looks like a port
            self._hidden += (self._port,)
            authority = f"{authority.removesuffix(self._port)}{MASK}"
        return f"{slashes}{account}{at}{authority}{self._harmless(self.rest)}"

    def _account(self, account: str) -> str:
        user, colon, password = account.partition(":")
        self.user, self.password = unquote(user), Secret(unquote(password))
        if not colon and self.scheme in _WITH_NAMES:
            return account
        self._accounts += (account, unquote(account))
        self._hidden += tuple(filter(None, (password, unquote(password)))) if colon else (account, unquote(account))
        return f"{user}:{MASK}" if colon and user else MASK

    def _harmless(self, rest: str) -> str:
        """A path and options, as they are shown."""
        path, question, options = rest.partition("?")
        shown = [self._option(each) for each in _SEPARATOR.split(options)]
        return f"{path}{question}{''.join(shown)}"

    def _option(self, option: str) -> str:
        name, equals, value = option.partition("=")
        if option in ("", "&", ";") or (equals and not value) or (name.lower() in _HARMLESS and "#" not in value):
            return option
        self._hidden += (value or name, unquote(value or name))
        return f"{name}={MASK}" if equals else MASK


def is_host(name: str) -> bool:
    """Whether it is an IP address or can be looked up; what is neither makes a resolver fail without a sentence."""
    try:
        ip_address(name)
    except ValueError:
        try:
            return bool(_HOST.fullmatch(name.encode("idna").decode()))
        except UnicodeError:
            return False
    return True


def _without_options(text: str) -> tuple[str, str]:
    """What stands before the options, and these; an @ that stands in them alone is the end of a password with a ?."""
    found = _OPTIONS.search(text)
    if not found:
        return text, ""
    body, options = text[: found.start()], text[found.start() :]
    _, colon, port = body.partition("/")[0].partition(":")
    is_password = "@" in options and "@" not in body and colon and not _PORT.fullmatch(port)
    return (text, "") if is_password else (body, options)
