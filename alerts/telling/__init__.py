"""Who is told, in which words, and how that reaches them."""
