from django.apps import AppConfig


class VoiceConfig(AppConfig):
    name = "chat.voice"
    label = "voice"
    verbose_name = "Voice messages"
