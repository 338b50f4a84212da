"""What each assignment's tests are worth on one's own data, and one plausible mistake with the points that remain."""

MACHINE, HAND = 15, 5     # points of every assignment: by machine, by a person

# points that depend on one's own data: a neighbour's numbers must not earn them
OWN = {
    "a5_irls": 4 + 2,
}

# (cell, what is right, what a student writes instead, points by machine that remain)
MISTAKES = {
    "a5_irls": ("step", "z = eta + (y - mu) / W", "z = (y - mu) / W", 6),
}
