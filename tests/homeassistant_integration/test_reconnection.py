from homeassistant_integration.pure import module

reconnection = module("reconnection")


def delays(*streams_s: float | None) -> list[float]:
    """Before each next attempt; None for an attempt that reached nobody."""
    tried, now_s, found = reconnection.Reconnection(), 1000.0, []
    for stream_s in streams_s:
        if stream_s is not None:
            tried.on_arrival(now_s)
            now_s += stream_s
            tried.on_arrival(now_s)
        found.append(tried.delay_s(now_s))
    return found


def test_a_reload_of_the_server_costs_no_pause() -> None:
    assert delays(3600, 3600, 15) == [0, 0, 0]


def test_streams_that_end_at_once_are_never_followed_without_a_pause() -> None:
    assert delays(0, 0.1, 5, 0, 0, 0, 0) == [0, 4, 8, 16, 32, 60, 60]


def test_a_server_that_is_away_is_asked_less_and_less_often() -> None:
    assert delays(3600, None, None, None) == [0, 4, 8, 16]
    assert delays(None, None, 3600, None) == [0, 4, 0, 4]
