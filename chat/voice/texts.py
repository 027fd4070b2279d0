"""Sentences of this package that users read."""

#: The title of a conversation until the words of its first message are known.
TITLE = "Voice message"

UNAVAILABLE = "Voice messages are not available here."
NOT_CONFIGURED = "Voice messages are not configured: set OPENAI_TRANSCRIPTION_MODEL to the name of a model."
STARTING = "Voice messages are being set up on this machine. The first time, this takes a minute or two."

UPLOAD_GONE = "This upload does not exist or has expired. Please send the file again."
UPLOAD_IN_USE = "This upload is already being transcribed."
UPLOAD_NOT_AUDIO = "This upload is not audio."
REQUEST_ID_USED = "This requestId was already used for another kind of job."
RECORDING_GONE = "This recording is no longer stored. Please record it again."
NO_SPEECH = (
    "No speech could be heard in this recording. "
    "Please check your microphone and record again, speaking closer to it."
)

#: Labels of the job's progress.
LOADING = "Loading your recording"
TRANSCRIBING = "Transcribing your recording"
TRANSCRIBED = "Transcribed"

EMPTY = "This file is empty."
TRUNCATED = "This recording is cut off: its end is missing. Please save or record it again."
SILENT = "There is no sound in this file."
DAMAGED = "This file is damaged: only its beginning is audio."


def file_too_large(max_bytes: int) -> str:
    """Return the sentence for a file of more than `max_bytes`."""
    return f"This file is larger than {max_bytes // 2**20} MB."


#: A number of samples a second, or of channels, that no recorder writes.
ODD_RATE = "This recording is damaged: it has an impossible sample rate or number of channels."


def too_long(hours: int) -> str:
    """Return the sentence for a recording that lasts longer."""
    return f"This recording is too long: the maximum is {hours} hours."


def not_audio(formats: str) -> str:
    """Return the sentence for a file that is not audio in one of the `formats`."""
    return f"This is not audio that can be transcribed. Supported formats: {formats}."


def not_webm(formats: str) -> str:
    """Return the sentence for a Matroska file that is not webm."""
    return f"This is Matroska, but not webm. Supported formats: {formats}."
