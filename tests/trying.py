"""How long Hypothesis tries: a few seconds in `make test`; IES_TEST_EXAMPLES=100000 tries for as long as one likes."""

import os

from hypothesis import HealthCheck, settings

FEW = 150


def seeds(count: int) -> range:
    """Seeds for what needs no search: `count` of them, more where IES_TEST_EXAMPLES asks for more."""
    return range(max(count, int(os.environ.get("IES_TEST_EXAMPLES", "0"))))


def tries(share: float = 1.0) -> settings:
    """`share` of the examples, for what takes longer each time."""
    wanted = os.environ.get("IES_TEST_EXAMPLES")
    return settings(
        max_examples=max(1, int(int(wanted or FEW) * share)),
        deadline=None,
        database=None,
        derandomize=wanted is None,
        suppress_health_check=list(HealthCheck),
    )
