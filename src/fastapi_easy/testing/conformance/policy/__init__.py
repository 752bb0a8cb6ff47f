"""The suite for a user's own container: nobody reaches what its policy hides, by any operation and through any door."""
