"""Everything that Apprise reaches: chat robots and push services."""
