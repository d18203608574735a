"""Under which licence each source of spot prices publishes them, and who is to be named."""

LICENCES = {
    "energy-charts": "CC BY 4.0, Bundesnetzagentur | SMARD.de, energy-charts.info (Fraunhofer ISE)",
    "smard": "CC BY 4.0, Bundesnetzagentur | SMARD.de",
    "awattar": "aWATTar GmbH (awattar.de, awattar.at)",
}
