"""Brokers that want a password, or TLS and certificates of their clients; what they need lies beside them."""

import hashlib
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from outputs.mqtt.broker import Mosquitto

CA, READER = "ca.pem", "reader.pem"


@contextmanager
def secured(folder: Path) -> Iterator[Mosquitto]:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "broker.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "broker.pem")
    authority.cert_pem.write_to_path(folder / CA)
    authority.issue_cert("reader").private_key_and_cert_chain_pem.write_to_path(folder / READER)
    made = Mosquitto(
        folder,
        f"cafile {folder / CA}",
        f"certfile {folder / 'broker.pem'}",
        f"keyfile {folder / 'broker.key'}",
        "require_certificate true",
    ).start()
    try:
        yield made
    finally:
        made.kill()


@contextmanager
def guarded(folder: Path, user: str, password: str) -> Iterator[Mosquitto]:
    """A broker with one user."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    line = f"{user}:$7$101${b64encode(salt).decode()}${b64encode(key).decode()}\n"
    (folder / "passwords").write_text(line)
    made = Mosquitto(folder, f"password_file {folder / 'passwords'}", anonymous=False).start()
    try:
        yield made
    finally:
        made.kill()
