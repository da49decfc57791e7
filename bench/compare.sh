#!/usr/bin/env bash
# Crosspoint beside Kamailio on this machine, in one run: SIPp makes the load, the harness of the shared folder counts
# the CPU seconds of each server's processes, and the medians come out as one Markdown table.
#
#   bench/compare.sh [--repeat 3] [--call-rates 500,1000] [--register-rates 1000,3000] [--secs 10] [--phones 100000]
#
# --phones 0 leaves the memory run out. Servers alternate, so that whatever else the machine does hits them alike.
# Kamailio runs as Debian ships it and with the faster allocator (-x fm -X fm). Needs root (a network namespace of its
# own), sipp, kamailio, python3, gcc; environment: CROSSPOINT_BIN, else target/release/crosspoint-tokio is built;
# CROSSPOINT_SHARED, else ../shared.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

repeat=3 call_rates=500,1000 register_rates=1000,3000 secs=10 phones=100000
while [ $# -gt 0 ]; do
    case $1 in
    --repeat) repeat=$2 ;;
    --call-rates) call_rates=$2 ;;
    --register-rates) register_rates=$2 ;;
    --secs) secs=$2 ;;
    --phones) phones=$2 ;;
    *)
        sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2
        exit 2
        ;;
    esac
    shift 2
done

shared=${CROSSPOINT_SHARED:-../shared}
[ -d "$shared/bench" ] || {
    echo "bench/compare.sh: no harness at $shared/bench" >&2
    exit 1
}
if [ -z "${CROSSPOINT_BIN:-}" ]; then
    cargo build --release --bin crosspoint-tokio
    export CROSSPOINT_BIN=$root/target/release/crosspoint-tokio
fi

# The harness writes beside itself, so it runs from a copy; in memory, for a busy disk stalls SIPp.
scratch=$(mktemp -d /dev/shm/crosspoint-bench.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cp -r "$shared/bench" "$scratch/harness"
chmod -R u+w "$scratch/harness"
export BENCH_RUN=$scratch/run BENCH_LIMIT=900
cd "$scratch/harness"
rm -rf results build
# of its helpers only the one that sets priorities is used here
sed -i 's|^all:.*|all: $(B)/shortslice|' src/Makefile
for name in proxy registrar; do
    sed 's|kamailio -DD|kamailio -x fm -X fm -DD|' "servers/kamailio-$name.sh" >"servers/kamailio-$name-fm.sh"
done
# as many phones as the memory run registers, for every run alike
sed -i 's|u00000\.\.u09999|u00000..u99999|' peers/crosspoint-registrar.toml

# measure KIND SERVER ROUND ARGUMENTS...
measure() {
    local kind=$1 server=$2 round=$3
    shift 3
    echo "== $kind $server, round $round" >&2
    "./$kind.sh" "$server" "$@" --repeat 1 --out "$kind-$server-$round" >&2
}

for round in $(seq "$repeat"); do
    for server in crosspoint-static kamailio-proxy kamailio-proxy-fm crosspoint-registrar kamailio-registrar kamailio-registrar-fm; do
        measure signalling "$server" "$round" --rates "$call_rates" --secs "$secs"
    done
    for server in crosspoint-registrar kamailio-registrar kamailio-registrar-fm; do
        measure register "$server" "$round" --rates "$register_rates" --secs "$secs"
    done
done
if [ "$phones" -gt 0 ]; then
    for server in crosspoint-registrar kamailio-registrar-fm; do
        echo "== memory of $phones phones: $server" >&2
        ./register.sh "$server" --users "$phones" --rates 1000 --secs 1 --repeat 1 --out "memory-$server" >&2
    done
fi
python3 "$root/bench/table.py" results
