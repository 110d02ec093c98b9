"""Sensors and gateways over MQTT 5 and 3.1.1, in our own topic convention."""
