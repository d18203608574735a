"""Our servers on the machine named raspberrypi.local: that of the home, and in the attic one that asks for a token."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme

from homeassistant.meter import DutchMeter
from homeassistant.network import Machine
from running import Server, serving

ATTIC_PORT = 18081


class Installed:
    """With what it keeps in its folder it is the same server after a restart. `running`: between `start` and `stop`."""

    running: Server
    # asked over HTTPS
    verify: ssl.SSLContext | None = None

    def __init__(self, machine: Machine, folder: Path, source: str) -> None:
        self._machine = machine
        self._folder = folder
        self._source = source
        self._stack = ExitStack()

    def start(self, address: str, port: int, token: str = "", **environ: str) -> None:
        """It listens at this address alone, and announces it; IES_... as keywords without their beginning."""
        given = {
            "DATA_DIR": str(self._folder),
            "SERVER_ANNOUNCE": "true",
            "SERVER_HOST": address,
            "SERVER_TOKEN": token,
        }
        self.running = self._stack.enter_context(
            serving(
                "serve",
                self._source,
                environ={f"IES_{name}": value for name, value in (given | environ).items() if value},
                verify=self.verify,
                headers={"authorization": f"Bearer {token}"} if token else {},
                within=self._machine.command,
                address=address,
                port=port,
            )
        )

    def stop(self) -> None:
        self._stack.close()

    def kill(self) -> None:
        """As a crash ends it: no word to anybody."""
        self.running.process.kill()
        self.running.process.wait()
        self.stop()


class Attic(Installed):
    """A Dutch meter and its gas meter, behind a token."""

    def __init__(self, machine: Machine, folder: Path, meter: DutchMeter) -> None:
        self.meter = meter
        self.token = "token-of-the-attic"
        # for a group alone
        self.limited_token = "token-of-a-tenant"
        self.address = machine.address
        self.port = ATTIC_PORT
        super().__init__(machine, folder, meter.url)

    def open(self) -> None:
        limited = {"TOKENS_TOKEN": self.limited_token, "TOKENS_GROUPS": "tenant:Attic"}
        self.start(self.address, self.port, self.token, **limited)

    def move(self, address: str, port: int) -> None:
        """As a router does that gives it another address."""
        self.stop()
        self.address, self.port = address, port
        self.open()

    def change_token(self, token: str) -> None:
        self.stop()
        self.token = token
        self.open()


class Cabinet(Attic):
    """The same meters behind another server, which asks for no token and has a certificate of its own."""

    def open(self) -> None:
        authority, folder = trustme.CA(), self._folder
        folder.mkdir(parents=True, exist_ok=True)
        certificate = authority.issue_cert(self.address)
        certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        self.verify = ssl.create_default_context()
        authority.configure_trust(self.verify)
        files = {"TLS_CERT": "certificate.pem", "TLS_KEY": "key.pem"}
        environ = {f"SERVER_{name}": str(folder / file) for name, file in files.items()}
        self.start(self.address, self.port, **environ)


@contextmanager
def attic(machine: Machine, folder: Path, kind: type[Attic] = Attic, port: int = ATTIC_PORT) -> Iterator[Attic]:
    meter = DutchMeter()
    made = kind(machine, folder, meter)
    made.port = port
    try:
        made.open()
        yield made
    finally:
        made.stop()
        meter.end()
