"""What the product talks about: plain frozen data, Protocols and errors. No I/O, no clock."""
