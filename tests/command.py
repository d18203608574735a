"""The installed command, run as a user runs it: in a pipe, or on a terminal of a given width."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

COMMAND = Path(sys.executable).with_name("iskra-server")
# generous: on a busy machine a command takes many times as long
DEADLINE_S = 60.0
_MOMENT_S = 0.05

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Without the settings, home and language of whoever runs the tests, and without a word to the network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IES_")}
    own = {"HOME": str(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "error"}
    return kept | own | {"IES_SERVER_ANNOUNCE": "false"} | variables


class Terminal:
    """A command on a pseudo-terminal. `until` waits for a text, `end` for its end."""

    def __init__(self, args: list[str], folder: Path, columns: int) -> None:
        self.text = ""
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen(
            [str(COMMAND), *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, wanted: str) -> str:
        """Everything that was shown, as soon as `wanted` is part of it."""
        deadline = time.monotonic() + DEADLINE_S
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"{wanted!r} did not appear in {self.text!r}"
            assert self._more() or self.process.poll() is None, f"it ended without {wanted!r}: {self.text!r}"
        return self.text

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """The exit status, when everything is read."""
        deadline = time.monotonic() + DEADLINE_S
        while self._more() or self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.text!r}"
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _more(self) -> bool:
        """Read what is there, or what comes within a moment; a terminal does not always tell that it was left."""
        ready, _, _ = select.select([self._ours], [], [], _MOMENT_S)
        try:
            data = os.read(self._ours, 65536) if ready else b""
        except OSError:
            data = b""
        self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


OnTerminal = Callable[..., Terminal]
