"""Where staff switch the assistant on and off, let some users in first, and change the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from voice import gate, live
from voice.conf import conf
from voice.models import LIVE_LIMITS, VoiceLiveChange, VoiceLiveSettings

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[VoiceLiveSettings]
    ModelForm = forms.ModelForm[VoiceLiveSettings]
else:
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm  # generic for the type checker only

SHOWN = 10
"""Changes that the page shows; the table has them all."""


class LiveSettingsForm(ModelForm):
    """The row, and why it is changed."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, required=False, help_text=_("For those who read the changes later.")
    )
    flip = forms.IntegerField(required=False, widget=forms.HiddenInput)
    """The last change of the switch that the page knew of; 0: none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["flip"].initial = _last_flip()
        for name in LIVE_LIMITS:
            if name in self.fields:
                self.fields[name].help_text = _limit_help(name)

    def clean(self) -> dict[str, Any]:
        """Not what would undo, unseen, a flip that came after the page was opened."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        known = cleaned.get("flip")
        if known is not None and known != _last_flip():
            raise forms.ValidationError(_("The switch was flipped after you opened this page. Open it again."))
        return cleaned


def _last_flip() -> int:
    flip = live.last_flip()
    return flip.pk if flip else 0


def _limit_help(name: str) -> str:
    said = gettext("Empty: %(default)d, as in the settings.") % {"default": getattr(conf().limits, name)}
    return said if name.endswith("_seconds") else f"{said} {gettext('0: no limit.')}"


class LiveSettingsAdmin(ModelAdmin):
    """One page for the one row. Its permissions are the model's own: ``change_`` and ``view_voicelivesettings``."""

    form = LiveSettingsForm
    readonly_fields = ("recent_changes",)
    fieldsets = (
        (_("Switch"), {"fields": ("enabled", "flip")}),
        (_("Who is let in"), {"fields": ("percent", "group", "staff")}),
        (_("Limits"), {"fields": LIVE_LIMITS}),
        (_("Changes"), {"fields": ("reason", "recent_changes")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What goes with a change is only for who may make one."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        own = {"reason", "flip"}
        return [(name, {"fields": [each for each in parts["fields"] if each not in own]}) for name, parts in fieldsets]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the one row."""
        return HttpResponseRedirect(reverse("admin:voice_voicelivesettings_change", args=[VoiceLiveSettings.ONLY]))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> VoiceLiveSettings | None:
        """The row, also if nobody has stored one yet."""
        return live.row() if object_id == str(VoiceLiveSettings.ONLY) else None

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With a word of warning while nobody can talk: which switch is off, and why."""
        if request.method == "GET" and not gate.flag().master():
            messages.warning(request, gettext("The site’s setting ENABLE_VOICE_REALTIME is off, so nobody can talk."))
        if request.method == "GET" and not live.row().enabled and (flip := live.last_flip()):
            messages.warning(request, gettext("Switched off: %(change)s") % {"change": _when(flip)})
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: VoiceLiveSettings, form: Any, change: bool) -> None:
        """Store it with who changed what."""
        user, reason = request.user, form.cleaned_data["reason"]
        form.changes = live.save(obj, by=user.get_username(), user=user, reason=reason)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """The values before and after, for the admin's own log."""
        return _what(form.changes)

    @admin.display(description=_("recent changes"))
    def recent_changes(self, row: VoiceLiveSettings) -> SafeString:
        """Who changed what, the newest first."""
        return format_html_join(
            "",
            "<p>{}<br>{}</p>",
            ((_when(change), _what(change.changes)) for change in VoiceLiveChange.objects.all()[:SHOWN]),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one, always."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is one, always."""
        return False


def _when(change: VoiceLiveChange) -> str:
    said = f"{date_format(localtime(change.at), 'SHORT_DATETIME_FORMAT')} · {change.by}"
    return f"{said} · {change.reason}" if change.reason else said


def _what(changes: dict[str, list[str]]) -> str:
    names = {field.name: field.verbose_name for field in VoiceLiveSettings._meta.concrete_fields}
    # The two values of a switch are stored in English: gettext_noop("on"), gettext_noop("off").
    said = [f"{names.get(name, name)}: {gettext(old)} → {gettext(new)}" for name, (old, new) in changes.items()]
    return "; ".join(said)
