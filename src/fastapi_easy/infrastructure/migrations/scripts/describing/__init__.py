"""Operations of scripts as changes, for rules and people."""
