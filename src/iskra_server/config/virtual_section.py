"""The section of virtual meters: sums and differences of others."""

from typing import Annotated

from msgspec import Meta, Struct

# text with names between commas, which may also be written as a list
NAMES = {"names": True}


class VirtualConfig(Struct, frozen=True):
    name: Annotated[
        str,
        Meta(
            max_length=48,
            description="Name of the virtual meter, by which contracts, addresses and outputs know it. Another name is "
            "another meter.",
        ),
    ] = ""
    plus: Annotated[
        str,
        Meta(
            description="Meters that are added: their names in [[meters]], numbers or server ids, separated by commas "
            'or as a list, such as ["Z1"].',
            extra=NAMES,
        ),
    ] = ""
    minus: Annotated[
        str,
        Meta(description="Meters that are subtracted, written like plus. Empty: none.", extra=NAMES),
    ] = ""
    stale_after_s: Annotated[
        float,
        Meta(
            gt=0,
            le=60,
            description="Age in seconds from which the power of a part is too old for that of the virtual meter.",
        ),
    ] = 3.0
