"""Addresses of the site, in English and in French."""

from django.urls import path

from . import views

EN, FR = {"language": "en"}, {"language": "fr"}

urlpatterns = [
    path("", views.home, EN, name="home"),
    path("help/", views.help_index, EN, name="help"),
    path("help/<slug:slug>/", views.article, EN, name="article"),
    path("fr/", views.home, FR, name="home-fr"),
    path("aide/", views.help_index, FR, name="help-fr"),
    path("aide/<slug:slug>/", views.article, FR, name="article-fr"),
]
