"""Whatever a client sends to a Shelly: its answer is a frame or a result, or there is none."""

import asyncio
import json
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from emulating import CLIENT, MAC, GridMeter, grid_reading
from iskra_server.outputs.emulation.http_listener import DeviceRequest
from iskra_server.outputs.emulation.shelly_http import ShellyHttp
from iskra_server.outputs.emulation.shelly_identity import EM_GEN3, PRO_3EM, ShellyIdentity
from iskra_server.outputs.emulation.shelly_methods import Methods, ShellyMoment
from iskra_server.outputs.emulation.shelly_rpc import RpcError
from iskra_server.outputs.emulation.shelly_udp import udp_answer
from trying import tries

METHODS = {
    model.component: Methods(model.component).result(
        "Shelly.ListMethods", {}, ShellyMoment(ShellyIdentity(model, MAC), None, datetime.now(UTC), 0)
    )
    for model in (PRO_3EM, EM_GEN3)
}
names = st.sampled_from(sorted({name for found in METHODS.values() for name in found["methods"]}))  # type: ignore[index]
any_name = names | names.map(str.lower) | st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
params = st.dictionaries(st.sampled_from(("id", "config", "dynamic_only", "x")), values, max_size=3)
frames = st.fixed_dictionaries(
    {"method": any_name | values}, optional={"id": values, "src": values, "params": params | values}
)
bodies = frames.map(lambda frame: json.dumps(frame).encode()) | params.map(lambda made: json.dumps(made).encode())
anything = bodies | st.binary(max_size=60) | bodies.map(lambda data: data[:-1])


@tries(0.3)
@given(any_name, params)
def test_every_method_has_a_result_or_an_error(name: str, given_params: dict[str, object]) -> None:
    for model in (PRO_3EM, EM_GEN3):
        for reading in (None, grid_reading()):
            moment = ShellyMoment(ShellyIdentity(model, MAC), reading, datetime.now(UTC), 1.0)
            result = Methods(model.component).result(name, given_params, moment)
            assert result is None or isinstance(result, RpcError | dict)
            json.loads(msgspec.json.encode(result))


@tries(0.3)
@given(anything)
def test_datagrams_and_bodies(data: bytes) -> None:
    async def ask() -> None:
        meter = GridMeter()
        meter.send_power(412)
        device = ShellyHttp("shelly", meter.clients(), PRO_3EM, lambda: ShellyIdentity(PRO_3EM, MAC))
        datagram = await udp_answer(meter.clients(), lambda: ShellyIdentity(PRO_3EM, MAC))(data, CLIENT)
        frame = json.loads(datagram) if datagram else None
        assert frame is None or frame["src"] == f"shellypro3em-{MAC}"
        assert frame is None or {"total_act_power", "act_power"} & frame["result"].keys()
        for path in ("/rpc", "/rpc/EM.GetStatus", "/rpc/", "/rpc/x/y", "/shelly"):
            answer = await device.answer(DeviceRequest("POST", path, {}, {}, data, CLIENT))
            body = json.loads(answer.body)
            assert answer.status in (200, 404, 500) and (answer.status == 200 or body["code"])

    asyncio.run(ask())
