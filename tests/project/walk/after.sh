# What was asked before the backup is there after the restore, to which the site answers.
visit
threads=$(get https://buddy.example.org/api/threads | grep -o '"id"' | wc -l)
[ "$threads" = 2 ]
[ "$(ls /run/pids | xargs)" = "buddy-web@8001 buddy-web@8002 buddy-worker@1 buddy-worker@2 buddy-worker@audio" ]
[ "$(stat -c '%U %a' /opt/buddy/.env)" = "buddy 600" ]
echo "Both questions were answered."
