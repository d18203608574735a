"""The part of a fleet that runs at a reader: what it still has to send, and the connection that sends it."""
