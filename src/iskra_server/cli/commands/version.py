"""`version`: print the version."""

from iskra_server import __version__
from iskra_server.cli.ui.options import command_app

app = command_app()


@app.command()
def version() -> None:
    """Print the version."""
    print(f"iskra-server {__version__}")
