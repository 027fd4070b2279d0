"""Addresses below /account/."""

from django.urls import path

from . import auth_views, views

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", auth_views.SignIn.as_view(), name="sign-in"),
    path("sign-up/", auth_views.SignUp.as_view(), name="sign-up"),
    path("sign-out/", auth_views.SignOut.as_view(), name="sign-out"),
    path("password/", auth_views.PasswordChange.as_view(), name="password"),
    path("reset/", auth_views.PasswordReset.as_view(), name="reset"),
    path("reset/sent/", auth_views.PasswordResetSent.as_view(), name="reset-sent"),
    path("reset/<uidb64>/<token>/", auth_views.PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("tokens/", views.create_token, name="create-token"),
    path("tokens/<int:token_id>/revoke/", views.revoke_token, name="revoke-token"),
    path("export/", views.export, name="export"),
    path("erase/", views.erase_all, name="erase"),
]
