"""ONVIF cameras: discovery, registration, events by pull point, PTZ presets."""
