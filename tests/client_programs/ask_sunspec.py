"""pysunspec2, the library of the SunSpec Alliance: finds and reads the models of a device at PORT and UNIT."""

import json
import sys
from typing import Any

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP  # type: ignore[import-not-found]


def ask(port: int, unit: int) -> dict[str, Any]:
    device = SunSpecModbusClientDeviceTCP(slave_id=unit, ipaddr="127.0.0.1", ipport=port, timeout=20)
    try:
        device.scan()
        return {
            str(number): {name: point.cvalue for name, point in model.points.items()}
            for number, (model,) in device.models.items()
            if isinstance(number, int)
        }
    finally:
        device.close()


if __name__ == "__main__":
    print(json.dumps(ask(int(sys.argv[1]), int(sys.argv[2]))))
