"""Tasks sent to people in the field: opened, sent, followed by their deadlines, verified."""
