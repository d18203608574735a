"""History to files and back: pure readers and tables here, the database only in plan.py and load.py."""
