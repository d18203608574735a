"""ShellyPy asks a Shelly of the first generation, by POST: HOST PORT. Prints what it reads."""

import json
import sys

import ShellyPy  # type: ignore[import-not-found]

if __name__ == "__main__":
    device = ShellyPy.Shelly(sys.argv[1], sys.argv[2], init=False)
    print(json.dumps([device.__generation__, device.status(), *(device.post(f"emeter/{phase}") for phase in range(3))]))
