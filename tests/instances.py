"""Every family and link of the package, one or a few instances each, for the tests that enumerate them."""

from glmref import families, links


def concrete(cls):
    """The classes from cls down that can be made: those with a name, which no abstract class has."""
    below = [found for sub in cls.__subclasses__() for found in concrete(sub)]
    return ([cls] if hasattr(cls, "name") else []) + below


def instances(base, chosen):
    """Instances of all the package's classes of that base: those chosen, else the one made without arguments."""
    package = base.__module__.rsplit(".", 1)[0] + "."
    classes = [cls for cls in concrete(base) if cls.__module__.startswith(package)]
    return [instance for cls in classes for instance in (chosen[cls] if cls in chosen else [cls()])]


# A parametrized class that is missing here shows itself: made without arguments, it has no variance function.
EVERY_FAMILY = instances(
    families.Family,
    {
        families.NegativeBinomial: [families.NegativeBinomial(alpha) for alpha in (0, 1e-12, 1e-3, 0.7, 40)],
        families.Tweedie: [families.Tweedie(power) for power in (0, 1, 1.15, 1.5, 1.9, 2, 2.3, 3, 4.2)],
    },
)
EVERY_LINK = instances(
    links.Link,
    {
        links.Power: [links.Power(k) for k in (-1.5, 1 / 3, 1, 2)],
        links.NegativeBinomial: [links.NegativeBinomial(alpha) for alpha in (1e-8, 0.7, 40)],
    },
)
