"""What a package's operation is let at, and what of its answer is let in."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import catalogue
from pipelines.artefacts.storage import digest_of
from pipelines.brought import Brought
from pipelines.operations.contract import NotYet, OperationError, Outcome
from pipelines.runs import answers, apart
from pipelines.runs.claims import Claim
from pipelines.runs.lanes import Result, Work


def known(held: Claim) -> Brought | None:
    """Return whose code the attempt is, where it is a package's; notes it on the claim.

    Raises OtherPackage where the package that it was queued for is not the one that is here: the
    attempt waits, as for newer code.
    """
    found = catalogue.found(held.operation)
    here = found.package.as_json() if found else {}
    if held.package and held.package != here:
        wanted = f"{held.package['distribution']} {held.package['version']}"
        has = f"this worker has {found.package}" if found else "this worker has no such package"
        same = found is not None and str(found.package) == wanted
        more = ", of other content" if same else ""
        raise catalogue.OtherPackage(f"{held.operation} is of {wanted}; {has}{more}")
    held.package.update(here)
    return found


def lend(held: Claim, content: Path, path: Path) -> None:
    """Put an input where the child reads it.

    Where the kernel cannot keep other people's code from changing what it reads, it gets a copy.
    """
    if catalogue.found(held.operation) is None or apart.writes_are_held():
        path.symlink_to(content.absolute())
    else:
        shutil.copyfile(content, path)


def copied(
    held: Claim, inputs: Mapping[str, str], many: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Return the digests of the copies it got, by path; none where it reads the content itself."""
    if apart.writes_are_held():
        return {}
    found: dict[str, str] = {}
    for port, parts in held.inputs.get("ports", {}).items():
        paths = many.get(port) or {part["name"]: inputs[port] for part in parts[:1]}
        found |= {paths[part["name"]]: part["digest"] for part in parts if part["name"] in paths}
    return found


def judge(work: Work, result: Result) -> Result:
    """Take an answer only as far as it is what was declared; a failure stays the operation's own.

    Raises OtherPackage where the child found other code than this worker knows.
    """
    error = result.message.get("error") or {}
    if result.kind == "error" and error.get("code") == "package_changed":
        raise catalogue.OtherPackage(str(error["message"]))
    if result.kind not in ("done", "not_yet") or work.brought is None or work.brought.spec is None:
        return result
    spec, message = work.brought.spec, result.message
    try:
        if result.kind == "not_yet":
            answers.check_wait(spec, NotYet(message["seconds"], message["reason"]))
        else:
            _outputs(work, message)
            answers.check_facts(spec, Outcome({}, message["facts"]))
        _inputs(work)
    except OperationError as problem:
        refused = Result("error", {**result.message, "error": problem.as_json()}, result.log)
        return apart.blame(work.brought, refused)
    return result


def _outputs(work: Work, message: dict[str, Any]) -> None:
    found = message.get("outputs")
    spec = work.brought.spec if work.brought else None
    if spec is None or not isinstance(found, dict) or not isinstance(message.get("facts"), dict):
        raise OperationError("not_an_outcome", "It gave no outputs and facts.")
    declared = {port.name for port in spec.outputs}
    for name, path in found.items():
        if name not in declared:
            listed = ", ".join(sorted(declared))
            raise OperationError(
                "undeclared_output", f"It declares no output {name!r}; declared: {listed}."
            )
        _file(work.folder, name, path)
    missing = sorted(
        port.name for port in spec.outputs if not port.optional and port.name not in found
    )
    if missing:
        raise OperationError("missing_output", f"It made no output {', '.join(missing)}.")


def _file(folder: Path, name: str, path: object) -> None:
    """A link out of the folder would let it hand on what it must not read."""
    place = Path(str(path))
    try:
        inside = place.resolve().is_relative_to(folder.resolve()) and not place.is_symlink()
        whole = inside and place.is_file()
    except (OSError, ValueError):
        inside = whole = False
    if not inside:
        raise OperationError("output_elsewhere", f"Output {name!r} is not in its folder: {path}.")
    if not whole:
        raise OperationError("missing_output", f"Output {name!r} is no file: {place.name}.")


def _inputs(work: Work) -> None:
    """Find what it changed of its inputs, where it was not kept from it."""
    for path, digest in work.digests.items():
        if digest_of(Path(path)) != digest:
            raise OperationError(
                "changed_input", f"It changed its input {Path(path).name}; nothing else reads it."
            )
