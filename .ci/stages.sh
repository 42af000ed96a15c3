# What .ci/run and .ci/release share: how a stage is run and counted, and what stages use. Sourced by
# both, from the top folder, with the array `stages` (a name and a budget in seconds each), a function
# `stage_NAME` for each name, and the folder of the logs in `logs`; then `run_stages "$@"`.

# With flags in the environment cargo ignores those of the alias `simtest`, and the lane would pass
# having tested nothing. The rest would change what is built.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS RUSTDOCFLAGS CARGO_BUILD_TARGET
unset CRASHPOINT_LANE MADSIM_TEST_SEED MADSIM_TEST_NUM
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
# What can be left out on somebody's machine, a browser, can't be left out here.
export CI=true

mkdir -p "$logs"
logs=$(cd "$logs" && pwd)
export logs

# ---- helpers of the stages ----

# The numbers that a key has in a JSON text of one object; `number` wants just one.
numbers() {
    grep -oE "\"$1\": *[0-9]+" "$2" | grep -oE '[0-9]+$'
}

number() {
    local found
    found=$(numbers "$1" "$2")
    [[ $found =~ ^[0-9]+$ ]] || { echo "error: no single number $1 in $2" >&2; return 1; }
    echo "$found"
}

# The sum of numbers joined by `+`; no numbers sum to 0.
sum() {
    local terms
    terms=$(cat)
    echo "$((${terms:-0}))"
}

expect() {
    if test "$1" "$2" "$3"; then
        echo "$1 $4"
    else
        echo "error: $1 $4, expected $2 $3" >&2
        return 1
    fi
}

# A program of this version from its registry, compiled once, in a folder of the target's.
tool() {
    local name=$1 version=$2
    shift 2
    cargo install --locked --root target/tools --version "$version" "$@" "$name"
}

export -f numbers number sum expect tool

# ---- running them ----

tree_before=$(git status --porcelain)
export tree_before
table=()
passed_total=0
failed_total=0

# The sum of a column of libtest's result lines in a log.
tests_in() {
    { grep -oE "^test result: .*" "$2" || true; } |
        { grep -oE "[0-9]+ $1" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}

# Of each test that failed its name and its first words, which may stand far above the end of a log.
# All that bounds it is in here: a `head` behind it would end the script, by the pipe that it closes.
what_failed() {
    awk '
        function say(line) { if (said++ < 200) print substr(line, 1, 500) }
        /^test .* \.\.\. FAILED/ { say($0); next }
        /^---- .* stdout ----$/ { left = 40 }
        /^failures:$/ { left = 0 }
        left > 0 { say($0); left-- }
    ' "$1"
}

run_stage() {
    local name=$1 budget=$2 log="$logs/$1.log" began=$SECONDS code=0 passed failed verdict took
    echo "==== $name (budget $budget s)"
    export -f "stage_$name"
    timeout "$((budget * 2))" bash -euo pipefail -c "stage_$name" >"$log" 2>&1 </dev/null || code=$?
    took=$((SECONDS - began))
    passed=$(tests_in passed "$log")
    failed=$(tests_in failed "$log")
    # A stage without tests of its own counts as one; so does one that failed around its tests. One
    # that ran a harness and no test has tested nothing.
    if ((code == 0 && passed + failed == 0)); then
        if [[ $name != benches ]] && grep -q "^test result: " "$log"; then
            failed=1
        else
            passed=1
        fi
    fi
    if ((code != 0 && failed == 0)); then failed=1; fi
    if ((code == 0 && failed == 0)); then
        verdict=passed
        tail -n 15 "$log"
    else
        verdict=failed
        if ((code == 124)); then echo "error: stopped after $((budget * 2)) s" >>"$log"; fi
        tail -n 200 "$log"
        what_failed "$log"
    fi
    if ((took > budget)); then verdict="$verdict, over budget"; fi
    echo "---- $name: $verdict in $took s"
    passed_total=$((passed_total + passed))
    failed_total=$((failed_total + failed))
    table+=("$(printf '%-9s %6s %8s %7s %7s  %s' \
        "$name" "$took" "$budget" "$passed" "$failed" "$verdict")")
}

run_stages() {
    local wanted name budget stage
    wanted=" $* "
    for name in "$@"; do
        declare -F "stage_$name" >/dev/null || { echo "error: no stage $name" >&2; exit 2; }
    done
    for stage in "${stages[@]}"; do
        read -r name budget <<<"$stage"
        if (($# == 0)) || [[ $wanted == *" $name "* ]]; then
            run_stage "$name" "$budget"
        fi
    done

    echo
    printf '%-9s %6s %8s %7s %7s\n' stage "time s" "budget s" passed failed
    printf '%s\n' "${table[@]}"
    echo "$SECONDS s in all"
    echo "$passed_total passed, $failed_total failed"
    ((failed_total == 0))
}
