"""What goes over the wire: pydantic models, one module per collection."""
