"""From the bytes of a source to samples on the hub: reader, reception counts, arbitration, hub."""
