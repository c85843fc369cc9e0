"""What staff decide while the site runs: stored with a trace, in force within a second, by the admin or a command."""

from __future__ import annotations

import logging
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import ProtectedError
from django.template import RequestContext
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from voice import broadcast, database, gate, live
from voice.admission.flag import Live
from voice.admission.limits import Limits
from voice.admission.rollout import Rollout
from voice.models import VoiceLiveChange, VoiceLiveSettings
from voice.protocol.outcomes import EndReason
from voice.templatetags.voice import voice_widget

pytestmark = pytest.mark.django_db

PAGE = "/admin/voice/voicelivesettings/1/change/"


class Clock:
    """Seconds, moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that answers of the database grow old by."""
    clock = Clock()
    monkeypatch.setattr(live, "monotonic", clock)
    return clock


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the other processes are told."""
    told: list[Any] = []
    monkeypatch.setattr(broadcast, "announce", told.append)
    return told


@pytest.fixture
def keeper(client: Client, django_user_model: type[User]) -> Client:
    """Staff who may change the voice settings, and nothing else."""
    user = django_user_model.objects.create_user("keeper", password="keeper", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_voicelivesettings"))
    client.force_login(user)
    return client


def change(**values: Any) -> None:
    row = live.row()
    for name, value in values.items():
        setattr(row, name, value)
    live.save(row, by="a test")


def form(**values: Any) -> dict[str, Any]:
    """What the page sends: the row as it is, with ``values``."""
    return {"enabled": "on", "percent": "100", **values}


# -- the row ------------------------------------------------------------------------------------------------------


def test_a_site_begins_with_everyone_and_the_limits_of_its_settings():
    assert live.read() == Live(True, Rollout(100, None, False), {})


def test_the_row_holds_what_staff_decided():
    premium = Group.objects.create(name="premium")
    change(enabled=False, percent=10, group=premium, staff=True, sessions=40)
    assert live.read() == Live(False, Rollout(10, premium.pk, True), {"sessions": 40})


def test_there_is_one_row_however_often_it_is_changed():
    for percent in (10, 20, 30):
        change(percent=percent)
    assert [row.percent for row in VoiceLiveSettings.objects.all()] == [30]


def test_the_group_of_a_roll_out_cannot_be_deleted_which_would_let_everyone_in():
    premium = Group.objects.create(name="premium")
    change(group=premium)
    with pytest.raises(ProtectedError):
        premium.delete()


def test_the_members_of_the_group_and_nobody_else_may_talk(voice_on, visitor, staff):
    premium = Group.objects.create(name="premium")
    visitor.groups.add(premium)
    change(group=premium)
    assert gate.decide(visitor) == Limits()
    assert gate.decide(staff) is EndReason.NOT_IN_ROLLOUT


def test_a_limit_of_the_staffs_is_in_force_at_the_next_decision(voice_on, visitor):
    change(sessions_per_user_per_hour=2)
    assert gate.decide(visitor) == Limits(sessions_per_user_per_hour=2)


# -- how old it may be --------------------------------------------------------------------------------------------


def test_the_database_is_asked_once_a_second(clock):
    with CaptureQueriesContext(connection) as queries:
        for _ in range(10):
            live.current()
            clock.now += 0.1
    assert len(queries) == 1
    clock.now += 0.1
    with CaptureQueriesContext(connection) as queries:
        live.current()
    assert len(queries) == 1


def test_a_row_that_another_process_changed_is_in_force_after_a_second(clock):
    assert live.current().enabled
    VoiceLiveSettings(enabled=False).save()
    assert live.current().enabled
    clock.now += live.FRESH_SECONDS
    assert not live.current().enabled


def test_an_answer_that_was_overtaken_by_a_newer_one_is_dropped(clock, monkeypatch):
    def slow() -> Live:
        clock.now += 1
        monkeypatch.setattr(live, "read", lambda: Live(False))
        live.refresh()
        return Live(True)

    monkeypatch.setattr(live, "read", slow)
    live.refresh()
    assert not live.last().enabled


def test_a_database_that_does_not_answer_admits_nobody_and_ends_nobody(voice_on, visitor, clock, monkeypatch):
    def down() -> Live:
        raise OperationalError

    live.current()
    clock.now += live.FRESH_SECONDS
    monkeypatch.setattr(live, "read", down)
    with pytest.raises(OperationalError):
        gate.decide(visitor)
    assert not gate.is_off()


def test_a_page_renders_nothing_where_the_database_does_not_answer(voice_on, visitor, monkeypatch):
    def down() -> Live:
        raise OperationalError

    monkeypatch.setattr(live, "read", down)
    request = RequestFactory().get("/")
    request.user = visitor
    assert not voice_widget(RequestContext(request, {"request": request}))["enabled"]


@pytest.mark.django_db(transaction=True)
async def test_a_template_that_an_async_view_renders_may_ask(voice_on, visitor):
    await database.call(change, percent=0, limit=5)
    request = RequestFactory().get("/")
    request.user = visitor
    assert not voice_widget(RequestContext(request, {"request": request}))["enabled"]


def test_where_the_setting_is_off_nobody_looks(settings):
    with CaptureQueriesContext(connection) as queries:
        gate.look()
    assert not queries.captured_queries
    assert gate.is_off()


# -- the trace ----------------------------------------------------------------------------------------------------


def test_a_change_is_kept_with_both_values_logged_and_announced_once_committed(
    announced, caplog, django_capture_on_commit_callbacks
):
    with caplog.at_level(logging.INFO, "voice.audit"), django_capture_on_commit_callbacks(execute=True):
        change(enabled=False, percent=10)
        assert not announced
    assert announced == [{"type": live.MESSAGE}]
    assert VoiceLiveChange.objects.get().changes == {"enabled": ["on", "off"], "percent": ["100", "10"]}
    assert [record.getMessage() for record in caplog.records] == [
        "live settings: enabled changed from on to off by 'a test'",
        "live settings: percent changed from 100 to 10 by 'a test'",
    ]


def test_what_changes_nothing_leaves_no_trace(announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        change(enabled=True)
    assert not announced
    assert not VoiceLiveChange.objects.exists()


# -- the page -----------------------------------------------------------------------------------------------------


def test_staff_flip_the_switch_and_say_why(keeper, voice_on):
    page = keeper.get("/admin/voice/voicelivesettings/", follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    saved = keeper.post(PAGE, {"percent": "100", "reason": "costs"}, follow=True)
    assert saved.status_code == 200
    assert not live.read().enabled
    kept = VoiceLiveChange.objects.get()
    assert (kept.user.username, kept.by, kept.reason) == ("keeper", "keeper", "costs")
    assert LogEntry.objects.get().change_message == "assistant: on → off"
    assert "keeper · costs" in keeper.get(PAGE).content.decode()


def test_a_page_that_was_opened_before_a_flip_does_not_undo_it(keeper):
    """It would say that the assistant is on, as it was; whoever sends it means something else."""
    opened = keeper.get(PAGE).context["adminform"].form["flip"].value()
    assert opened == 0
    change(enabled=False)
    answer = keeper.post(PAGE, form(percent="10", flip=str(opened)))
    assert answer.status_code == 200
    assert "The switch was flipped after you opened this page" in answer.content.decode()
    assert not live.read().enabled
    again = keeper.get(PAGE).context["adminform"].form["flip"].value()
    assert keeper.post(PAGE, form(percent="10", flip=str(again))).status_code == 302
    assert live.read().enabled


def test_limits_are_set_and_left_to_the_settings_again(keeper):
    keeper.post(PAGE, form(sessions="40"))
    assert live.read().limits == {"sessions": 40}
    keeper.post(PAGE, form(sessions=""))
    assert live.read().limits == {}


def test_the_page_says_what_the_settings_say(keeper):
    assert "Empty: 5, as in the settings. 0: no limit." in keeper.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"percent": "101"}, {"percent": ""}, {"sessions": "-1"}, {"session_seconds": "5"}, {"idle_seconds": "1"}]
)
def test_what_cannot_be_is_refused(keeper, wrong):
    answer = keeper.post(PAGE, form(**wrong))
    assert answer.status_code == 200
    assert not VoiceLiveSettings.objects.exists()


def test_the_page_warns_where_the_sites_setting_is_off(keeper):
    assert "ENABLE_VOICE_REALTIME is off" in keeper.get(PAGE).content.decode()


def test_other_staff_neither_see_nor_change_it(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("other", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"percent": "100"}).status_code == 403
    assert live.read().enabled


def test_who_may_only_view_it_sees_why_it_is_off_and_nothing_to_fill_in(client, django_user_model):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_voicelivesettings"))
    client.force_login(user)
    change(enabled=False)
    page = client.get(PAGE)
    assert "Switched off: " in page.content.decode()
    shown = {field for _, parts in page.context["adminform"].fieldsets for field in parts["fields"]}
    assert {"enabled", "recent_changes"} <= shown
    assert not {"reason", "flip"} & shown


def test_nobody_adds_or_deletes_it(admin_client):
    assert admin_client.get("/admin/voice/voicelivesettings/add/").status_code == 403
    assert admin_client.post("/admin/voice/voicelivesettings/1/delete/", {"post": "yes"}).status_code == 403


# -- the command --------------------------------------------------------------------------------------------------


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("voice_flag", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_does_the_same(voice_on):
    assert "Switched off." in said("off", "--reason", "costs")
    assert not live.read().enabled
    assert VoiceLiveChange.objects.get().reason == "costs"
    assert "Nobody can talk." in said("status")
    assert "It was off already." in said("off")
    assert "Nobody can talk." not in said("on")
    assert live.read().enabled


def test_the_command_says_whom_it_lets_in(voice_on):
    change(percent=10, group=Group.objects.create(name="premium"), staff=True)
    assert "Let in: 10 % of the group premium, and staff." in said("status")
