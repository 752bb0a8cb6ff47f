"""What keeps calls to something far away from doing harm: breakers, and repetitions within a budget."""
