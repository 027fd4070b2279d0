"""Addresses below /account/."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-up/", views.SignUp.as_view(), name="sign-up"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("password/", views.PasswordChange.as_view(), name="password"),
    path("reset/", views.PasswordReset.as_view(), name="reset"),
    path("reset/sent/", views.PasswordResetSent.as_view(), name="reset-sent"),
    path("reset/<uidb64>/<token>/", views.PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("tokens/", views.make_token, name="make-token"),
    path("tokens/<int:token_id>/revoke/", views.revoke_token, name="revoke-token"),
    path("export/", views.export, name="export"),
    path("erase/", views.erase_all, name="erase"),
]
