"""Switches, ONUs and uplinks: the parents that cameras are reached through."""
