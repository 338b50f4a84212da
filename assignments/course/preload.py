"""What every marking process needs, imported once: the processes are forked from one that has it."""
import nbgrader.apps.api  # noqa: F401
import nbgrader.converters.autograde  # noqa: F401

import glmref  # noqa: F401

from . import execute, feedback, gradebook, grading  # noqa: F401
