"""What was said is stored only where the site wants it, for as long as it says, and is a person's own."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from voice import retention, wiring
from voice.models import VoiceSession, VoiceTranscript, VoiceTurn
from voice.protocol.commands import TurnEnded
from voice.protocol.counters import Counters
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.wires.messages import Start
from voice.records import Recorder
from voice.spool import Spool

pytestmark = pytest.mark.django_db(transaction=True)

TURN = TurnEnded(1, TurnOutcome.COMPLETED, False, {}, {}, False, None, (), question="When?", answer="At <b>nine</b>.")


def said(user, text: str = "When do you open?", *, days_ago: float = 0) -> VoiceTranscript:
    session = VoiceSession.objects.create(user=user, provider="fake", cost=2)
    VoiceTurn.objects.create(session=session, number=1, outcome="completed", sources=[{"title": "Hours", "url": "/h/"}])
    at = timezone.now() - timedelta(days=days_ago)
    return VoiceTranscript.objects.create(session=session, turn=1, role="visitor", text=text, created_at=at)


@pytest.mark.parametrize(
    ("setting", "notice", "stored"),
    [(False, "1", False), (True, "1", True), (True, "", False), (True, "0", False)],
)
def test_words_are_kept_where_the_site_wants_it_and_the_visitor_was_told(settings, setting, notice, stored):
    settings.VOICE = {**settings.VOICE, "TRANSCRIPTS": setting, "CONSENT": {"version": "1"}}
    recorder = wiring.recorder(uuid.uuid4().hex, Start(notice=notice))
    assert recorder._transcripts is stored


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_turns_words_are_stored_beside_its_facts(tmp_path: Path, wanted, visitor):
    recorder = Recorder(uuid.uuid4().hex, Spool(str(tmp_path)), transcripts=wanted)
    async with recorder:
        await recorder.open(user_id=visitor.pk, provider="fake")
        await recorder.keep(TURN, Counters())
    kept = [(t.role, t.text) async for t in VoiceTranscript.objects.order_by("-role")]
    assert kept == ([("visitor", "When?"), ("assistant", "At <b>nine</b>.")] if wanted else [])


def test_old_words_are_purged_and_a_dry_run_only_says_so(visitor, settings, capsys):
    settings.VOICE = {**settings.VOICE, "RETENTION_DAYS": 10}
    said(visitor, days_ago=11)
    young = said(visitor, days_ago=9)
    call_command("voice_purge", "--dry-run")
    assert "1 transcripts are older than 10 days and would be deleted." in capsys.readouterr().out
    assert VoiceTranscript.objects.count() == 2
    call_command("voice_purge")
    assert "1 transcripts older than 10 days deleted." in capsys.readouterr().out
    assert list(VoiceTranscript.objects.all()) == [young]
    assert VoiceSession.objects.count() == 2


def test_a_person_gets_all_that_is_kept_of_them_and_nothing_of_others(visitor, django_user_model, capsys):
    said(visitor, "Mine")
    said(django_user_model.objects.create_user("other"), "Not mine")
    call_command("voice_export", visitor.get_username())
    out = capsys.readouterr()
    [session] = [json.loads(line) for line in out.out.splitlines()]
    assert [t["text"] for t in session["transcripts"]] == ["Mine"]
    assert [t["number"] for t in session["turns"]] == [1]
    assert out.err == "1 sessions exported.\n"


def test_a_person_is_forgotten_and_the_figures_stay(visitor, django_user_model, capsys):
    said(visitor)
    other = said(django_user_model.objects.create_user("other"))
    call_command("voice_erase", str(visitor.pk))
    assert capsys.readouterr().out == (
        "1 transcripts deleted, 1 sessions made anonymous.\n0 conversations that could have gone on forgotten.\n"
    )
    assert list(VoiceTranscript.objects.all()) == [other]
    anonymous = VoiceSession.objects.get(user=None)
    assert (anonymous.cost, anonymous.turns.get().sources) == (2, [])
    assert VoiceSession.objects.exclude(user=None).get().turns.get().sources


def test_with_an_account_goes_what_its_owner_said(visitor, django_user_model):
    said(visitor)
    other = said(django_user_model.objects.create_user("other"))
    visitor.delete()
    assert list(VoiceTranscript.objects.all()) == [other]
    assert VoiceSession.objects.get(user=None).turns.get().sources == []


def test_many_sessions_are_forgotten_in_batches(visitor, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        said(visitor)
    assert retention.erase(visitor.pk) == retention.Erased(sessions=5, transcripts=5)
    assert retention.erase(visitor.pk) == retention.Erased(sessions=0, transcripts=0)


@pytest.mark.parametrize("command", ["voice_export", "voice_erase"])
def test_an_unknown_user_is_said_to_be_unknown(command):
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command(command, "nobody")
