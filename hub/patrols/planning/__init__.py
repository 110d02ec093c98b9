"""What a patrol plan asks for: when, which stops, in which order, by whom, and does it fit."""
