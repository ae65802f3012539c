# What the official image does with its environment, as far as the chart uses it: makes the database the first time, then serves it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  unfinished=$PGDATA.unfinished
  rm -rf "$unfinished"
  initdb --pgdata="$unfinished" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 --encoding=UTF8 --locale=C > /dev/null
  echo 'host all all all scram-sha-256' >> "$unfinished/pg_hba.conf"
  echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -D "$unfinished" -k /tmp postgres > /dev/null
  mv "$unfinished" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -k /var/run/postgresql
