import shutil
import subprocess

from iskra_server.diagnosis.central_state import CentralState, central_state, unreadable
from iskra_server.web.metrics.central import central_families
from iskra_server.web.metrics.exposition import TEXT, write
from web.metrics.central_facts import FACTS

PROMTOOL = shutil.which("promtool")


def scraped(state: CentralState) -> list[str]:
    text = write(central_families(state), TEXT).decode()
    if PROMTOOL:
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_count_of_a_central_server_is_a_metric() -> None:
    assert scraped(central_state(FACTS)) == [
        "iskra_fleet_database_up 1",
        "iskra_fleet_problems 6",
        'iskra_fleet_meters{state="heard"} 22',
        'iskra_fleet_meters{state="silent"} 2',
        'iskra_fleet_meters{state="gone"} 1',
        'iskra_fleet_readers{state="heard"} 2',
        'iskra_fleet_readers{state="silent"} 1',
        'iskra_fleet_readers{state="gone"} 0',
        "iskra_fleet_waiting_readers 1",
        "iskra_fleet_failing_readers 1",
        "iskra_fleet_clock_skew_seconds -400",
        "iskra_fleet_waiting_quarters 96",
        "iskra_fleet_refused_quarters 5",
        "iskra_fleet_conflicts 5",
        "iskra_fleet_refused_messages 4",
        "iskra_fleet_months_left 23",
        "iskra_fleet_last_message_timestamp_seconds 1794999940.0",
        "iskra_fleet_counted_timestamp_seconds 1795000000.0",
    ]


def test_without_its_database_there_is_no_count() -> None:
    assert scraped(unreadable("It is away.")) == ["iskra_fleet_database_up 0", "iskra_fleet_problems 1"]
