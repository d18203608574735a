"""The completions of the Debian package, as the shells load them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deb.generated import COMPLETIONS, completion
from running import COMMAND

ENVIRONMENT = os.environ | {"PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"}


def answer(*command: str) -> str:
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each under the name that it has in the package."""
    folder = tmp_path_factory.mktemp("completions")
    files = {shell: folder / Path(name).name for shell, name in COMPLETIONS.items()}
    for shell, file in files.items():
        file.write_text(completion(shell))
    return files


def test_bash(scripts: dict[str, Path]) -> None:
    call = "COMP_WORDS=(iskra-server de) COMP_CWORD=1; _iskra_server_completion iskra-server"
    assert answer("bash", "-c", f'. {scripts["bash"]}; {call}; echo "${{COMPREPLY[@]}}"') == "demo decode\n"


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish(scripts: dict[str, Path]) -> None:
    found = answer("fish", "--no-config", "--command", f"source {scripts['fish']}; complete -C 'iskra-server de'")
    assert [line.partition("\t")[0] for line in found.splitlines()] == ["decode", "demo"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_finds_it(scripts: dict[str, Path]) -> None:
    folder = scripts["zsh"].parent
    find = f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d {folder}/dump; echo $_comps[iskra-server]"
    assert answer("zsh", "-f", "-c", find) == "_iskra-server\n"


def test_zsh_gets_its_mark_first_and_an_answer_last(scripts: dict[str, Path]) -> None:
    lines = scripts["zsh"].read_text().splitlines()
    assert (lines[0], lines[-1]) == ("#compdef iskra-server", '_iskra_server_completion "$@"')
