"""Tells where two servers use one data folder: they would be one server to Home Assistant, and write one history."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from iskra_server.config import Config
from iskra_server.history.store.location import expand_folder
from iskra_server.runtime.server_id import is_simulated

log = logging.getLogger(__name__)


@contextmanager
def data_folder_in_use(config: Config, address: str) -> Iterator[None]:
    """Locks a file of the folder, in which it writes where this server is; a demonstration has one of its own.

    Where another server has the lock, a warning says so. A folder that cannot be written is told by the history.
    """
    with ExitStack() as stack:
        try:
            folder = expand_folder(config.history.data_dir)
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / ("simulated-server.lock" if is_simulated(config) else "server.lock")
            opened = stack.enter_context(file.open("a+"))
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                opened.seek(0)
                log.warning(
                    "Another iskra-server uses the data folder %s too (%s): Home Assistant and brokers take both for "
                    "one, and both write one history. Stop one of them, or give one its own folder with IES_DATA_DIR. "
                    "For several meters, name all of them to one server.",
                    folder,
                    opened.read(200).strip() or "it is starting",
                )
            else:
                opened.truncate(0)
                opened.write(f"{address}\n")
                opened.flush()
        except (OSError, ValueError) as error:
            log.debug("The data folder is not locked: %s", error)
        yield
