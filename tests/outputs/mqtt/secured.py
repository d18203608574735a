"""A broker with TLS that wants certificates of its clients; what they need lies beside it."""

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
