"""Changes to entities: values, versions, events and the rows written beside them."""
