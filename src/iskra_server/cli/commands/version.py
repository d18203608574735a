"""`version`: print the version, and the commit that it was built from."""

from iskra_server.base.build import full_version, read_build
from iskra_server.cli.ui.options import command_app

app = command_app()


@app.command()
def version() -> None:
    """Print the version."""
    print(f"iskra-server {full_version(read_build())}")
