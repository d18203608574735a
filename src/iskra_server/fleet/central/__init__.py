"""What runs at the central server: collectors, their database tables, queries."""
