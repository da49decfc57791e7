"""Prints the results of bench/relay.sh as Markdown: medians of the rounds, and each one's share of rtpengine's CPU.

Usage: relay_table.py RESULTS_FOLDER
"""
import collections, glob, json, os, re, statistics, sys

rounds = collections.defaultdict(list)
most = collections.defaultdict(list)
for name in glob.glob(os.path.join(sys.argv[1], "*.json")):
    with open(name) as file:
        result = json.load(file)
    if "max_calls" in result:
        most[result["server"]].append(result["max_calls"])
    else:
        rounds[result["server"]] += result["runs"]


def median(server, figure):
    return statistics.median(figure(run) for run in rounds[server])


def cpu(run):
    return run["server_cpu_s_per_Mpkt"]


def title(server):
    batch = re.fullmatch(r"shard-(\d+)", server)
    return f"one shard, every {batch[1]} µs" if batch and batch[1] != "0" else {
        "shard-0": "one shard, at once", "crosspoint-relay": "the whole switch, default",
        "fwd-plain-c500": "bare forwarder, every 500 µs",
        "fwd-plain": "bare forwarder, at once", "rtpengine-pinned": "rtpengine"}[server]


def order(server):
    batch = re.fullmatch(r"shard-(\d+)", server)
    return (0, int(batch[1])) if batch else (1, ["crosspoint-relay", "fwd-plain-c500", "rtpengine-pinned"].index(server))


print("| relay | CPU s for 1,000,000 packets | ratio | latency p50 µs | p99 µs | lost |")
print("|---|---|---|---|---|---|")
for server in sorted(rounds, key=order):
    own, theirs = median(server, cpu), median("rtpengine-pinned", cpu)
    late = [median(server, lambda run: run["lat_us"][q]) for q in ("p50", "p99")]
    lost = sum(run["sent"] - run["received"] for run in rounds[server])
    print(f"| {title(server)} | {own:.1f} | {own / theirs:.2f} | {late[0]:.0f} | {late[1]:.0f} | {lost} |")
if most:
    print("\n| relay | most clean calls on one core, each round | median | ratio |\n|---|---|---|---|")
    theirs = statistics.median(most["fwd-plain"])
    for server, calls in most.items():
        own = statistics.median(calls)
        print(f"| {title(server)} | {', '.join(map(str, calls))} | {own:.0f} | {own / theirs:.2f} |")
limits = {run["gen_ok"] for runs in rounds.values() for run in runs}
if limits != {True}:
    print("\nThe generator was late in some rounds: measure again on a quieter machine.")
