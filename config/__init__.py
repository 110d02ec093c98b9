"""The settings file: its schema and its loader."""
