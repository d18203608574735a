"""Is a stale value ever answered? Many clients of all emulated devices, gaps, restarts, pauses and steps of the clock.

    python bench/stale_answers.py [--minutes N] [--clients N] [--stale S] [--gap S] [--fault-every S] [--seed N]

Each telegram has a power of its own, so that the checker (tests/control_loop/truth.py) knows of each answer which
telegram it is. The server is paused, stopped, killed and started, and its wall clock moved where libfaketime is
installed.
Exit status 1 where an answer was wrong. One is missing where there was a current telegram: a busy machine misses some.
"""

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import other_clock
from control_loop.devices import DEVICES, METERS_API
from control_loop.outage_trial import Trial, run
from control_loop.truth import LATE_S

MINUTES = 5.0
MAX_LINES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--stale", type=float, default=10.0, help="stale_after_s")
    parser.add_argument("--gap", type=float, default=30.0, help="longest gap between telegrams in seconds")
    parser.add_argument("--fault-every", type=float, default=15.0, help="longest time between two faults in seconds")
    parser.add_argument("--late", type=float, default=LATE_S, help="how late the machine may be in seconds")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # a server that is left behind would go on reading
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    trial = Trial(
        devices=(METERS_API, *DEVICES),
        length_s=options.minutes * 60,
        clients=options.clients,
        stale_after_s=options.stale,
        longest_gap_s=options.gap,
        fault_every_s=options.fault_every,
        seed=options.seed,
        late_s=options.late,
    )
    outcome = run(trial)
    truth = outcome.truth
    print(f"{options.minutes:g} minutes, {options.clients} clients; {_counts(outcome.faults)}")
    if other_clock.MISSING:
        print("the clock was not moved: libfaketime is not installed (Debian: faketime)")
    print(f"{truth.answers.total()} answers, {truth.refusals.total()} times none; limit {options.stale:g} s")
    print(f"oldest telegram in an answer: {truth.oldest_s:.2f} s when it came; wrong: {len(truth.wrong)}")
    print(f"missing although there was a current telegram: {len(truth.missing)}")
    print("".join(f"  {sentence}\n" for sentence in (*truth.wrong, *truth.missing)[:MAX_LINES]), end="")
    sys.exit(bool(truth.wrong))


def _counts(faults: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(faults.items()))


if __name__ == "__main__":
    main()
