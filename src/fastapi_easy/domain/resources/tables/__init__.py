"""What the table of a class has besides fields: columns that are none, and entities of other classes."""
