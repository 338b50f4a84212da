"""What each assignment's tests are worth on one's own data, and one plausible mistake with the points that remain."""

MACHINE, HAND = 15, 5     # points of every assignment: by machine, by a person

# points that depend on one's own data: a neighbour's numbers must not earn them
OWN = {
    "a1_components": 4 + 2,
    "a2_family": 4 + 2,
    "a3_counts": 4 + 2,
    "a4_likelihood": 4 + 2,
    "a5_irls": 4 + 2,
    "a6_information": 4 + 2,
    "a7_clusters": 4 + 2,
    "a8_sandwich": 4 + 2,
}

# (cell, what is right, what a student writes instead, points by machine that remain)
MISTAKES = {
    "a1_components": ("fit", ', offset="np.log(bicycles)"', "", 11),
    "a2_family": ("deviance", "2 * ((y - mu) / mu - np.log(y / mu))", "2 * (y - mu) ** 2 / mu", 11),
    "a3_counts": ("overdispersion", "(len(y) - p)", "len(y)", 11),
    "a4_likelihood": ("score", "X.T @ (y - np.exp(X @ beta))", "X.T @ (y - X @ beta)", 12),
    "a5_irls": ("step", "z = eta + (y - mu) / W", "z = (y - mu) / W", 6),
    "a6_information": ("information", "trials * mu * (1 - mu)", "mu * (1 - mu)", 11),
    "a7_clusters": ("whiten", "(1 + (m - 1) * alpha)", "(1 + m * alpha)", 11),
    "a8_sandwich": ("meat", "np.outer(u, u)", "np.diag(u**2)", 11),
}
