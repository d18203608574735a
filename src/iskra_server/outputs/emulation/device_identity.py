"""The identity of an emulated device: a number like a MAC address, unique in the world and the same for ever.

Batteries remember it, and two devices with one number disconnect each other, also through the cloud of their maker. It
is made from the id of the meter and that of this server, a random number, and kept in a file: a later version never
changes it.
"""

import hashlib
import json
import logging
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from iskra_server.meter.identity import label, server_id

FILE = "emulated-devices.json"
_MAC = re.compile(r"[0-9a-f]{12}", re.ASCII)
_SALT = b"iskra-server emulated device\n"

log = logging.getLogger(__name__)


class Identities:
    """`path` is the file; `own_id` that of this server, "" where its folder cannot be used."""

    def __init__(self, path: Path, own_id: str) -> None:
        self._path = path
        self._own_id = own_id
        self._macs: dict[str, str] = {}
        self._has_read = False

    def mac(self, meter_id: str) -> str:
        """Twelve hex digits in lower case; a locally administered address (IEEE 802, 0x02 in its first byte)."""
        if not self._has_read:
            self._macs, self._has_read = _read(self._path), True
        if meter_id not in self._macs:
            # another device may have added its own meanwhile
            self._macs = _read(self._path) | self._macs
            self._macs.setdefault(meter_id, _made(meter_id, self._own_id))
            self._write()
        return self._macs[meter_id]

    def _write(self) -> None:
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._macs, indent=1) + "\n")
            part.replace(self._path)
        except OSError as error:
            log.info("%s cannot be written (%s).", self._path, error.strerror or error)
            # what a full disk left of it
            with suppress(OSError):
                part.unlink()


def _made(meter_id: str, own_id: str) -> str:
    if not own_id and not label(server_id(meter_id)):
        # many meters have no number: no two of them may share one here
        own_id = secrets.token_hex()
    return "02" + hashlib.sha256(_SALT + f"{own_id} {meter_id}".encode()).hexdigest()[:10]


def _read(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: mac for name, mac in content.items() if isinstance(mac, str) and _MAC.fullmatch(mac)}
