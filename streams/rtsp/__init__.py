"""RTSP 1.0 (RFC 2326): pure parsers and builders, and an asyncio client over TCP interleaved."""
