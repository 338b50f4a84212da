"""A kernel for code that nobody has read: no network, none of our files, limited memory and time.

`bwrap` (bubblewrap) gives the kernel a file system of its own, where the course does not exist. `user` serves inside a container
that is made for one submission: there, as root, we hand the kernel to a user who may read nothing of the course.
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from queue import Empty

import nbformat
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

HERE = Path(__file__).resolve().parent
GLMREF = HERE.parent.parent / "glmref"
NOBODY = 65534
MEMORY = 3 << 30       # bytes of address space
DISK = 64 << 20        # bytes of scratch files
OUTPUT = 2 << 20       # bytes of output kept of one cell
SHOWN = ("text/plain", "text/latex", "image/png", "image/jpeg", "application/x-course")   # no HTML and no script of a stranger
PATIENCE = 4           # seconds between a polite interrupt and the end
REFUSED = """No sandbox here, so nothing was run: a submission is a stranger's program.
  wanted: bubblewrap with user namespaces ({tried})
  remedy: on Debian or Ubuntu, apt-get install bubblewrap; where user namespaces are forbidden (a container, some hubs), grade
          in a container of its own, as root, with COURSE_SANDBOX=user: the coursework manual shows how."""


class KernelDied(Exception):
    """The process that ran the submission is gone, or had to be ended."""


@cache
def kind():
    """'bwrap' or 'user'; a refusal where neither can hold a stranger's program."""
    wanted = os.environ.get("COURSE_SANDBOX", "bwrap")
    if wanted == "user":
        if os.geteuid() != 0:
            sys.exit("COURSE_SANDBOX=user needs root, to hand the submission to a user who may read nothing of the course. Run it as root in a container.")
        try:
            seen = subprocess.run([sys.executable, "-c", ""], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", env={}, capture_output=True).returncode == 0
        except OSError:
            seen = False
        if not seen:
            sys.exit(f"COURSE_SANDBOX=user: the user nobody cannot run {sys.executable}: install the grader where all may read it, as under /opt.")
        return "user"
    if shutil.which("bwrap") is None:
        sys.exit(REFUSED.format(tried="bwrap is not installed"))
    trial = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    if trial.returncode:
        sys.exit(REFUSED.format(tried=trial.stderr.strip() or "bwrap failed"))
    return "bwrap"


@cache
def fonts():
    """matplotlib's list of fonts, made once: each new kernel would look through all files again."""
    import matplotlib
    import matplotlib.font_manager as manager

    return [path for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json")] if manager.fontManager else []


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK, DISK))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (512, 512))  # the system does not hold root to it


def command(room):
    """The command line that starts a kernel whose only writable folder that outlives a call is `room`."""
    kernel = [sys.executable, "-m", "ipykernel_launcher", "-f", f"{room}/connection.json", "--HistoryManager.hist_file=:memory:"]
    if kind() == "user":
        return kernel
    same = dict.fromkeys(map(os.path.realpath, ("/usr", sys.base_prefix)))
    links = [part for path in ("/bin", "/lib", "/lib64") if os.path.exists(path)
             for part in (("--symlink", f"usr{path}", path) if os.path.islink(path) else ("--ro-bind", path, path))]
    return ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", str(NOBODY), "--gid", str(NOBODY),
            "--size", str(DISK), "--tmpfs", "/tmp",  # first: the grader itself may be installed below /tmp
            *[part for path in same for part in ("--ro-bind", path, path)], *links, "--ro-bind", sys.prefix, sys.prefix,
            "--proc", "/proc", "--dev", "/dev",
            "--ro-bind", str(GLMREF), "/opt/course/glmref", "--ro-bind", str(HERE / "answers.py"), "/opt/course/answers.py",
            "--bind", room, room, "--chdir", "/tmp", *kernel]


class Kernel:
    """One kernel: start, run, close. Time is counted from its start."""

    def __init__(self):
        self.room = tempfile.mkdtemp(prefix="glm-", dir="/tmp")  # short: a socket's path has 107 bytes at most
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.room, "USER": "student", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1",
                       "MPLCONFIGDIR": self.room, "PYTHONPATH": "/opt/course", "PYTHONDONTWRITEBYTECODE": "1"}
        for path in fonts():
            shutil.copy(path, self.room)
        write_connection_file(f"{self.room}/connection.json", ip=f"{self.room}/k", transport="ipc", key=os.urandom(24).hex().encode())
        become = {}
        if kind() == "user":
            for path in (self.room, *Path(self.room).iterdir()):
                os.chown(path, NOBODY, NOBODY)
            library = Path(self.room, "library")
            shutil.copytree(GLMREF, library / "glmref")
            shutil.copy(HERE / "answers.py", library)
            environment["PYTHONPATH"] = str(library)
            become = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": self.room}
        self.process = subprocess.Popen(command(self.room), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.room}/stderr", "wb"), preexec_fn=limits, start_new_session=True, **become)
        self.client = BlockingKernelClient(connection_file=f"{self.room}/connection.json")
        self.client.load_connection_file()
        self.client.start_channels(hb=False)
        try:
            self._wait_until_ready(60)
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self, seconds):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._demand_life()
            self.client.kernel_info()
            try:
                self.client.get_shell_msg(timeout=0.5)
                self.client.get_iopub_msg(timeout=0.2)  # outputs take a channel of their own, which may open later
                return
            except Empty:
                pass
        raise KernelDied("the kernel did not answer within a minute")

    def _demand_life(self):
        if self.process.poll() is not None:
            said = Path(self.room, "stderr").read_text(errors="replace").strip().splitlines()
            raise KernelDied(f"the program ended itself or used more memory than it may (exit code {self.process.returncode}"
                             + (f": {said[-1][:200]}" if said and "Traceback" not in said[-1] else "") + ")")

    def run(self, code, seconds):
        """The outputs of one cell, as nbformat keeps them. Past its time a cell is interrupted, and if it does not listen, ended."""
        asked = self.client.execute(code, allow_stdin=False, stop_on_error=False)
        ends, outputs, kept, interrupted = time.monotonic() + seconds, [], 0, False
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                message = None
                self._demand_life()
            if message and message["parent_header"].get("msg_id") == asked:
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    break
                if message["msg_type"] in ("stream", "display_data", "execute_result", "error") and kept < OUTPUT:
                    kept += len(json.dumps(message["content"]))
                    if kept < OUTPUT:
                        outputs.append(nbformat.v4.output_from_msg(message))
                        if "data" in outputs[-1]:
                            outputs[-1].data = {kind: value for kind, value in outputs[-1].data.items() if kind in SHOWN}
                    else:
                        outputs.append(nbformat.v4.new_output("stream", name="stdout", text="\n[the rest of the output was not kept]\n"))
            if time.monotonic() > ends:
                if interrupted:
                    self.close()
                    raise KernelDied(f"the cell ran longer than {seconds:.0f} s and could not be interrupted")
                control = self.client.control_channel
                control.send(self.client.session.msg("interrupt_request", {}))
                ends, interrupted = time.monotonic() + PATIENCE, True
        if interrupted:
            outputs.append(failure("TimeoutError", f"the cell ran longer than {seconds:.0f} s"))
        return outputs

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.client.stop_channels()
        shutil.rmtree(self.room, ignore_errors=True)


def failure(name, value):
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])
