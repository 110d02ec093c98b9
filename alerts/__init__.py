"""What rules conclude from events, and how people are told."""
