"""Text on the terminal is what it is: no command makes a console of its own, which would look for markup in it."""

import io
import re
from pathlib import Path

import pytest
from rich.table import Table

import iskra_server.cli
from iskra_server.cli.ui.console import text_console

ID = "[bold]1 [ISK] 00[/bold] :heart: 12345678"


def test_text_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    console, shown = text_console(width=80), io.StringIO()
    monkeypatch.setattr(console, "file", shown)
    table = Table("meter", title=ID)
    table.add_row(ID)
    console.print(ID, table)
    assert shown.getvalue().count(ID) == 3


def test_every_command_prints_with_it() -> None:
    modules = Path(iskra_server.cli.__file__).parent.rglob("*.py")
    others = [
        path.name for path in modules if re.search(r"\bConsole\(|from_markup|rich import print", path.read_text())
    ]
    assert others == ["console.py"]
