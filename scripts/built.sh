# shellcheck shell=bash
# Sourced by gpu-check, gpu-bundle and bench: builds what they run, where it is not built or older
# than its sources. Expects $root and a function fail.

# shellcheck disable=SC2034,SC2154 # of and for the script that sources this
app=$root/cli/target/app
check=$root/check/target/app

# MARK
needs_build() {
  [ -e "$1" ] && compgen -G "$app/lora-graph-cli-*.jar" >/dev/null || return 0
  [ -n "$(find "$root"/pom.xml "$root"/*/pom.xml "$root"/*/src/main \
    -newer "$1" -print -quit)" ]
}

# MODULE [PROFILE]
build_if_needed() {
  local module=$1 profile=${2:-}
  local mark=$root/$module/target/app/.built${profile:+-$profile}
  needs_build "$mark" || return 0
  command -v mvn >/dev/null 2>&1 || fail "it is not built, and no Maven was found: install Maven 3.8 or newer"
  printf '%s: building ...\n' "${0##*/}" >&2
  local log=$root/$module/target/build.log
  mkdir -p "${log%/*}"
  if ! (cd "$root" && mvn -B -q ${profile:+"-P$profile"} -pl "$module" -am package -Dmaven.test.skip=true) >"$log" 2>&1 </dev/null; then
    grep -m 20 'ERROR' "$log" >&2 || tail -n 20 "$log" >&2
    fail "the build failed; the whole output is in $log"
  fi
  touch "$mark"
}
