"""What plans want to know of the data in relational databases before they are carried out."""
