"""Cameras that speak RTSP and nothing else."""
