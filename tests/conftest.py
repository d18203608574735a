"""How the tests are shared out between processes: a file to one of them, and the longest first; what holds for all."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from history.postgres import Postgres, running
from iskra_server.history.store.store import Store

# the files of one home, of one Docker engine
_TOGETHER = ("tests/homeassistant/", "tests/deploy/test_docker")
_LONGEST = ("tests/homeassistant/", "tests/faults/", "tests/web/browser/", "tests/deploy/", "tests/fleet/")


# a machine that is busy is no fault of what is tested; and what is tried is the same everywhere, unless more is wanted
settings.register_profile(
    "the same everywhere",
    deadline=None,
    derandomize="IES_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("the same everywhere")


class Shares(LoadFileScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return next((files for files in _TOGETHER if nodeid.startswith(files)), nodeid.partition("::")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "TEST_SLOW" not in os.environ:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip("runs in make test-all"))
    items.sort(key=lambda item: next((at for at, name in enumerate(_LONGEST) if item.nodeid.startswith(name)), 99))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., None]) -> Shares:
    return Shares(config, log)


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a server keeps beside its data directory is none of the user's."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB; skips where mounting is not allowed."""
    with mounted(tmp_path / "disk", "64k") as folder:
        yield folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; skips where mounting is not allowed."""
    with mounted(tmp_path / "disk", "1m") as folder:
        yield folder


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as postgres:
        yield postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database; of one with the newest schema for a test that has it open as `store`."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/iskra.sqlite"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.migrated() if "store" in request.fixturenames else postgres.database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    store = Store(address)
    yield store
    store.close()
