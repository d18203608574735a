"""Names of files that are made of what users call their things, and how a server sends them."""

import re
from urllib.parse import quote

# of each part, in characters and in bytes of UTF-8: cut at its end, a name would lack its period. A file system allows
# 255 bytes, for two parts of users, a period, a number and a suffix
_MAX_PART, _MAX_BYTES = 60, 100


def file_name(*parts: str, suffix: str = "") -> str:
    """tenant-Meyer-2026.html: what file systems do not like becomes an underscore."""
    name = "-".join(_part(part) for part in parts).lstrip(".")
    return f"{name}.{suffix}" if suffix else name


def _part(text: str) -> str:
    plain = re.sub(r"[^\w.+-]+", "_", text)[:_MAX_PART]
    return plain.encode()[:_MAX_BYTES].decode(errors="ignore")


def attachment(name: str) -> dict[str, str]:
    """The header of an answer that is a file to save (RFC 6266)."""
    quoted = quote(name)
    value = f'filename="{name}"' if quoted == name else f"filename*=UTF-8''{quoted}"
    return {"content-disposition": f"attachment; {value}"}
