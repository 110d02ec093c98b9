"""HTTP: the API, the pages and the live event stream."""
