"""History to files and back: pure readers and tables here, the database only in import_plan.py and export_table.py."""
