"""One folder per protocol: each turns foreign bytes into events and knows no database."""
