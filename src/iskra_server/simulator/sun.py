"""The power of a photovoltaic roof on a day: height of the sun, and clouds.

The sun follows season and hour at 50.5 degrees north, 10 degrees east. The sky of each day is
random: clear, broken or overcast, more often overcast in winter.
"""

from math import asin, cos, pi, radians, sin, sqrt, tan
from random import Random

LATITUDE = radians(50.5)
TILT_OF_THE_EARTH = radians(23.44)
YEAR_D = 365.2425
EQUINOX_D = 80
# the sun is highest at 12:20 of central European standard time
NOON_S = 12 * 3600 + 20 * 60
STEP_S = 300
# output relative to the rated power, under a high, clear sun
EFFICIENCY = 0.95


def generation(day: int, peak_w: int, chance: Random) -> list[tuple[int, int, int]]:
    """(start, end, power in mW) between sunrise and sunset; seconds of the day, steps of five minutes."""
    if peak_w == 0:
        return []
    declination = asin(sin(TILT_OF_THE_EARTH) * sin(2 * pi * (day % YEAR_D - EQUINOX_D) / YEAR_D))
    high, wide = sin(LATITUDE) * sin(declination), cos(LATITUDE) * cos(declination)
    steps = int(half_day_s(declination)) // STEP_S
    sky = _sky(chance, summer=declination / TILT_OF_THE_EARTH)
    gusts, drift = 2.4 * sky * (1 - sky), 0.0
    power = []
    for start in range(NOON_S - steps * STEP_S, NOON_S + steps * STEP_S, STEP_S):
        drift += 0.35 * (chance.random() - 0.5 - drift)
        height = max(0.0, high + wide * cos(2 * pi * (start + STEP_S / 2 - NOON_S) / 86_400))
        light = EFFICIENCY * height * sqrt(sqrt(height)) * min(1.0, max(0.06, sky + 2 * gusts * drift))
        power.append((start, start + STEP_S, int(peak_w * light) * 1000))
    return power


def half_day_s(declination: float) -> float:
    """From noon to sunset, in seconds."""
    # cos(hour angle) = -tan(latitude) tan(declination), and asin(x) is its distance from six o'clock
    return 86_400 * (0.25 + asin(tan(LATITUDE) * tan(declination)) / (2 * pi))


def _sky(chance: Random, summer: float) -> float:
    """Share of the sunlight that reaches the roof, 0..1; `summer` from -1 (winter) to 1."""
    return 0.1 + 0.9 * float(chance.random() ** (1.1 - 0.6 * summer))
