"""Every family and link of the package, one or a few instances each, for the tests that enumerate them."""

from glmref import families, links


def leaves(cls):
    """The classes below cls that have none below them."""
    below = cls.__subclasses__()
    return [cls] if not below else [leaf for sub in below for leaf in leaves(sub)]


def instances(base, chosen):
    """Instances of all the package's leaves of base: those chosen, else the one made without arguments."""
    package = base.__module__.rsplit(".", 1)[0] + "."
    classes = [cls for cls in leaves(base) if cls.__module__.startswith(package)]
    return [instance for cls in classes for instance in (chosen[cls] if cls in chosen else [cls()])]


EVERY_FAMILY = instances(families.Family, {})
EVERY_LINK = instances(links.Link, {links.Power: [links.Power(k) for k in (-1.5, 1 / 3, 1, 2)]})
