"""Addresses below /account/. The names of the pages of django-allauth are those that it expects."""

from typing import Any

from allauth.account import views as account_views
from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as app_views
from django.urls import path, re_path

from . import auth_views, forms, oidc_views, passkeys, sessions, views
from .auth_views import counted, needs_mail, sends_mail


def _page(view: Any, template: str, **options: object) -> auth_views.View:
    """Return a view of django-allauth with a template of the site."""
    context = {"sends_mail": sends_mail}
    return view.as_view(template_name=f"accounts/{template}.html", extra_context=context, **options)


_sign_in = _page(account_views.LoginView, "sign_in", form_class=forms.SignInForm)
_reset = _page(account_views.PasswordResetView, "reset", form_class=forms.ResetForm)
_new_password = _page(auth_views.NewPassword, "reset_confirm", form_class=forms.NewPasswordForm)
_email = _page(account_views.EmailView, "email", form_class=forms.AddressForm)
_email_code = _page(account_views.ConfirmEmailVerificationCodeView, "code", form_class=forms.AddressCodeForm)

_signing_in = [
    path("sign-in/", _sign_in, name="account_login"),
    path(
        "sign-up/",
        counted(
            auth_views.SignUp.as_view(template_name="accounts/sign_up.html", form_class=forms.SignUpForm)
        ),
        name="account_signup",
    ),
    path("sign-up/code/", needs_mail(auth_views.SignUpCode.as_view()), name="sign-up-code"),
    path(
        "sign-out/",
        account_views.LogoutView.as_view(template_name="accounts/sign_out.html"),
        name="account_logout",
    ),
    path("inactive/", _page(account_views.AccountInactiveView, "inactive"), name="account_inactive"),
    path(
        "confirm/",
        _page(account_views.ReauthenticateView, "confirm", form_class=forms.ConfirmForm),
        name="account_reauthenticate",
    ),
]
_password_and_address = [
    path(
        "password/",
        _page(account_views.PasswordChangeView, "password", form_class=forms.PasswordForm),
        name="account_change_password",
    ),
    path(
        "password/set/",
        _page(account_views.PasswordSetView, "password", form_class=forms.FirstPasswordForm),
        name="account_set_password",
    ),
    path("reset/", needs_mail(counted(_reset)), name="account_reset_password"),
    path(
        "reset/sent/",
        _page(account_views.PasswordResetDoneView, "reset_sent"),
        name="account_reset_password_done",
    ),
    path(
        "reset/done/",
        _page(account_views.PasswordResetFromKeyDoneView, "reset_done"),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        needs_mail(_new_password),
        name="account_reset_password_from_key",
    ),
    path("email/", needs_mail(counted(_email)), name="account_email"),
    path("email/code/", needs_mail(_email_code), name="account_email_verification_sent"),
]
_second_factor = [
    path(
        "second-factor/",
        factor_views.IndexView.as_view(template_name="accounts/second_factor.html"),
        name="mfa_index",
    ),
    path(
        "second-factor/code/",
        _page(
            factor_views.AuthenticateView,
            "second_factor_code",
            form_class=forms.CodeForm,
            webauthn_form_class=passkeys.SecondStepForm,
        ),
        name="mfa_authenticate",
    ),
    path(
        "second-factor/confirm/",
        _page(factor_views.ReauthenticateView, "second_factor_code", form_class=forms.CodeAgainForm),
        name="mfa_reauthenticate",
    ),
    path(
        "second-factor/app/",
        _page(app_views.ActivateTOTPView, "app", form_class=forms.SetUpAppForm),
        name="mfa_activate_totp",
    ),
    path(
        "second-factor/app/remove/",
        _page(app_views.DeactivateTOTPView, "app_remove"),
        name="mfa_deactivate_totp",
    ),
    path(
        "second-factor/recovery-codes/",
        _page(recovery_views.ViewRecoveryCodesView, "recovery_codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "second-factor/recovery-codes/new/",
        _page(recovery_views.GenerateRecoveryCodesView, "recovery_codes_new"),
        name="mfa_generate_recovery_codes",
    ),
]
_passkeys = [
    path("sign-in/passkey/", passkeys.SignIn.as_view(), name="mfa_login_webauthn"),
    path("second-factor/passkeys/new/", passkeys.NewPasskey.as_view(), name="mfa_add_webauthn"),
    path("second-factor/passkeys/confirm/", passkeys.Confirm.as_view(), name="mfa_reauthenticate_webauthn"),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        passkeys.RemovePasskey.as_view(),
        name="mfa_remove_webauthn",
    ),
]
_provider = [
    path("oidc/<provider_id>/login/", oidc_views.login, name="openid_connect_login"),
    path("oidc/<provider_id>/login/callback/", oidc_views.callback, name="openid_connect_callback"),
]
urlpatterns = [
    path("", views.account, name="account"),
    *_signing_in,
    *_password_and_address,
    *_second_factor,
    *_passkeys,
    *_provider,
    path("tokens/", views.create_token, name="create-token"),
    path("tokens/<int:token_id>/revoke/", views.revoke_token, name="revoke-token"),
    path("sessions/", sessions.show, name="sessions"),
    path("sessions/end-others/", sessions.end_others, name="end-other-sessions"),
    path("sessions/<int:session_id>/end/", sessions.end_one, name="end-session"),
    path("export/", views.export, name="export"),
    path("erase/", views.erase_all, name="erase"),
]
