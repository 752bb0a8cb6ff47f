"""Use cases of migrations: plan, lint, apply, roll back, look, repair, adopt, write scripts."""
