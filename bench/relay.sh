#!/usr/bin/env bash
# Relayed calls: the loop of one media shard at several batching intervals, the whole switch, a bare epoll forwarder and
# rtpengine in user space, in turn on the same two cores. The generator of the shared folder makes the packets, has core 0,
# and times each; what relays has core 1. The medians come out as one Markdown table.
#
#   bench/relay.sh [--repeat 5] [--calls 500] [--secs 2] [--batches 0,250,500,1000] [--max]
#
# --max searches besides for the most calls on one core without loss and with a p99 below 10 ms, of the switch and of the
# bare forwarder in turn: some four minutes a round.
#
# Needs root (a network namespace of its own), rtpengine, python3, gcc, libbpf-dev, liburing-dev; environment:
# CROSSPOINT_SHARED, else ../shared.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

repeat=5 calls=500 secs=2 batches=0,250,500,1000 max=
while [ $# -gt 0 ]; do
    case $1 in
    --repeat) repeat=$2 ;;
    --calls) calls=$2 ;;
    --secs) secs=$2 ;;
    --batches) batches=$2 ;;
    --max)
        max=1
        shift
        continue
        ;;
    *)
        sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2
        exit 2
        ;;
    esac
    shift 2
done

shared=${CROSSPOINT_SHARED:-../shared}
[ -d "$shared/bench" ] || {
    echo "bench/relay.sh: no harness at $shared/bench" >&2
    exit 1
}
cargo build --release --bin crosspoint-tokio
export CROSSPOINT_BIN=${CARGO_TARGET_DIR:-$root/target}/release/crosspoint-tokio
shard=$(cargo bench -p crosspoint-host --bench relay --no-run 2>&1 | sed -n 's/.*(\(.*\/relay-[^)]*\))$/\1/p')
export RELAY_BIN
RELAY_BIN=$(realpath "$shard")

# The harness writes beside itself, so it runs from a copy.
scratch=$(mktemp -d /dev/shm/crosspoint-bench.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cp -r "$shared/bench" "$scratch/harness"
chmod -R u+w "$scratch/harness"
export BENCH_RUN=$scratch/run
cd "$scratch/harness"
rm -rf results build
# of its helpers only these are used here
sed -i 's|^all:.*|all: $(B)/rtpgen $(B)/fwd $(B)/shortslice|' src/Makefile
servers=(crosspoint-relay fwd-plain-c500 rtpengine-pinned)
for batch in ${batches//,/ }; do
    servers+=("shard-$batch")
    cat >"servers/shard-$batch.sh" <<EOF
SUT_CMD='exec \$RELAY_BIN -n \$SUT_N -p 26000 -t 600 -c $batch'
SUT_READY=sleep:0.5
SUT_CONTROL='map:\$RELAY_BIN -M -n \$N -p 26000'
SUT_PIN=1
SUT_PER_N=1
EOF
done
# the generator's own ports are below these
printf '\n[parameters]\nSS_RTP_PORT_RANGE = "26000,59999"\n' >>peers/crosspoint-relay.toml
# Where each session has a share of the processors of its own (sched(7), autogroups), the generator's priority counts in
# its session alone, and whatever else the machine does would delay it.
{ echo -20 >/proc/self/autogroup; } 2>/dev/null || true

for round in $(seq "$repeat"); do
    for server in "${servers[@]}"; do
        echo "== $server, round $round" >&2
        ./relay.sh "$server" --calls "$calls" --secs "$secs" --repeat 1 --out "$server-$round" >&2
    done
done
if [ "$max" ]; then
    for round in $(seq "$repeat"); do
        for server in fwd-plain crosspoint-relay; do
            echo "== most calls of $server, round $round" >&2
            ./relay.sh "$server" --calls "" --secs 6 --max --out "max-$server-$round" >&2
        done
    done
fi
python3 "$root/bench/relay_table.py" results
