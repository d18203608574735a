"""`demo` is `serve` with a simulated meter; that it serves is shown in test_serve.py."""

from command import Run


def test_demo_names_its_limits(run: Run) -> None:
    done = run("demo", "--rate", "0")
    assert done.returncode == 2
    assert "--rate" in done.stderr
