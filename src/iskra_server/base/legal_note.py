"""What every report says that somebody may be billed from, by language."""

LEGAL_NOTE = {
    "en": "Read over the meter's interface: not for legal billing where calibration law asks for verified values.",
    "de": "Nicht eichrechtskonform: über die Schnittstelle des Zählers ausgelesen, nicht für Abrechnungen, für die "
    "das Eichrecht geeichte Messwerte verlangt.",
}
