"""What a round, a night, a week or a month came to: figures, pages, sheets, signatures."""
