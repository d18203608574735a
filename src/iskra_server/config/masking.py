"""Values as they may be shown: in the terminal, a log, a support bundle."""

import re

from iskra_server.config.keys import Key

MASK = "***"
# up to the last @ of what stands before the path: a password may hold one that nobody has escaped
_PASSWORD = re.compile(r"(://[^:/?#@]*):[^?#]*@")
_SECRET_OPTION = re.compile(r"([?&][^=&#]*(?:pass|pwd|secret|token|key|psk)[^=&#]*)=[^&#]*", re.IGNORECASE)


def shown(key: Key, value: object) -> object:
    """The value of a key; of a secret nothing, or where it is an address all but its password."""
    if not isinstance(value, str):
        return value
    if key.secret and not (key.name.endswith("url") and "://" in value):
        return value and MASK
    return masked_url(value)


def masked_url(url: str) -> str:
    """A URL without the password and keys that may stand in it."""
    return _SECRET_OPTION.sub(rf"\1={MASK}", _PASSWORD.sub(rf"\1:{MASK}@", url))
