import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from iskra_server.fleet.central.broker_accounts import account_line, has_account, new_password, write_account


def test_passwords_are_random_and_need_no_quotes() -> None:
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    assert all(len(password) == 32 and password.isalnum() and password.isascii() for password in passwords)


def test_an_account_is_added_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    others = "collector:$7$101$a$b\nhouse-70:$7$101$c$d\n"
    file.write_text(others)
    file.chmod(0o640)
    assert not has_account(file, "house-7")
    write_account(file, "house-7", "one")
    first = file.read_text()
    assert first.startswith(others)
    assert has_account(file, "house-7")
    write_account(file, "house-7", "two")
    second = file.read_text()
    assert second.startswith(others)
    assert (second.count("\n"), second == first) == (3, False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["passwords"]


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_account(tmp_path / "passwords", "house-7", "one")
    assert list(tmp_path.iterdir()) == []


def test_mosquitto_passwd_knows_the_lines(tmp_path: Path) -> None:
    """It reads the file to take an account out, and leaves a line that it does not know."""
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed (deploy/debian-test-packages.txt)")
    file = tmp_path / "passwords"
    file.write_text(account_line("house-7", "one") + account_line("house-8", "two"))
    subprocess.run([program, "-D", file, "house-7"], check=True)
    assert [line.partition(":")[0] for line in file.read_text().splitlines()] == ["house-8"]
