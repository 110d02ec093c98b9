"""One file per way out to people."""
