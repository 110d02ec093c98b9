"""Which devices work: probes, status and outages."""
