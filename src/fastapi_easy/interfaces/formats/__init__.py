"""What every interface reads and writes: JSON, CSV, records and schemas."""
