"""The addresses of the site and of its front end, and what browsers may send from one to the other."""

from urllib.parse import urlsplit

from corsheaders.defaults import default_headers

from .environment import env

#: The address of the pages that people open, for example https://buddy.example.org, also if a front end on
#: another origin has them. NEXT_PUBLIC_CLIENT_URL is its former name.
CLIENT_URL = env.str("CLIENT_URL", default=env.str("NEXT_PUBLIC_CLIENT_URL", default=""))
#: The address of this server, with its API and account pages. Links in e-mails begin with it.
SITE_URL = env.str("SITE_URL", default=CLIENT_URL)
HTTPS = SITE_URL.startswith("https://")

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it: scheme, host, and a port that is not the default."""
    parts = urlsplit(url)
    try:
        name, port = parts.hostname or "", parts.port
        host = f"[{name}]" if ":" in name else name.encode("idna").decode()
    except ValueError:  # a system check reports it
        return ""
    is_default = port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{port}")


#: The origin of this server as browsers write it; empty if it is not known.
SITE_ORIGIN = origin_of(SITE_URL) if SITE_URL else ""
CSRF_TRUSTED_ORIGINS = list(dict.fromkeys(filter(None, map(origin_of, filter(None, (SITE_URL, CLIENT_URL))))))
#: The front end: its pages may call the API with the cookies of this server, and open the socket.
CORS_ALLOWED_ORIGINS = [origin for origin in [origin_of(CLIENT_URL)] if CLIENT_URL and origin]
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (*default_headers, "buddy-owner", "last-event-id")
CORS_EXPOSE_HEADERS = ("retry-after", "content-disposition", "allow", "www-authenticate")

#: True: the front end is on another site, not only on another origin. Its pages send cookies only then.
CROSS_SITE_COOKIES = env.bool("CROSS_SITE_COOKIES", default=False)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "None" if CROSS_SITE_COOKIES else "Lax"
