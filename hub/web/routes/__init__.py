"""One module per collection of the API; each route names the permission it asks for."""
