from iskra_server.history.points.combined_power import combined_power
from iskra_server.history.points.curve import PowerValues


def every_second(first_ms: int, power_mw: list[int]) -> PowerValues:
    return PowerValues([first_ms + 1000 * place for place in range(len(power_mw))], power_mw)


def test_the_telegrams_that_are_nearest_belong_together() -> None:
    first, second = every_second(0, [1000, 2000, 3000]), every_second(200, [400, 1400, 2400])
    assert combined_power([(1, first), (-1, second)], 3.0) == PowerValues([200, 1200, 2200], [600, 600, 600])


def test_without_one_part_there_is_no_value() -> None:
    first = every_second(0, [1000] * 10)
    second = PowerValues([100, 1100, 8100, 9100], [400, 400, 300, 300])
    shown = combined_power([(1, first), (-1, second)], 3.0)
    assert shown == PowerValues([100, 1100, 8100, 9100], [600, 600, 700, 700])


def test_a_part_without_any_telegram_leaves_nothing() -> None:
    assert combined_power([(1, every_second(0, [1, 2])), (-1, PowerValues([], []))], 3.0) == PowerValues([], [])
