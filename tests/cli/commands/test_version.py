from command import Run
from iskra_server import __version__


def test_version(run: Run) -> None:
    done = run("version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"iskra-server {__version__}\n", "")
