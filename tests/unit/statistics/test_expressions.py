"""Days and weeks on the reader's calendar, where the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import timezone

from voice.figures import Window
from voice.models import VoiceSession
from voice.statistics.expressions import Seconds, Step, offsets, period

PARIS = ZoneInfo("Europe/Paris")
YEAR = Window(datetime(2025, 11, 30, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC))


def test_the_zones_offsets_of_a_year_with_the_minute_of_their_change():
    spring, autumn = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert offsets(YEAR, PARIS) == [(spring, 3600), (autumn, 7200), (YEAR.until, 3600)]
    assert offsets(YEAR, UTC) == [(YEAR.until, 0)]
    half = offsets(YEAR, ZoneInfo("Australia/Lord_Howe"))
    assert [(f"{at:%d %H:%M}", offset / 3600) for at, offset in half[:2]] == [("04 15:00", 11), ("03 15:30", 10.5)]


@pytest.mark.django_db
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_each_session_is_on_its_local_day(step, zone):
    times = [YEAR.since + timedelta(hours=17 * n, microseconds=n) for n in range(514)]
    times += [datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, 59, 999_999, tzinfo=UTC)]
    VoiceSession.objects.bulk_create(VoiceSession(provider="local", started_at=at) for at in times)
    with timezone.override(zone):
        rows = VoiceSession.objects.annotate(began=period("started_at", YEAR, step)).values_list("started_at", "began")
        for at, began in rows:
            assert began == first_day(timezone.localtime(at).date(), step), at
        assert len(rows) == len(times)


def first_day(day: date, step: Step) -> date:
    match step:
        case Step.DAY:
            return day
        case Step.WEEK:
            return day - timedelta(days=day.weekday())
        case Step.MONTH:
            return day.replace(day=1)
        case Step.YEAR:
            return day.replace(month=1, day=1)


@pytest.mark.django_db
def test_seconds_between_two_times():
    began = datetime(2026, 3, 1, 12, tzinfo=UTC)
    VoiceSession.objects.create(provider="local", started_at=began, ended_at=began + timedelta(seconds=90.25))
    lasted = VoiceSession.objects.values_list(Seconds(F("started_at"), F("ended_at")), flat=True).get()
    assert lasted == pytest.approx(90.25, abs=0.001)
