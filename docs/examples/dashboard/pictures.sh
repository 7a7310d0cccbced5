#!/bin/bash
# pictures.sh: draws docs/images/dashboard.svg and flow.svg anew, from the queries of
# grafana.json and the demo's data.  In a cluster of its own, as `make demo`; needs
# node and npm besides, and fetches the npm package echarts, which does the drawing.
#
# Grafana is not involved: draw.mjs puts each panel where grafana.json says and
# draws the same rows, in its own look.

. "$(dirname "${BASH_SOURCE[0]}")/../../../test/lib.sh"

HERE=docs/examples/dashboard
ECHARTS=5.6.0

clean_environment
need_packages gcc libc6-dev make perl postgresql-MAJOR postgresql-server-dev-MAJOR
command -v npm >/dev/null || die "node and npm are needed"
open_build pictures
private_postgres
attend build -s -j2 install >"$BUILD/build.log" 2>&1 || { cat "$BUILD/build.log" >&2; die "the build failed"; }
start_cluster demo
cd "$BUILD/src"
export PATH=$PG_BIN:$PATH
as_worker psql -Xq -v ON_ERROR_STOP=1 -f "$HERE/load.sql"
as_worker psql -Xq -v ON_ERROR_STOP=1 -f "$HERE/role.sql"

as_worker perl "$HERE/queries.pl" --from=1997-07-01T00:00:00Z --to=1998-07-01T00:00:00Z --interval=7d \
	--before="SET SESSION AUTHORIZATION segment_dashboard; SET segment.as_of = '1998-07-01 00:00+00'" \
	"$HERE/grafana.json" >"$BUILD/results"
as_worker mkdir "$BUILD/npm" "$BUILD/images"
as_worker npm install --prefix "$BUILD/npm" --no-save --no-audit --no-fund --silent "echarts@$ECHARTS"
as_worker env NODE_PATH="$BUILD/npm/node_modules" node "$HERE/draw.mjs" "$HERE/grafana.json" "$BUILD/results" "$BUILD/images"
mkdir -p "$TOP/docs/images"
cat "$BUILD/images/dashboard.svg" >"$TOP/docs/images/dashboard.svg"
cat "$BUILD/images/flow.svg" >"$TOP/docs/images/flow.svg"
ls -l "$TOP/docs/images"
