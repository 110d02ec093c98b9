"""The only SQL in the product: pool, migrations and one repository module per table family."""
