"""Sound to and from cameras."""
