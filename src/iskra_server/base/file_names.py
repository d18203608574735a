"""Names of files that are made of what users call their things, and how a server sends them."""

import re
from urllib.parse import quote

# of each part: cut at its end, a name would lack its period
_MAX_PART = 60


def file_name(*parts: str, suffix: str = "") -> str:
    """tenant-Meyer-2026.html: what file systems do not like becomes an underscore."""
    name = "-".join(re.sub(r"[^\w.+-]+", "_", part)[:_MAX_PART] for part in parts).lstrip(".")
    return f"{name}.{suffix}" if suffix else name


def attachment(name: str) -> dict[str, str]:
    """The header of an answer that is a file to save (RFC 6266)."""
    quoted = quote(name)
    value = f'filename="{name}"' if quoted == name else f"filename*=UTF-8''{quoted}"
    return {"content-disposition": f"attachment; {value}"}
