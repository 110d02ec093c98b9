"""Image quality: what is wrong with a camera's picture. Pure functions of arrays."""
