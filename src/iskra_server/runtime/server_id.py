"""The id of this server, by which clients know it again at another address: 32 hex digits in a file of the data folder.

`serve` makes it at its first start. A demonstration has one of its own: it may share the folder with a real server.
"""

import logging
import os
import re
import secrets

from iskra_server.config import Config
from iskra_server.history.store.location import expand_folder

FILE, SIMULATED_FILE = "server-id", "simulated-server-id"
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

log = logging.getLogger(__name__)


def is_simulated(config: Config) -> bool:
    """Whether every meter is simulated: then files of the data folder have names of their own."""
    meters = config.meters_read
    return bool(meters) and all(meter.url.scheme == "simulator" for meter in meters)


def server_id(config: Config) -> str | None:
    """None where the file can be neither read nor written."""
    try:
        path = expand_folder(config.history.data_dir) / (SIMULATED_FILE if is_simulated(config) else FILE)
    except ValueError:
        # told where history is on
        return None
    try:
        if path.exists() and _ID.fullmatch(text := path.read_text("latin-1").strip()):
            return text
        made = secrets.token_hex(16)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(f"{made}\n")
        part.replace(path)
    except OSError as error:
        log.info("%s cannot be used (%s): Home Assistant knows this server by its address alone.", path, error.strerror)
        return None
    return made
