"""Video on the wire: RTSP, probes, snapshots."""
