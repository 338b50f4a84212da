"""What a student gets back: the verdict of each check and the marker's words, never the test, the scheme or the model answer."""
from nbgrader.preprocessors import NbGraderPreprocessor

from .editions import split

SCHEME = ("=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ===")


class HideTests(NbGraderPreprocessor):
    def preprocess_cell(self, cell, resources, index):
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("locked"):
            if cell.cell_type == "code":
                cell.source = split(cell.source)[0].rstrip()
            while SCHEME[0] in cell.source:
                before, _, rest = cell.source.partition(SCHEME[0])
                cell.source = before.rstrip() + rest.partition(SCHEME[1])[2]
        return cell, resources
