"""What the system checks of this app say of the settings in force."""

from django.core.checks import run_checks


def ids(*, deploy: bool = False) -> list[str]:
    """The identifiers of what they say, each of which must come with advice."""
    found = run_checks(tags=["voice"], include_deployment_checks=deploy)
    assert all(message.hint for message in found)
    return [message.id for message in found]
