# What the packages of Debian start, a model, and answers to questions.
set -euo pipefail
exec 2>&1
ip link set lo up
for version in /etc/postgresql/*; do pg_ctlcluster "${version##*/}" main start; done
nginx
(cd "$TREE" && exec "$PYTHON" -B -m tests.provider --port 8899) &
export DJANGO_SUPERUSER_USERNAME=ada DJANGO_SUPERUSER_PASSWORD=correct-horse-9
export DJANGO_SUPERUSER_EMAIL=ada@example.org
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
echo "127.0.0.1 buddy.example.org" >> /etc/hosts
