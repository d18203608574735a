"""What history could not write waits on the disk, and comes back once."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from history.entries import METER, OTHER, block, epoch, power, quarter_reading
from iskra_server.history.model.records import MeterInfo, Record
from iskra_server.history.recording.history_spool import HistorySpool
from iskra_server.history.recording.pending_records import PendingBatch
from iskra_server.history.recording.spool_lines import lines_of_records, lines_of_samples
from iskra_server.history.recording.waiting_samples import WaitingSample
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register, Sample
from samples import SERVER_ID, energy, sample
from samples import power as power_register

LEDGER = (quarter_reading(), power(), epoch(), epoch(2, before=quarter_reading().value))


def waiting(*entries: tuple[Sample, bool]) -> tuple[WaitingSample, ...]:
    return tuple(WaitingSample(*entry) for entry in entries)


def opened(*places: Path) -> HistorySpool:
    spool = HistorySpool(places)
    spool.open()
    return spool


def kept(*places: Path, ledger: Sequence[Record] = LEDGER, samples: Sequence[Sample] = ()) -> None:
    """As an earlier run has left it."""
    spool = opened(*places)
    spool.append(
        PendingBatch(tuple(ledger), (block(),), (METER, OTHER), samples=waiting(*((each, True) for each in samples)))
    )
    spool.close()


def written(spool: HistorySpool) -> tuple[list[Record], list[MeterInfo]]:
    records: list[Record] = []
    meters: list[MeterInfo] = []

    def write(some: Sequence[Record], of: Sequence[MeterInfo]) -> None:
        records.extend(some)
        meters.extend(of)

    spool.replay(write)
    return records, meters


def test_every_kind_of_record_comes_back_once_with_its_meters(tmp_path: Path) -> None:
    kept(tmp_path)
    spool = opened(tmp_path)
    assert (spool.records, spool.telegrams, spool.used_places) == (len(LEDGER), 60, [tmp_path])
    assert written(spool) == ([*LEDGER, block()], [METER, OTHER] * 2)
    assert (spool.records, spool.telegrams, spool.used_places) == (0, 0, [])
    assert written(spool) == ([], [])


# as an earlier version wrote them: the names on the disk stay
WRITTEN = {
    "ledger": '{"boundary":{"meter_id":"1 ISK 00 12345678","obis":"1-0:1.8.0*255","quarter":1959784,'
    '"value":{"raw":107323091,"scaler":-1},"quality":"measured","epoch":0}}',
    "points": '{"block":{"meter_id":"1 ISK 00 12345678","first_s":1763805600,"last_s":1763805659,"count":60,'
    '"octets":"AAEC","min_mw":null,"mean_mw":null,"max_mw":null}}',
    "samples": '{"sample":{"reading":{"meter_id":"1 ISK 00 12345678","server_id":"CQFJU0sAALxhTg==","registers":'
    '[{"obis":"1-0:1.8.0*255","raw":5,"scaler":-1,"unit":30,"status":386,"time":null,"derived":""}],'
    '"meter_time":null,"protocol":"sml","octets":300,"widths":"","part":0},"received_at":"2026-11-22T10:00:00Z",'
    '"monotonic_s":0.0,"simulated":false,"source":"test","epoch":0,"holds_fine":false,"is_dated":true},"boot":"x"}',
}


def test_lines_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    for kind, line in WRITTEN.items():
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "00000001.lines").write_text(f"{line}\n")
    spool = opened(tmp_path)
    assert (spool.records, spool.telegrams, len(spool.read_samples()), spool.dropped) == (1, 60, 1, (0, 0))
    assert written(spool)[0] == [quarter_reading(), block()]


def test_lines_are_written_in_the_form_of_earlier_versions() -> None:
    assert lines_of_records([], [quarter_reading()]) == [f"{WRITTEN['ledger']}\n".encode()]
    assert lines_of_records([], [block(data=b"\0\1\2")]) == [f"{WRITTEN['points']}\n".encode()]
    untrusted = msgspec.json.decode(lines_of_samples(waiting((sample(energy(5), at_s=0.0), False)), "x")[0])
    # an earlier version ignores what it does not know
    for added in ("factor", "earlier", "waited_s"):
        del untrusted["sample"][added]
    for added in ("channel", "protection", "has_unchecked_tag", "repeated"):
        del untrusted["sample"]["reading"][added]
    assert untrusted == msgspec.json.decode(WRITTEN["samples"]) | {"believed": False}


def test_a_meter_is_named_once_a_segment(tmp_path: Path) -> None:
    """PostgreSQL takes a row once in a statement."""
    spool = opened(tmp_path)
    for at_s in (50, 20, 70):
        spool.append(PendingBatch((quarter_reading(at_s),), (), (replace(METER, first_s=at_s, last_s=at_s),)))
    assert written(spool)[1] == [replace(METER, first_s=20, last_s=70)]


def test_records_stay_when_writing_them_fails_again(tmp_path: Path) -> None:
    kept(tmp_path)

    def fail(_: object, __: object) -> None:
        raise ConnectionError

    spool = opened(tmp_path)
    with pytest.raises(ConnectionError):
        spool.replay(fail)
    assert spool.records == len(LEDGER)
    spool.close()
    assert written(opened(tmp_path))[0] == [*LEDGER, block()]


def test_the_next_place_is_used_when_the_first_fails_and_is_found_later(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    kept(file / "wrong", tmp_path / "state")
    assert written(opened(tmp_path / "right", tmp_path / "state"))[0] == [*LEDGER, block()]


def test_a_place_that_is_no_longer_configured_is_found(tmp_path: Path) -> None:
    kept(tmp_path / "before", tmp_path / "state")
    assert not (tmp_path / "state" / "ledger").exists()
    assert written(opened(tmp_path / "after", tmp_path / "state"))[0] == [*LEDGER, block()]
    assert written(opened(tmp_path / "later", tmp_path / "state")) == ([], [])


def test_a_place_of_other_meters_can_be_added(tmp_path: Path) -> None:
    """A reload has changed the meters, and the database was away until the end."""
    kept(tmp_path / "before")
    spool = HistorySpool([tmp_path / "after"])
    spool.add_places([tmp_path / "before"])
    spool.open()
    spool.append(PendingBatch((quarter_reading(7),), (), (METER,)))
    spool.close()
    assert sorted(written(opened(tmp_path / "after"))[0], key=repr) == sorted(
        [*LEDGER, block(), quarter_reading(7)], key=repr
    )


def test_a_place_that_another_process_locks_is_skipped(tmp_path: Path) -> None:
    kept(tmp_path / "shared", tmp_path / "own")
    holds = (
        "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", holds, str(tmp_path / "shared" / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        spool = opened(tmp_path / "shared", tmp_path / "own")
        assert written(spool) == ([], [])
        spool.append(PendingBatch((quarter_reading(7),), (), (METER,)))
        assert spool.used_places == [tmp_path / "own"]
        other.kill()
    spool.close()
    assert written(opened(tmp_path / "shared"))[0] == [*LEDGER, block()]


def test_an_unreadable_line_is_set_aside_and_counted_and_blocks_no_others(tmp_path: Path) -> None:
    kept(tmp_path)
    (segment,) = (tmp_path / "ledger").iterdir()
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines[:3], b'{"boundary":{"obis":"?"}}\n', *lines[3:]]))
    spool = opened(tmp_path)
    assert written(spool)[0] == [*LEDGER, block()]
    assert spool.dropped == (1, 0)
    (aside,) = (tmp_path / "ledger").glob("*.refused")
    assert b'"obis":"?"' in aside.read_bytes()


def test_samples_wait_in_order_until_they_are_removed(tmp_path: Path) -> None:
    samples = [sample(energy(1000 + k), power_register(5), at_s=float(k)) for k in range(3)]
    kept(tmp_path, samples=samples[:2])
    spool = opened(tmp_path)
    spool.append(PendingBatch((), (), (), samples=waiting((samples[2], False))))
    assert spool.read_samples() == [
        (samples[0], True),
        (samples[1], True),
        (samples[2], False),
    ]
    # one that comes meanwhile is not forgotten
    later = sample(energy(2000), at_s=9.0)
    spool.append(PendingBatch((), (), (), samples=waiting((later, True))))
    spool.remove_samples()
    assert spool.read_samples() == [(later, True)]
    assert spool.samples == 1


def test_only_the_numbers_of_a_sample_are_spooled(tmp_path: Path) -> None:
    whole = sample(Register(Obis.parse("129-129:199.130.3"), b"ISK"), energy(1000), at_s=0.0)
    kept(tmp_path, samples=[whole])
    ((found, _),) = opened(tmp_path).read_samples()
    assert found.reading.registers == (energy(1000),)
    assert (found.reading.server_id, found.received_at) == (SERVER_ID, whole.received_at)


def test_samples_of_another_boot_are_dated_by_the_wall_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    boot = tmp_path / "boot_id"
    monkeypatch.setattr("iskra_server.history.recording.history_spool._BOOT_ID", boot)
    boot.write_text("one\n")
    samples = [sample(energy(k), at_s=float(60 * k)) for k in range(2)]
    samples = [replace(each, monotonic_s=5e9) for each in samples]
    spool = opened(tmp_path / "spool")
    spool.append(
        PendingBatch(
            (),
            (),
            (),
            samples=waiting(
                (samples[0], True),
                (samples[1], True),
                (samples[1], False),
            ),
        )
    )
    spool.close()
    boot.write_text("two\n")
    again = opened(tmp_path / "spool")
    (first, _), (second, _) = again.read_samples()
    assert second.received_at - first.received_at == timedelta(seconds=60)
    assert second.monotonic_s - first.monotonic_s == pytest.approx(60, abs=1)
    # by a clock that was not believed nobody can say any more when that was
    assert again.dropped == (0, 1)
    assert "1 telegrams are lost" in caplog.text


def test_a_full_disk_is_an_error_and_loses_nothing(small_disk: Path) -> None:
    spool = opened(small_disk / "spool")
    spool.append(PendingBatch(LEDGER, (), (METER,)))
    with pytest.raises(OSError, match="No space left"):
        spool.append(PendingBatch((), (block(data=os.urandom(100_000)),), (METER,)))
    assert written(spool)[0] == list(LEDGER)


def test_above_the_limit_the_oldest_records_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iskra_server.history.recording.history_spool.LEDGER_BYTES", 600_000)
    spool = opened(tmp_path)
    for first in range(0, 10_000, 500):
        spool.append(PendingBatch(tuple(map(quarter_reading, range(first, first + 500))), (), (METER,)))
    lost, _ = spool.dropped
    records, _ = written(spool)
    assert lost > 0
    assert records == list(map(quarter_reading, range(lost, 10_000)))


def test_a_folder_of_other_meters_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ours, left, empty, running, simulated = (
        tmp_path / name for name in ("history-a", "history-b", "history-c", "history-d", "simulated-e")
    )
    for folder in (left, running, simulated):
        kept(folder)
    empty.mkdir()
    another = opened(running)
    caplog.clear()
    opened(ours).close()
    another.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"Readings wait in {left}, recorded with other meters configured: configure those again to write them."
    ]
