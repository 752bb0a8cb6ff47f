"""How risky steps are: what plans ask of rules, and what the rules answer."""
