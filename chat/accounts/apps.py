from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "chat.accounts"
    label = "accounts"
    verbose_name = "Sign-up and access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.account.signals import authentication_step_completed, password_changed, password_set
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth import get_user_model
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
        from django.contrib.sessions.models import Session
        from django.db.models.signals import post_delete, post_save, pre_delete

        from chat import personal_data
        from queueing.api import monitoring
        from queueing.api.metrics import register_metrics

        from . import mail
        from .access.ending_access import end_access_after_change
        from .access.sessions.copies import outdate_changed
        from .access.signed_in import end_those_of_inactive_users
        from .access.tries import devices, passwords
        from .access.tries import report as tries_report
        from .models import Block
        from .personal_data.erasing import erase_before_deletion, forget_erased
        from .signing_in.second_factor import record_set_up
        from .signing_in.sessions import (
            forget_session,
            record_new_key,
            record_sign_in,
            renew_after_proof,
            sweep,
        )

        personal_data.register(
            Block,
            export=lambda row: {
                "reason": row.reason,
                "from": row.created_at.isoformat(),
                "until": (end := row.lifted_at or row.ends_at) and end.isoformat(),
            },
        )
        post_save.connect(outdate_changed, sender=Session)
        post_delete.connect(outdate_changed, sender=Session)
        post_save.connect(end_access_after_change, sender=get_user_model())
        pre_delete.connect(erase_before_deletion, sender=get_user_model())
        monitoring.register_pruning(forget_erased)
        user_logged_in.connect(record_sign_in)
        user_logged_in.connect(devices.remember_sign_in)
        user_login_failed.connect(passwords.end_try)
        user_logged_out.connect(forget_session)
        monitoring.register_health_check(tries_report.warnings)
        register_metrics(tries_report.metrics)
        password_changed.connect(record_new_key)
        password_set.connect(record_new_key)
        authenticator_added.connect(record_set_up)
        authentication_step_completed.connect(renew_after_proof)
        monitoring.register_pruning(sweep)
        monitoring.register_pruning(mail.prune)
        monitoring.register_pruning(end_those_of_inactive_users)
