"""`version`"""

from iskra_server import __version__
from iskra_server.cli.ui.options import single

app = single()


@app.command()
def version() -> None:
    """Print the version."""
    print(f"iskra-server {__version__}")
