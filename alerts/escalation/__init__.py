"""Alerts that nobody takes climb the area tree."""
