"""`python -m live_cli` is `live-cli`."""

from live_cli.cli import main

main()
