"""Walks rounds: the machine looks first, people judge what they must, every stop has an end."""
