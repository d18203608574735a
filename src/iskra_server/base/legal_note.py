"""What every report says that somebody may be billed from, by language."""

LEGAL_NOTE = {
    "en": "Readings by an optical head: not for legal billing where calibration law asks for verified values.",
    "de": "Nicht eichrechtskonform: mit einem optischen Lesekopf ausgelesen, nicht für Abrechnungen, für die das "
    "Eichrecht geeichte Messwerte verlangt.",
}
