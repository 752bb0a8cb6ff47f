"""What every lease store and lock provider promises."""
