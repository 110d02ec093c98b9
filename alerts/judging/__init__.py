"""Judges what is stored by the rules, and opens, folds and closes alerts."""
