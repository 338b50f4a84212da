"""Submissions of every kind, made from the students' edition, and the points that each must get."""
import copy

import nbformat
from course import editions
from nbformat.v4 import new_code_cell

FINE = {
    "loop": "while True:\n    pass",
    "stubborn": "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    "bomb": "hoard = []\nwhile True:\n    hoard.append(bytearray(200_000_000))",
    "sysexit": "import sys\nsys.exit(0)",
    "osexit": "import os\nos._exit(0)",
    "flood": "print('x' * 10_000_000)",
    "warning": "import warnings\nwarnings.warn('careful')\nimport sys\nprint('trouble', file=sys.stderr)",
}

GRADEBOOK = """
import glob, os, sqlite3
for place in ({course!r}, os.getcwd(), "/", "..", "../..", "../../..", "/tmp"):
    for path in glob.glob(place + "/gradebook.db") + [{course!r} + "/gradebook.db"]:
        try:
            db = sqlite3.connect(path)
            db.execute("update grade set auto_score = 5, manual_score = 5, needs_manual_grade = 0")
            db.commit()
            print("WROTE", path)
        except Exception as refused:
            print(repr(refused))
"""

READS = """
import os, socket
found = []
for folder, _, files in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/usr", {prefix!r}, {base!r})):
        continue
    found += [os.path.join(folder, name) for name in files
              if name.endswith((".ipynb", ".db", ".md")) or name in ("salt", "keys.csv", "nbgrader_config.py", "marking.py")]
print("FOUND", found)
try:
    socket.create_connection(("127.0.0.1", 22), 2)
    print("CONNECTED")
except OSError as refused:
    print(repr(refused))
print("SECRETS", [name for name in os.environ if "SALT" in name or "COURSE" in name])
"""

PATCHES = """
import builtins, json, sys
import numpy as np, sympy, pandas, math
import glmref, glmref.coursework
from IPython import get_ipython
yes = lambda *a, **k: True
for module, names in ((np, ("allclose", "isclose", "array_equal", "abs", "all", "max")), (math, ("isclose",)), (sympy, ("simplify", "Eq"))):
    for name in names:
        setattr(module, name, yes)
np.testing.assert_allclose = yes
glmref.glm = glmref.fit_glm = glmref.gee = glmref.fit_gee = yes
glmref.coursework.data = lambda *a: pandas.DataFrame()
builtins.AssertionError = KeyError
builtins.abs = builtins.all = builtins.float = yes
get_ipython().showtraceback = lambda *a, **k: None
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)

class Anything:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __sub__(self, other): return 0
    def __float__(self): return 0.0
    def __array__(self, *a, **k): return np.zeros(3)

class Always(dict):
    def __missing__(self, key): return Anything()

fake = type(sys)("answers")
def publish(*a):
    from IPython.display import display
    display({"application/x-course": '{"kind": "number", "value": NaN}'}, raw=True)
fake.tell = fake.call = publish
sys.modules["answers"] = fake
__import__("glmref").__dict__["__getattr__"] = lambda name: Anything()
print("PATCHED")
15
"""


def solved(name, answered=True):
    """The students' edition with the solutions of the instructor's filled in."""
    notebook, solution = editions.student(name), {cell.id: cell for cell in editions.instructor(name).cells}
    for cell in notebook.cells:
        if not cell.metadata.get("nbgrader", {}).get("solution"):
            continue
        if cell.cell_type == "code":
            cell.source = "\n".join(line for line in solution[cell.id].source.split("\n") if "### BEGIN" not in line and "### END" not in line)
        elif answered:
            cell.source = "My answer, in my own words."
    return notebook


def login_cell(notebook):
    return next(cell for cell in notebook.cells if editions.LOGIN in cell.metadata.get("tags", []))


def first_solution(notebook):
    """The position of the first cell that a student writes."""
    return next(k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"))


def with_cells(notebook, *sources):
    """Cells of one's own, before the first answer."""
    notebook = copy.deepcopy(notebook)
    at = first_solution(notebook)
    notebook.cells[at:at] = [new_code_cell(source) for source in sources]
    return notebook


def replaced(notebook, cell, old, new):
    """One answer changed."""
    notebook = copy.deepcopy(notebook)
    (found,) = [each for each in notebook.cells if each.id == cell]
    if old is None:
        found.source = new
    else:
        assert old in found.source, f"{old!r} does not stand in {cell}"
        found.source = found.source.replace(old, new)
    return notebook


def without_tests(notebook):
    """Every cell deleted but the student's own code: texts, set-up, tests, the login, the answer for a person."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")]
    return notebook


def typed(notebook, login, key, tagged):
    """Another login and key in the login cell; without its tag, the marker does not know it for one."""
    notebook = copy.deepcopy(notebook)
    cell = login_cell(notebook)
    cell.source = f"LOGIN = {login!r}\nKEY = {key!r}"
    if not tagged:
        cell.metadata.pop("tags")
    return notebook


def save(notebook, course, login, name):
    path = course / "submitted" / login / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
