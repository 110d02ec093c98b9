"""The duty-room check (点名): who was asked, who answered, when, or that nobody did."""
