# A visitor: http leads to https, the page opens, a question is answered.
set +x
name=buddy.example.org
moved=$(curl --silent -o /dev/null -w '%{http_code} %{redirect_url}' "http://$name/")
[ "$moved" = "301 https://$name/" ]
get() { curl --silent --show-error --fail --insecure --cookie-jar /run/jar --cookie /run/jar "$@"; }
get "https://$name/" > /run/page
token=$(awk '$6 == "csrftoken" { print $7 }' /run/jar)
job=$(get -H "X-CSRFToken: $token" -H "Referer: https://$name/" --json '{"message": "Where to?"}' \
  "https://$name/api/travel" | python3 -c 'import json, sys; print(json.load(sys.stdin)["jobId"])')
get --max-time 60 "https://$name/api/jobs/$job/events" > /run/events
grep -q chat:completed /run/events
echo "The question was answered."
