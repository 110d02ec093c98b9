"""What people do about alerts, and when nobody is to be told."""
