"""What rules conclude. Pure: an observation in, a transition and its reason out."""
