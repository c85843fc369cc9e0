"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("v1/", include("voice.urls")),
    path("v1/", include("voice.token_urls")),
    path("", include("project.demo.urls")),
]
