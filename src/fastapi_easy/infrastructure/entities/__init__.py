"""What several stores need to know about entities, whatever keeps them."""
