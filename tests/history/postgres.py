"""A PostgreSQL of the tests' own, from Debian's package: on a free loopback port, stopped by its pid."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from iskra_server.history.store.store import Store
from running import DEADLINE_S, free_port

# the one user who is asked for a password
GUARDED, PASSWORD = "guarded", "kWh/1.8.0"
ACCESS = f"local all all trust\nhost all {GUARDED} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


class Postgres:
    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        # it refuses to run as root
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._has_template = False
        self.port = free_port()

    def create(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        command = [str(self._programs / "initdb"), "-A", "trust", "-U", "iskra", "--no-sync", "-D", str(self._data)]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self._folder)
        (self._data / "pg_hba.conf").write_text(ACCESS)

    def start(self, *, durable: bool = False) -> None:
        """For a benchmark it syncs its commits, and has memory as a server of its own would."""
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}"]
        settings += ["shared_buffers=1GB", "jit=off"] if durable else ["fsync=off", "full_page_writes=off"]
        options = [argument for setting in settings for argument in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *options],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise AssertionError((self._folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT cuts connections and shuts down in order, SIGQUIT drops everything."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(DEADLINE_S)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def url(self, database: str, user: str = "iskra") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def database(self) -> str:
        """The address of the one database, emptied."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("SET lock_timeout = '60s'")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url("postgres")

    def migrated(self) -> str:
        """The same with the newest schema, copied: a third of the processor time of the migrations."""
        with psycopg.connect(self.url("template1"), autocommit=True) as connection:
            if not self._has_template:
                connection.execute("CREATE DATABASE migrated")
                Store(self.url("migrated")).close()
                self._has_template = True
            connection.execute("DROP DATABASE postgres WITH (FORCE)")
            connection.execute("CREATE DATABASE postgres TEMPLATE migrated")
        return self.url("postgres")


@contextmanager
def running() -> Iterator[Postgres]:
    """Skips where Debian's PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # not in tmp_path, which no other user may enter
    with tempfile.TemporaryDirectory(prefix="iskra-postgres-") as folder:
        postgres = Postgres(found[-1].parent, Path(folder))
        postgres.create()
        try:
            postgres.start()
            postgres.run(f"CREATE USER {GUARDED} PASSWORD '{PASSWORD}'")
            yield postgres
        finally:
            postgres.stop(signal.SIGQUIT)
