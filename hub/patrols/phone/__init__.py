"""What people do on a phone without an account: links bound to one matter, photos, positions."""
