"""Live video: one pull a stream, remuxed without decoding, handed to all who watch."""
