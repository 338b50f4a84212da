"""nbgrader's settings for this course, in one place. A course folder's nbgrader_config.py calls `configure`."""
import os
import sys
import warnings
from pathlib import Path

from .editions import STUB


def shared(c):
    """What making an edition needs, with or without a course folder."""
    c.ClearSolutions.code_stub = {"python": STUB}
    c.ClearSolutions.text_stub = "*Your answer goes here.*"
    c.ClearMarkScheme.enforce_metadata = False     # our schemes stand in locked questions, above the answer they judge
    return c


def configure(c, root):
    from nbgrader.preprocessors import (AssignLatePenalties, CheckCellMetadata, ClearOutput, DeduplicateIds, GetGrades, LimitOutput, OverwriteCells,
                                        OverwriteKernelspec, SaveAutoGrades)

    from .execute import RunInSandbox
    from .feedback import HideTests
    from .repair import Disarm, PutBack

    root, programs = Path(root).resolve(), f"{sys.prefix}/bin"
    if programs not in os.environ["PATH"].split(os.pathsep):   # nbgrader calls alembic by its name alone
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    warnings.filterwarnings("ignore", module=r"nbgrader\.")    # its own use of SQLAlchemy, which we cannot mend
    shared(c)
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = os.environ.get("COURSE_ID", "glm")
    c.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db?timeout=120"   # several markers write to one file
    c.Exchange.root = os.environ.get("COURSE_EXCHANGE", "/srv/nbgrader/exchange")
    c.Autograde.sanitize_preprocessors = [ClearOutput, DeduplicateIds, OverwriteKernelspec, PutBack, OverwriteCells, Disarm, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [RunInSandbox, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
    c.GenerateFeedback.preprocessors = [HideTests, GetGrades, "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]
    c.HTMLExporter.sanitize_html = True            # besides repair.Disarm: no script of a submission runs in a marker's browser
    return c
