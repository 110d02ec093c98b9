"""The hub: what joins devices, events, alerts and patrols into one product."""
