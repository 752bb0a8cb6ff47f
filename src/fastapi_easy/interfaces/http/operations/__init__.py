"""One endpoint per operation of a resource."""
