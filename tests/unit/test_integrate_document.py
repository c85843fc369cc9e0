"""Who follows ``voice/docs/integrate.md`` has added less than ten lines, and has a project without complaints."""

import subprocess
from pathlib import Path

from tests.document import Follower, blocks

PAGE = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
settings.ALLOWED_HOSTS = ["testserver"]
visitor = Client()
print("stranger:", visitor.get("/").content.decode())
visitor.force_login(User.objects.get(username="visitor"))
print("visitor:", visitor.get("/").content.decode())
"""


def test_it_takes_less_than_ten_lines() -> None:
    lines = [line for block in blocks() if block.heading == "The eight lines" for line in block.lines if line]
    assert len(lines) == 8


def test_a_project_that_followed_it_is_complete_and_its_page_has_the_widget(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    assert follower.follow() == "python manage.py runserver"
    assert "System check identified no issues (0 silenced)." in follower.said
    shown = subprocess.run(
        ["python", "manage.py", "shell", "-v0", "-c", PAGE],
        cwd=follower.directory,
        env=follower.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    stranger, _, visitor = shown.partition("visitor:")
    assert "/admin/login/?next=%2F" in stranger
    assert "<voice-widget" not in stranger
    assert "<voice-widget" in visitor
