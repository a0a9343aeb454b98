"""Named crash points for the fault tests; armed by FAULT=point:kill|pause:5|raise, else free."""

import os
import signal
import time

_ARMED = dict(part.split(":", 1) for part in os.environ.get("FAULT", "").split(",") if ":" in part)


class InjectedFault(RuntimeError):
    """Raised at an armed point whose action is `raise`."""


def point(name: str) -> None:
    """Do what FAULT names for this point; without FAULT a look into an empty dictionary."""
    if not _ARMED:
        return
    action = _ARMED.get(name)
    if action is None:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "killgroup":
        os.killpg(0, signal.SIGKILL)
    if action.startswith("pause:"):
        time.sleep(float(action.removeprefix("pause:")))
    if action == "raise":
        raise InjectedFault(name)
