"""The servers of `make production`: PostgreSQL, nginx, and the processes of the units."""

import http.client
import os
import pwd
import secrets
import shutil
import ssl
import subprocess
from pathlib import Path
from string import Template

import psycopg

from deploy.local.bootstrap import Problem
from deploy.local.services import Service, free_port, http_missing

from . import units
from .certificate import write_certificate

TEMPLATE = units.ROOT / "deploy" / "nginx" / "buddy.conf.template"
#: What is around the deployed configuration: paths that the account of this process may write.
_NGINX = """\
daemon off;
pid {directory}/pid;
error_log {directory}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/buddy.conf;
}}
"""


def installed(name: str, package: str) -> str:
    """Return the path of a program. Raise `Problem` with the package that has it."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(versions[-1]) if versions else shutil.which(name, path=f"{os.environ.get('PATH')}:/usr/sbin")
    if not found:
        raise Problem(f"{name} is not installed. On Debian and Ubuntu: apt-get install {package}")
    return found


def postgres_service(directory: Path) -> Service:
    """Make a database with a password, and describe its server."""
    port, password, data = free_port(), secrets.token_urlsafe(24), directory / "postgres"
    data.mkdir(mode=0o700)
    account = _account_of_postgres(data)
    secret = data.with_suffix(".password")
    secret.write_text(password)
    secret.chmod(0o644 if account else 0o600)  # it is deleted at once
    make = [installed("initdb", "postgresql"), "-D", str(data), "-U", "buddy", "-A", "scram-sha-256"]
    made = subprocess.run(
        [*account, *make, "-E", "UTF8", "--no-locale", f"--pwfile={secret}"],
        cwd=data,
        capture_output=True,
        text=True,
    )
    secret.unlink()
    if made.returncode:
        raise Problem(f"The database cannot be made: {made.stderr.strip()}")
    command = [*account, installed("postgres", "postgresql"), "-D", str(data), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "log_min_messages=fatal"]
    url = f"postgres://buddy:{password}@127.0.0.1:{port}/postgres"

    def missing() -> str:
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError as error:
            return str(error).splitlines()[0]
        return ""

    return Service("postgres", command, missing, {"DATABASE_URL": url}, f"127.0.0.1:{port}")


def _account_of_postgres(data: Path) -> list[str]:
    """Return what makes a command run as the user `postgres`, if this is root, whom PostgreSQL refuses."""
    if os.getuid() != 0:
        return []
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise Problem("PostgreSQL does not run as root, and there is no user postgres.") from None
    os.chown(data, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]


def web_services(ports: list[int]) -> list[Service]:
    """Describe the web processes."""
    return [
        Service(
            f"web-{number}",
            units.commands("buddy-web@.service", str(port))[0],
            lambda port=port: http_missing("127.0.0.1", port, "/healthz"),  # type: ignore[misc]
            address=f"http://127.0.0.1:{port}",
            grace=units.stop_seconds("buddy-web@.service"),
        )
        for number, port in enumerate(ports, 1)
    ]


def worker_services(number: int) -> list[Service]:
    """Describe the clusters."""
    unit = "buddy-worker@.service"
    return [
        Service(f"worker-{one}", units.commands(unit, str(one))[0], grace=units.stop_seconds(unit))
        for one in range(1, number + 1)
    ]


def nginx_service(directory: Path, web: list[int], ports: tuple[int, int]) -> Service:
    """Write a certificate and the configuration, and describe nginx. `ports` are those of http and https."""
    program, directory = installed("nginx", "nginx"), directory / "nginx"
    directory.mkdir(mode=0o711)
    http_port, https_port = ports
    certificate, key = write_certificate(directory)
    values = {
        "BUDDY_HOST": "localhost",
        "CLIENT_URL": f"https://localhost:{https_port}",
        "BUDDY_CERTIFICATE": certificate,
        "BUDDY_CERTIFICATE_KEY": key,
        "BUDDY_HTTP": http_port,
        "BUDDY_HTTPS": https_port,
        **{f"BUDDY_WEB_{number}": f"127.0.0.1:{port}" for number, port in enumerate(web, 1)},
    }
    configuration = Template(TEMPLATE.read_text()).safe_substitute(values)
    (directory / "buddy.conf").write_text(configuration.replace("/var/log/nginx", str(directory)))
    (directory / "nginx.conf").write_text(_NGINX.format(directory=directory))
    command = [program, "-p", str(directory), "-e", f"{directory}/error.log", "-c", f"{directory}/nginx.conf"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    if checked.returncode:
        raise Problem(f"nginx refuses its configuration: {checked.stderr.strip()}")
    address = f"https://localhost:{https_port}"
    return Service("nginx", command, lambda: _https_missing(https_port, certificate), {}, address)


def _https_missing(port: int, certificate: Path) -> str:
    """Ask /readyz through nginx. Return an empty text for status 200, else the reason."""
    trust = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("localhost", port, timeout=2, context=trust)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == 200 else f"HTTP {answer.status}: {answer.read().decode()}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
