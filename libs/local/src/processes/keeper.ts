/**
 * The shell that is started in place of a worker: it writes down which process it is, starts the worker ("$@"), waits for it and writes
 * its exit code down. Its name is put in place by `ln`, which only the first of several can do: a job started twice, by a controller that
 * died in between, runs once. A SIGTERM to its group does not end it (the trap runs when the worker has ended). The log is the worker's: what the shell
 * itself would say of its end ("Terminated") does not belong there.
 */
export const KEEPER = `
now() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }
start_ticks() { read -r stat < /proc/$$/stat; set -- \${stat##*) }; echo \${20}; }
trap : TERM INT
printf '{"pid":%d,"startTicks":"%s","startTime":"%s"}' $$ "$(start_ticks)" "$(now)" > "$PROCESS_FILE.$$"
ln "$PROCESS_FILE.$$" "$PROCESS_FILE" 2> /dev/null; first=$?
rm -f "$PROCESS_FILE.$$"
[ $first = 0 ] || exit 0
"$@" & child=$!
exec 2> /dev/null
echo $child > "$PID_FILE"
while :; do wait $child; code=$?; kill -0 $child 2> /dev/null || break; done
printf '{"code":%d,"at":"%s"}' $code "$(now)" > "$EXIT_FILE.tmp"
mv "$EXIT_FILE.tmp" "$EXIT_FILE"
`;
