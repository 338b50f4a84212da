"""Takes the place of nbgrader's Execute: the submission runs in a sandbox, its tests are judged here.

Cells run in order. Where a test stands, what the student could see of it runs in the sandbox too, and what the student could not
see never goes there: it is taken from the instructor's edition, by the cell's name, and asks the sandbox for answers.
A cell that ends its kernel or fills its memory loses only itself: a new kernel runs the earlier cells again and goes on.
"""
import os
import time
from pathlib import Path

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Integer

from .editions import LOGIN, hidden_tests, split
from .marking import judge
from .roster import key_of, read_salt, unseen_key
from .sandbox import Kernel, KernelDied, failure


class RunInSandbox(NbGraderPreprocessor):
    cell_seconds = Float(float(os.environ.get("COURSE_CELL_SECONDS", 30)), help="longest run of one cell").tag(config=True)
    call_seconds = Float(float(os.environ.get("COURSE_CALL_SECONDS", 15)), help="longest run of one question of a test").tag(config=True)
    all_seconds = Float(300.0, help="longest run of one submission").tag(config=True)
    kernels = Integer(4, help="kernels that one submission may use up").tag(config=True)

    def preprocess(self, notebook, resources):
        about = resources["nbgrader"]
        course = Path(about["db_url"].removeprefix("sqlite:///").partition("?")[0]).parent
        name, login = about["assignment"], about["student"]
        original = course / "source" / name / f"{name}.ipynb"
        tests = hidden_tests(nbformat.v4.reads(original.read_text(encoding="utf-8")))
        salt = read_salt(course)
        run = Run(self, name, login, key_of(login, salt), unseen_key(name, salt), tests)
        try:
            run.all(notebook)
        finally:
            run.close()
        return notebook, resources


class Run:
    """One submission on its way through one or more kernels."""

    def __init__(self, limits, name, login, key, unseen, tests):
        self.limits, self.name, self.login, self.key, self.unseen, self.tests = limits, name, login, key, unseen, tests
        self.kernel, self.used, self.past = None, 0, []
        self.ends = time.monotonic() + limits.all_seconds

    def all(self, notebook):
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            marks = cell.metadata.get("nbgrader", {})
            own = marks.get("grade_id") if marks.get("grade") else None
            if LOGIN in cell.metadata.get("tags", []):
                cell.source = f"LOGIN, KEY = {self.login!r}, {self.key!r}"
            cell.outputs, cell.execution_count = [], None
            if own in self.tests:
                visible, hidden = self.tests.pop(own)  # popped: a second cell of the same name decides nothing
                cell.outputs = as_text(self.run(visible)) + self.judge(hidden, marks["points"])
            else:
                cell.outputs = self.run(split(cell.source)[0])

    def run(self, code):
        """One cell's outputs; when the kernel dies of it, the reason stands there instead."""
        if not code.strip():
            return []
        left = self.ends - time.monotonic()
        if left <= 0:
            return [failure("TimeoutError", f"the notebook as a whole ran longer than {self.limits.all_seconds:.0f} s; this cell was not run")]
        try:
            outputs = self.living().run(code, min(self.limits.cell_seconds, left))
        except KernelDied as death:
            self.close()
            return [failure("KernelDied", str(death))]
        if any(output.get("ename") == "MemoryError" for output in outputs):  # what it holds would be missing in every later cell
            self.close()
        else:
            self.past.append(code)
        return outputs

    def living(self):
        """The kernel; a new one, brought to the same state, if the last one died."""
        if self.kernel is None:
            if self.used >= self.limits.kernels:
                raise KernelDied(f"{self.used} kernels died of this notebook; no other is started")
            self.used += 1
            self.kernel = Kernel()
            self.kernel.run(f"LOGIN, KEY = {self.login!r}, {self.key!r}", self.limits.cell_seconds)
            for code in self.past:
                self.kernel.run(code, self.limits.cell_seconds)
        return self.kernel

    def ask(self, code):
        """What the far end published in answer, as text, or None."""
        try:
            outputs = self.living().run(code, min(self.limits.call_seconds, max(self.ends - time.monotonic(), 0.1)))
        except KernelDied:
            self.close()
            return None
        found = [output.data["application/x-course"] for output in outputs if "application/x-course" in output.get("data", {})]
        return found[-1] if found and isinstance(found[-1], str) else None

    def judge(self, hidden, points):
        earned, possible, lines = judge(hidden, self.ask, self.name, self.login, self.key, self.unseen)
        if possible != points:
            raise ValueError(f"{self.name}: a test says it is worth {points} points, and its checks add up to {possible}")
        return [nbformat.v4.new_output("stream", name="stdout", text="".join(f"{line}\n" for line in lines)),
                nbformat.v4.new_output("execute_result", data={"text/plain": f"{earned:g}"}, execution_count=None)]

    def close(self):
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None


def as_text(outputs):
    """The visible part's outputs, in a form that nbgrader does not take for a verdict: warnings and failures inform, the checks decide."""
    said = []
    for output in outputs:
        if output.output_type == "error":
            said.append(f"The test you could see says {output.ename}: {output.evalue}\n")
        elif output.output_type == "stream":
            said.append(output.text)
    return [nbformat.v4.new_output("stream", name="stdout", text="".join(said))] if said else []
