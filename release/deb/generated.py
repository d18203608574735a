"""Writes what is made of the program itself: `python -m deb.generated FOLDER`, with that program on the path.

Configuration file, page for man, completions of three shells: where the package has them.
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

from deb.config_file import config_file
from deb.environment import CONFIG
from deb.man_page import man_page

COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/iskra-server",
    "zsh": "usr/share/zsh/vendor-completions/_iskra-server",
    "fish": "usr/share/fish/vendor_completions.d/iskra-server.fish",
}


ZSH_FUNCTION = "_iskra_server_completion"


def write_generated(folder: Path, time: int) -> None:
    write(folder / CONFIG.removeprefix("/"), config_file().encode())
    write(folder / "usr/share/man/man1/iskra-server.1.gz", compressed(man_page(time)))
    for shell, name in COMPLETIONS.items():
        write(folder / name, completion(shell).encode())


def completion(shell: str) -> str:
    """The script that asks the program itself."""
    script = subprocess.run(
        [sys.executable, "-m", "iskra_server"],
        env=os.environ | {"_ISKRA_SERVER_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # zsh looks at the first line, loads such a file at the first Tab, and runs it for an answer
    return f'{script}\n{ZSH_FUNCTION} "$@"\n' if shell == "zsh" else f"{script}\n"


def compressed(text: str) -> bytes:
    """Without a time in it."""
    return gzip.compress(text.encode(), mtime=0)


def write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    write_generated(Path(sys.argv[1]), int(os.environ["SOURCE_DATE_EPOCH"]))
