"""Operations whose answer, or whose question, is a stream."""
