from pathlib import Path

from iskra_server.sources.asking import Asking, PluggedPort


def test_a_port_without_an_answer_is_asked_again_after_5_and_30_minutes_and_every_6_hours() -> None:
    asking, times = Asking(), []
    for _ in range(4):
        asking.note("silent", 0.0)
        times.append(asking.next_s)
    assert times == [300.0, 1800.0, 21_600.0, 21_600.0]
    assert asking.outcome == "silent"


def test_a_head_that_echoes_is_asked_again_after_an_hour() -> None:
    asking = Asking()
    asking.note("echo", 10.0)
    assert asking.next_s == 3610.0


def test_what_was_heard_counts_until_the_port_is_plugged_in_again(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    port = PluggedPort(str(device))
    port.asking.has_heard = True
    assert port.asking.has_heard
    other = tmp_path / "other"
    other.touch()
    device.unlink()
    other.rename(device)
    assert not port.asking.has_heard
