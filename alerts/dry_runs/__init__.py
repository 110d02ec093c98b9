"""What a rule would have concluded from the past."""
