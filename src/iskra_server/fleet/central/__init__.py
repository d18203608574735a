"""The part of a fleet that runs at the central server: collectors, their database tables, queries."""
