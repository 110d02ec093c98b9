"""Devices of our own that speak the real protocols on loopback."""
