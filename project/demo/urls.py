"""Addresses of the site, in English and in French."""

from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from . import views

EN, FR = {"language": "en"}, {"language": "fr"}

urlpatterns = [
    # What browsers ask for on pages that name no icon, such as those of the admin.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("demo/wheel.svg"))),
    path("", views.home, EN, name="home"),
    path("help/", views.help_index, EN, name="help"),
    path("help/<slug:slug>/", views.article, EN, name="article"),
    path("fr/", views.home, FR, name="home-fr"),
    path("aide/", views.help_index, FR, name="help-fr"),
    path("aide/<slug:slug>/", views.article, FR, name="article-fr"),
]
