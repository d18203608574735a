from diagnosis.well import facts


def test_noise_between_telegrams_does_not_count_against_the_head() -> None:
    assert facts().valid_ratio == 0.99
    assert facts(telegrams=0, faults={"noise": 9}).valid_ratio is None
