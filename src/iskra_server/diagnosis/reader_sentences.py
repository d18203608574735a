"""Sentences about a reader that its central server says: what it knows beside the faults that the reader reports.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "reader_well": (
        "All sources are read.",
        "",
        "Alle Quellen werden gelesen.",
        ""),
    "reader_unheard": (
        "It has sent no status yet.",
        "",
        "Es hat noch keinen Zustand gemeldet.",
        ""),
    "reader_disconnected": (
        "The reader is not connected to the broker.",
        "Check its power and its network.",
        "Das Lesegerät ist nicht mit dem Broker verbunden.",
        "Prüfen Sie seine Stromversorgung und sein Netzwerk."),
    "reader_name": (
        "Two readers are named {name}, and one of them has to wait.",
        "Give each its own uplink.reader.",
        "Zwei Lesegeräte heißen {name}, und eines davon muss warten.",
        "Geben Sie jedem einen eigenen Namen (uplink.reader)."),
    "reader_ahead": (
        "Its clock is {seconds} s ahead of that of the central server, so its quarter-hours begin at the wrong moments.",
        "Let it set its clock over the network: timedatectl set-ntp true.",
        "Seine Uhr geht gegenüber der Zentrale {seconds} s vor; deshalb beginnen seine Viertelstunden zur falschen Zeit.",
        "Lassen Sie seine Uhr über das Netzwerk stellen: timedatectl set-ntp true."),
    "reader_behind": (
        "Its clock is {seconds} s behind that of the central server, so its quarter-hours begin at the wrong moments.",
        "Let it set its clock over the network: timedatectl set-ntp true.",
        "Seine Uhr geht gegenüber der Zentrale {seconds} s nach; deshalb beginnen seine Viertelstunden zur falschen Zeit.",
        "Lassen Sie seine Uhr über das Netzwerk stellen: timedatectl set-ntp true."),
}
# fmt: on
