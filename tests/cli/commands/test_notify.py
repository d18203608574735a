from pathlib import Path

from command import OnTerminal, Run
from outputs.notify.receivers import receiving


def write(folder: Path, *channels: str) -> None:
    (folder / "iskra-server.toml").write_text("".join(f"[[notify]]\n{keys}\n" for keys in channels))


def test_a_test_message_goes_through_each_channel(call: Run, tmp_path: Path) -> None:
    with receiving() as receiver:
        mail = 'kind = "email"\nurl = "smtp://127.0.0.1:9"\nsender = "a@b.example"\nrecipients = "c@d.example"'
        write(tmp_path, f'url = "{receiver.url}/our-topic"\nname = "phone"\nlanguage = "de"', mail)
        done = call("notify", "test")
        assert (done.returncode, done.stderr) == (1, "")
        phone, email = done.stdout.splitlines()
        assert phone == f"phone\tntfy\t{receiver.url}\tsent (200)"
        assert email.startswith("email\temail\tsmtp://127.0.0.1:9\tsmtp://127.0.0.1:9 cannot be reached")
        (message,) = receiver.messages
        assert (message["topic"], message["title"]) == ("our-topic", "Testnachricht")
        one = call("notify", "test", "phone")
        assert (one.returncode, len(one.stdout.splitlines())) == (0, 1)


def test_a_terminal_gets_a_table(terminal: OnTerminal, tmp_path: Path) -> None:
    with receiving() as receiver:
        write(tmp_path, f'url = "{receiver.url}/our-topic"')
        shown = terminal("notify", "test")
        assert shown.end() == 0
    assert "channel" in shown.text and "sent (200)" in shown.text and "our-topic" not in shown.text


def test_what_cannot_be_tested_is_one_sentence(call: Run, tmp_path: Path) -> None:
    done = call("notify", "test")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "iskra-server: No channel is configured; write a section [[notify]] with a url.\n"
    write(tmp_path, 'url = "http://127.0.0.1:9/topic"')
    assert "'phone' is not the name of a channel; known are ntfy." in call("notify", "test", "phone").stderr
    write(tmp_path, 'url = "http://127.0.0.1:9/"')
    done = call("notify", "test")
    assert done.returncode == 2 and "notify.1.url must end with the topic" in done.stderr
