"""What `manage.py check` says of operations that installed packages bring."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register

from pipelines import catalogue, confinement


@register()
def brought_operations(**given: Any) -> list[CheckMessage]:
    """Name each that cannot be used, and what this machine does not hold the others to."""
    every = catalogue.brought_operations()
    found: list[CheckMessage] = [
        Warning(f"Operation {one.name} of {one.package}: {one.error}", id="baton.W001")
        for one in every
        if one.error
    ]
    missing = confinement.missing(confinement.available())
    if missing and len(found) < len(every):
        hint = "docs/operations-of-your-own.md says what each means."
        text = f"Not enforced here for operations from packages: {', '.join(missing)}."
        found.append(Warning(text, hint=hint, id="baton.W002"))
    return found
