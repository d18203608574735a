from iskra_server.sources.idle_limit import MAX_IDLE_S, IdleLimit


def test_a_meter_that_sends_rarely_is_learned_and_an_outage_is_forgotten() -> None:
    limit = IdleLimit(120.0)
    for second in (0.0, 1.0, 61.0):
        limit.note_read(second)
        assert limit.seconds == 120.0
    # a telegram every 15 minutes, in 50 pieces
    now_s = 61.0
    for _ in range(4):
        now_s += 900.0
        for piece in range(50):
            limit.note_read(now_s + piece / 1000)
        assert 1700.0 < limit.seconds <= 1800.0
    limit.note_read(now_s + 86_400.0)
    assert limit.seconds == MAX_IDLE_S
    for second in range(3000):
        limit.note_read(now_s + 86_401.0 + second)
    assert limit.seconds == 120.0
