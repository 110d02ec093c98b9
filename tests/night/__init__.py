"""A whole night of a county on simulated cameras and a clock that runs fast."""
