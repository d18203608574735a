from iskra_server.web.http.settings import Settings


def test_every_telegram_is_shown_unless_told_otherwise() -> None:
    assert Settings(version="1.2.3").readout_interval_s == 0


def test_days_begin_at_midnight_utc_unless_told_otherwise() -> None:
    assert Settings(version="1.2.3").tz == "UTC"
