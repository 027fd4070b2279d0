# What the packages of Debian start, a model, answers to questions, and a visitor.
set -euo pipefail
exec 2>&1
ip link set lo up
ip address add 10.0.0.1/24 dev lo
for version in /etc/postgresql/*; do pg_ctlcluster "${version##*/}" main start; done
nginx
(cd "$TREE" && exec "$PYTHON" -B -m tests.provider --port 8899) &
export DJANGO_SUPERUSER_USERNAME=ada DJANGO_SUPERUSER_PASSWORD=correct-horse-9
export DJANGO_SUPERUSER_EMAIL=ada@example.org
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
echo "127.0.0.1 buddy.example.org" >> /etc/hosts

# http leads to https, the page opens, a question is answered.
visit() {
  local name=buddy.example.org moved token job
  moved=$(curl --silent -o /dev/null -w '%{http_code} %{redirect_url}' "http://$name/")
  [ "$moved" = "301 https://$name/" ]
  get "https://$name/" > /run/page
  token=$(awk '$6 == "csrftoken" { print $7 }' /run/jar)
  job=$(get -H "X-CSRFToken: $token" -H "Referer: https://$name/" --json '{"message": "Where to?"}' \
    "https://$name/api/travel" | python3 -c 'import json, sys; print(json.load(sys.stdin)["jobId"])')
  get --max-time 60 "https://$name/api/jobs/$job/events" > /run/events
  grep -q chat:completed /run/events
}
get() { curl --silent --show-error --fail --insecure --cookie-jar /run/jar --cookie /run/jar "$@"; }
