"""The audit trail: who did what, chained so that nothing can be changed, removed or put in unnoticed."""
