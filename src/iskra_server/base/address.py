"""The address of a meter, broker or database. Printed, it shows the destination, but no password or key.

    mqtt://USER:PASSWORD@HOST:1883        the password is masked, also with unescaped @ / ? # in it
    esphome://HOST/?port_name=NAME&key=K  only options from a list of harmless ones are shown
    tcp://USER@HOST:2001                  a user without password may be a token: masked for most schemes
    /dev/ttyUSB0?baud=9600                a path is shown unchanged, its options as those above

The last @ before the options ends the password.
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
# followed by a path or a profile, which holds no user and no key
_PATHS = frozenset(("file", "simulator", "sqlite"))
# a user without password is a name here; for other schemes it may be a token
_WITH_NAMES = frozenset(("mqtt", "mqtts", "postgres", "postgresql", "postgresql+psycopg"))
# options that hold no secret: of meters, and of libpq
_HARMLESS = frozenset(
    (
        *("baud", "format", "protocol", "listen_only", "address", "poll_s", "speed", "port_name", "node_id", "mode"),
        *("seed", "rate", "faults", "start", "since", "unlock", "relock", "host", "port", "dbname", "user", "sslmode"),
        *("sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "target_session_attrs"),
        *("load_balance_hosts", "gssencmode", "channel_binding", "ca_file", "cert_file", "key_file"),
    )
)
_MAX_PORT = 65_535
# characters of a part of a path that is no ordinary word
_LONG = 8


class Address(Secret):
    """`user` and `password` are unescaped; `host` is lower-case, without the brackets of IPv6, "" for none.

    Accepts any text; one that is no address has no host. `rest` is what follows the host, from the first / ? # on.
    """

    __slots__ = ("_accounts", "_hidden", "_port", "_shown", "host", "password", "rest", "scheme", "user")

    def __init__(self, text: "str | Secret" = "") -> None:
        # a blank at the end is easily copied, and no address ends with one
        super().__init__((text if isinstance(text, str) else text.reveal()).strip())
        self.user = self.host = self.rest = self._port = ""
        self.password = Secret()
        # user and password together, as HTTP sends them encoded; and strings that are masked even in fragments
        self._accounts: tuple[str, ...] = ()
        self._hidden: tuple[str, ...] = ()
        match = _SCHEME.match(self._text)
        self.scheme = match[1].lower() if match else ""
        prefix = match[0] if match else ""
        after = self._text.removeprefix(prefix)
        # an address without a scheme begins with two slashes
        is_path = not match and after.startswith(("/", ".", "~")) and after[:2] != "//"
        if self.scheme in _PATHS:
            self._shown = self._text
        else:
            self._shown = self._mask_options(self._text) if is_path else prefix + self._parse(after)

    @property
    def port(self) -> int | None:
        """None where the address has none. Raises ValueError with a sentence."""
        if not self._port:
            return None
        if not _PORT.fullmatch(self._port) or not 1 <= int(self._port) <= _MAX_PORT:
            raise ValueError(f"the port must be a number from 1 to {_MAX_PORT}")
        return int(self._port)

    def parts(self) -> tuple[str, ...]:
        """With the fragments of a password that other parsers, splitting at one of its characters, take for a host."""
        fragments = (fragment for part in self._hidden for fragment in _CUTS.split(part))
        return (*self._accounts, *self._hidden, *fragments)

    def escaped(self) -> str:
        """The whole address, escaped for strict parsers."""
        account = quote(self.user, safe="") + (f":{quote(self.password.reveal(), safe='')}" if self.password else "")
        host = host_in_url(self.host)
        place = f"{host}:{self._port}" if self._port else host
        rest = self.rest.replace("#", "%23")
        return f"{self.scheme}://{account}{'@' if account else ''}{place}{rest}"

    def masked(self, text: object) -> str:
        """A text of other origin, such as an error of a library, without the secrets of this address."""
        masked = str(text).replace(self._text, self._shown) if self._text else str(text)
        return masking((self,))(masked)

    def __str__(self) -> str:
        return self._shown

    def _parse(self, after: str) -> str:
        """Sets user, password, host, port and rest; returns them as they are printed."""
        slashes = "//" if after.startswith("//") else ""
        body, options = _split_options(after.removeprefix(slashes))
        account, at, place = body.rpartition("@")
        if at:
            account = self._parse_account(account)
        end = next((index for index, character in enumerate(place) if character in "/?#"), len(place))
        authority, self.rest = place[:end], place[end:] + options
        if slashes:
            host, _, self._port = authority.rpartition("]") if authority.startswith("[") else authority.partition(":")
            self.host, self._port = host.removeprefix("[").lower(), self._port.removeprefix(":")
        if self._port and not _PORT.fullmatch(self._port):
            # a password without the @ after it looks like a port
            self._hidden += (self._port,)
            authority = f"{authority.removesuffix(self._port)}{MASK}"
        return f"{slashes}{account}{at}{authority}{self._mask_options(self.rest)}"

    def _parse_account(self, account: str) -> str:
        user, colon, password = account.partition(":")
        self.user, self.password = unquote(user), Secret(unquote(password))
        if not colon and self.scheme in _WITH_NAMES:
            return account
        self._accounts += (account, unquote(account))
        self._hidden += tuple(filter(None, (password, unquote(password)))) if colon else (account, unquote(account))
        return f"{user}:{MASK}" if colon and user else MASK

    def _mask_options(self, rest: str) -> str:
        path, question, options = rest.partition("?")
        return path + question + "".join(map(self._mask_option, _SEPARATOR.split(options)))

    def _mask_option(self, option: str) -> str:
        name, equals, value = option.partition("=")
        if option in ("", "&", ";") or (equals and not value) or (name.lower() in _HARMLESS and "#" not in value):
            return option
        self._hidden += (value or name, unquote(value or name))
        return f"{name}={MASK}" if equals else MASK


class PathSecret(Address):
    """An address whose path is a secret too, such as a topic of ntfy: who knows it can send there, or read."""

    __slots__ = ("_path",)

    def __init__(self, text: "str | Secret" = "") -> None:
        super().__init__(text)
        self._path = self.rest.strip("/")
        if self._path:
            # what it prints of another form than SCHEME://HOST/... is not known
            place, slash, _ = self._shown.partition("://")[2].partition("/")
            self._shown = f"{self.scheme}://{place if slash and self.host else ''}/{MASK}"

    def parts(self) -> tuple[str, ...]:
        """Of the path only what is too long for a word, which would be masked wherever it occurs."""
        path = (self._path, *_CUTS.split(self._path))
        return (*super().parts(), *(part for part in path if len(part) >= _LONG))


def host_in_url(host: str) -> str:
    """An IPv6 address in brackets (RFC 3986, 3.2.2), everything else as it is."""
    return f"[{host}]" if ":" in host else host


def is_host(name: str) -> bool:
    """Whether it is an IP address or a valid host name; others make a resolver fail with an obscure error."""
    try:
        return is_ip_address(name) or bool(_HOST.fullmatch(name.encode("idna").decode()))
    except UnicodeError:
        return False


def is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _split_options(text: str) -> tuple[str, str]:
    """Text before the options, and the options; but an @ only behind the first ? ends a password with a ? in it."""
    match = _OPTIONS.search(text)
    if not match:
        return text, ""
    body, options = text[: match.start()], text[match.start() :]
    _, colon, port = body.partition("/")[0].partition(":")
    is_password = "@" in options and "@" not in body and colon and not _PORT.fullmatch(port)
    return (text, "") if is_password else (body, options)
