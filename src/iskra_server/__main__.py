"""`python -m iskra_server` is `iskra-server`."""

from iskra_server.cli import main

main()
