#!/bin/bash
# `make lint`: installs what is missing, and runs all of test/lint/run.sh.
#
#   PG_MAJOR=16   the PostgreSQL whose headers to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

clean_environment
need_packages gcc make cppcheck clang-tidy postgresql-server-dev-MAJOR
export PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
say "Linting segment: $(cppcheck --version), clang-tidy$(clang-tidy --version | sed -n 's/.*LLVM version/ of LLVM/p')"
exec bash "$TOP/test/lint/run.sh"
