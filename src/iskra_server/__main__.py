"""`python -m iskra_server`, and what the installed `iskra-server` calls."""

import os
import signal
import sys

# they read their configuration again at SIGHUP
_RELOADING = ("serve", "demo")


def main() -> None:
    """Run the command line; ends the process."""
    # until the server can take SIGHUP, it would end the process; the imports take seconds on a small computer
    if sys.argv[1:2] and sys.argv[1] in _RELOADING and not os.isatty(0):
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
    from iskra_server.cli import main as run_command  # noqa: PLC0415

    run_command()


if __name__ == "__main__":
    main()
