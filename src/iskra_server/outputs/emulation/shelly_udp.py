"""A Shelly that is asked by UDP, as the batteries of Marstek and Solakon do: the power, and nothing else.

Each datagram is answered by the whole status (about 530 bytes) and not by the power alone: on a LAN cable Marstek's
Venus is said to ignore an answer below 250 bytes, and all others read it just as well.
Silence for everything else, and while there is no current reading: the battery follows its own rule then.
"""

from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.shelly_identity import Identify
from iskra_server.outputs.emulation.shelly_measurements import em1_status, em_status
from iskra_server.outputs.emulation.shelly_rpc import answered, parsed
from iskra_server.outputs.emulation.udp_listener import Answer

_STATUSES = {"em.getstatus": em_status, "em1.getstatus": em1_status}


def udp_answer(clients: Clients, identify: Identify) -> Answer:
    """What answers a datagram of a client."""

    async def answer(data: bytes, client: str) -> bytes | None:
        request = parsed(data)
        if request is None or (status := _STATUSES.get(request.method.lower())) is None:
            return None
        reading = await clients.reading_for(client)
        identity = identify()
        if reading is None or identity is None:
            return None
        return answered(identity.id, request, status(reading, typical=identity.typical))

    return answer
